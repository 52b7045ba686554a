#!/bin/bash
# wells: 10000 tasks in the first stage, 128 x 1 workers.
# Printed by: ensrun jobscript --flux --time 12h --nodes 2 --ranks 128 wells.ini
# Submit with: flux batch FILE; cancel with: flux cancel JOB
#flux: --job-name=wells
#flux: -N 2 -n 128 -c 1 -t 43200s
#flux: --signal=USR1@180s
#flux: --output=wells-{{id}}.log

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

signal='' ended='' job=''
forward() {
    signal=$1
    [ -z "$job" ] || flux job kill -s "$1" "$(flux job last)"
}
trap 'forward USR1' USR1
trap 'ended=1; forward TERM' INT TERM

flux run -N 2 -n 128 -c 1 \
    -o cpu-affinity=per-task -o exit-timeout=none \
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
[ "$n" -gt 100 ] ||
    ENSRUN_RESTARTS=$n flux --parent batch "$0"
exit "$rc"
