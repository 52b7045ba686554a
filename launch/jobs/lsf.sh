#!/bin/bash
# wells: 10000 tasks in the first stage, 128 x 1 workers.
# Printed by: ensrun jobscript --lsf --time 12h --nodes 2 --ranks 128 wells.ini
# Submit with: bsub < FILE; cancel with: bkill JOB
#BSUB -J wells
#BSUB -n 128
#BSUB -R "span[ptile=64]"
#BSUB -W 12:00
#BSUB -wa USR1 -wt 3
#BSUB -r
#BSUB -Q "85 205"
#BSUB -o wells-%J.log

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || kill -s "$1" "$job" 2>/dev/null
}
trap 'forward USR1' USR1 USR2
trap 'ended=1; forward TERM' INT TERM

mpirun -n 128 --map-by ppr:64:node --bind-to core --hostfile "$LSB_DJOB_HOSTFILE" \
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
exit "$rc"
