#!/bin/bash
# wells: 10000 tasks in the first stage, 128 x 1 workers.
# Printed by: ensrun jobscript --pbs --time 12:00:00 --nodes 2 --ranks 128 wells.ini
# Submit with: qsub FILE; cancel with: qdel JOB
#PBS -N wells
#PBS -l select=2:ncpus=64:mpiprocs=64:ompthreads=1
#PBS -l walltime=12:00:00
#PBS -r y
#PBS -j oe

cd "$PBS_O_WORKDIR" || exit 3
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || kill -s "$1" "$job" 2>/dev/null
}
trap 'forward USR1' USR1
trap 'ended=1; forward TERM' INT TERM

mpirun -n 128 --map-by ppr:64:node --bind-to core --hostfile "$PBS_NODEFILE" \
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
n=$((${ENSRUN_RESTARTS:-0} + 1))
[ "$n" -gt 100 ] || qsub -v ENSRUN_RESTARTS="$n" "$0"
exit "$rc"
