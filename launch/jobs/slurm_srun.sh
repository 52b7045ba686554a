#!/bin/bash
# wells: 10000 tasks in the first stage, 4 x 64 workers.
# Printed by: ensrun jobscript --slurm --launcher srun --time 12h --nodes 4 --cores 64 wells.ini
# Submit with: sbatch FILE; cancel with: scancel JOB
#SBATCH --job-name=wells
#SBATCH --nodes=4 --ntasks-per-node=1 --cpus-per-task=64
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue --open-mode=append
#SBATCH --output=wells-%j.log

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || kill -s "$1" "$job" 2>/dev/null
}
trap 'forward USR1' USR1
trap 'ended=1; forward TERM' INT TERM

srun --mpi=pmix --ntasks=4 --cpus-per-task=64 --cpu-bind=cores \
    ensrun run wells.ini \
        --workers 64 --time-limit 43020s &
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
3 | 85 | 137 | 205) ;;
*) exit "$rc" ;;
esac
[ "${SLURM_RESTART_COUNT:-0}" -ge 100 ] ||
    scontrol requeue "$SLURM_JOB_ID"
exit "$rc"
