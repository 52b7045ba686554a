#!/bin/bash
# wells: 10000 tasks in the first stage, 128 x 1 workers.
# Printed by: ensrun jobscript --slurm --time 12h --nodes 2 --ranks 128 wells.ini
# Submit with: sbatch FILE; cancel with: scancel JOB
#SBATCH --job-name=wells
#SBATCH --nodes=2 --ntasks-per-node=64 --cpus-per-task=1
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

mpirun -n 128 --map-by ppr:64:node --bind-to core \
    -x OMP_NUM_THREADS -x OPENBLAS_NUM_THREADS \
    --mca oob_tcp_keepalive_time 20 \
    --mca oob_tcp_keepalive_intvl 5 \
    --mca oob_tcp_keepalive_probes 3 \
    ensrun run wells.ini \
        --workers 1 --time-limit 43020s &
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
