#!/bin/sh
# libensrun.so exports exactly the functions that include/ensrun declares with
# ENS_API, and all of them.
set -eu
build=${BUILD:?folder of the build}
source=${SOURCE:?folder of the repository}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$build/libensrun.so" |
    awk '$2 ~ /[A-Zuvw]/ { sub(/@.*/, "", $3); print $3 }' |
    grep -vE '^(_init|_fini|__bss_start|_edata|_end|__(odr_)?asan.*)$' |
    sort -u >"$work/exported"

# A declaration may run over several lines: join from ENS_API to the ";".
cat "$source"/include/ensrun/*.h | tr '\n' ' ' |
    grep -oE 'ENS_API [^;]*;' | grep -oE 'ens_[a-z0-9_]+ ?\(' |
    tr -d ' (' | sort -u >"$work/declared"

if ! [ -s "$work/declared" ]; then
    echo "no declaration found in include/ensrun"
    exit 1
fi
if ! diff "$work/declared" "$work/exported"; then
    echo "'<' is declared and not exported, '>' is exported and not declared"
    exit 1
fi
echo "$(wc -l <"$work/exported") symbols"
