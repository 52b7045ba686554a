#!/bin/bash
# wells: 10000 tasks in the first stage, 1 x 32 workers in each shard.
# Printed by: ensrun jobscript --slurm --time 4h --array 16 --cores 32 wells.ini
# Submit with: sbatch FILE; cancel with: scancel JOB
#SBATCH --job-name=wells
#SBATCH --nodes=1 --ntasks-per-node=1 --cpus-per-task=32
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue --open-mode=append
#SBATCH --array=1-16 --output=wells-%A-%a.log

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

if [ "$SLURM_ARRAY_TASK_ID" -eq 0 ]; then # the last job
    trap '' USR1
    unset SLURM_RESTART_COUNT
    state=$(ensrun merge results/wells-shard-*-of-16 \
        -o results/wells --json)
    rc=$?
    echo "$state"
    exit "$rc"
fi
if [ "$SLURM_ARRAY_TASK_ID" -eq 1 ] &&
    [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
    sbatch --array=0 --nodes=1 --ntasks-per-node=1 \
        --cpus-per-task=1 --kill-on-invalid-dep=yes \
        --dependency="afterok:$SLURM_ARRAY_JOB_ID" "$0"
fi

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || kill -s "$1" "$job" 2>/dev/null
}
trap 'forward USR1' USR1
trap 'ended=1; forward TERM' INT TERM

ensrun run wells.ini --shard "$SLURM_ARRAY_TASK_ID/16" \
    --workers 32 --time-limit 14220s &
job=$!
[ -z "$signal" ] || forward "$signal"
wait "$job"
rc=$?
while [ -n "$signal" ]; do # a signal ends wait, not the job
    signal=''
    wait "$job"
    rc=$?
done
[ -z "$ended" ] || exit 143 # cancelled: not again
case $rc in
85) ;;
*) exit "$rc" ;;
esac
[ "${SLURM_RESTART_COUNT:-0}" -ge 100 ] ||
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
exit "$rc"
