#!/bin/sh
# Every command and option that --help lists is in the manual, and the manual
# names no long option that no command has.
set -eu
ensrun=${ENSRUN:?the program}
source=${SOURCE:?folder of the repository}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options() {
    grep -oE -- '--[a-z][a-z-]*' "$@" | sort -u
}

sed 's/\\-/-/g' "$source/launch/man/ensrun.1" >"$work/manual"
commands=$("$ensrun" --help | awk '/^  [a-z]+ +/ { print $1 }')
[ "$(echo "$commands" | wc -l)" -ge 8 ] || {
    echo "few commands in --help: $commands"
    exit 1
}

# A section of the manual: from ".SS COMMAND" to the next heading.
section() {
    awk -v name="$1" '/^\.S[SH]/ { on = ($1 == ".SS" && $2 == name) } on' \
        "$work/manual"
}

status=0
echo "--help
--version" >"$work/all"
for command in $commands; do
    "$ensrun" "$command" --help >"$work/help"
    # option lines only: other text may name options of other commands
    grep -E '^  (-[a-z], )?--' "$work/help" >"$work/lines" || true
    options "$work/lines" >"$work/table" || true
    cat "$work/table" >>"$work/all"
    section "$command" >"$work/section"
    [ -s "$work/section" ] || {
        echo "the manual has no section $command"
        status=1
    }
    options "$work/section" >"$work/told" || true
    missing=$(comm -23 "$work/table" "$work/told")
    [ -z "$missing" ] || {
        echo "the manual lacks, of $command:" $missing
        status=1
    }
done
sort -u "$work/all" >"$work/known"
options "$work/manual" >"$work/told"
extra=$(comm -13 "$work/known" "$work/told")
[ -z "$extra" ] || {
    echo "the manual tells of options that no command has:" $extra
    status=1
}
exit $status
