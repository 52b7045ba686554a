#!/bin/sh
# memcheck over every unit, conformance and oracle test: no error, no definite
# leak. Tests are not forked (CK_FORK=no), so that leaks of each are seen.
# Zygotes that tests boot run outside valgrind, as their workers then keep to
# the tests' deadlines; test_worker, test_zygote and the transport inline cover
# that code here.
#
#   long_valgrind.sh [NAME...]    e.g. test_journal; default: all
set -eu
build=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
command -v valgrind >/dev/null || { echo "valgrind is missing" >&2; exit 1; }
failed=0
cd "$build/tests"
[ $# -gt 0 ] || set -- $(find . -maxdepth 1 -type f -name 'test_*' -perm -u+x |
    sed 's|^\./||' | sort)
for name in "$@"; do
    log=$build/valgrind-$name.log
    if CK_FORK=no CK_DEFAULT_TIMEOUT=3600 OPENBLAS_NUM_THREADS=1 \
        timeout 3600 valgrind -q --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite "./$name" >"$log" 2>&1
    then
        echo "$name: clean"
        rm "$log"
    else
        echo "$name: FAILED, see $log"
        head -n 60 "$log"
        failed=1
    fi
done
exit $failed
