#!/bin/bash
# wells: 10000 tasks in the first stage, 16 x 1 workers.
# Printed by: ensrun jobscript --hosts hosts.txt --nodes 2 --ranks 16 wells.ini
# Run with: bash FILE

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || kill -s "$1" "$job" 2>/dev/null
}
trap 'forward USR1' USR1
trap 'ended=1; forward TERM' INT TERM

mpirun -n 16 --map-by ppr:8:node --bind-to core --hostfile hosts.txt \
    -x OMP_NUM_THREADS -x OPENBLAS_NUM_THREADS \
    --mca oob_tcp_keepalive_time 20 \
    --mca oob_tcp_keepalive_intvl 5 \
    --mca oob_tcp_keepalive_probes 3 \
    ensrun run wells.ini \
        --workers 1 &
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
