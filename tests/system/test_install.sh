#!/bin/sh
# What `cmake --install` puts in place is enough to build on: pkg-config finds
# it, every public header compiles alone, and the library exports only what
# they declare.
set -eu
: "${SOURCE:?}" "${BUILD:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")

if grep -q '^ENSRUN_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    echo "skipped: a sanitized library is not what is installed"
    exit 77
fi
cmake --install "$BUILD" --prefix "$work/opt" >"$work/log"
pc=$(find "$work/opt" -name ensrun.pc)
lib=$(dirname "$(find "$work/opt" -name libensrun.so)")
export PKG_CONFIG_PATH="${pc%/*}"

for header in "$SOURCE"/include/ensrun/*.h; do
    name=$(basename "$header")
    printf '#include <ensrun/%s>\nint only;\n' "$name" >"$work/one.c"
    $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -c -o "$work/one.o" \
        $(pkg-config --cflags ensrun) "$work/one.c"
done
cat >"$work/use.c" <<'END'
#include <ensrun/error.h>
#include <ensrun/version.h>
#include <stdio.h>
int main(void)
{
    struct ens_error err;

    ens_fail(&err, ENS_EUSAGE, "version %s", ens_version());
    puts(err.text);
    return ens_status_exit(ENS_EUSAGE) == 2 ? 0 : 1;
}
END
$cc -std=c11 -o "$work/use" $(pkg-config --cflags ensrun) "$work/use.c" \
    $(pkg-config --libs ensrun)
version=$(pkg-config --modversion ensrun)
[ "$(LD_LIBRARY_PATH=$lib "$work/use")" = "version $version" ]
[ "$("$work/opt/bin/ensrun" --version)" = "ensrun $version" ]
objdump -p "$lib/libensrun.so" | grep -q 'SONAME *libensrun\.so\.0$'
test -f "$work/opt/share/man/man1/ensrun.1"

# Exported: exactly the functions that the headers mark ENS_API.
nm -D --defined-only "$lib/libensrun.so" | awk '{ print $3 }' |
    sort >"$work/exported"
cat "$SOURCE"/include/ensrun/*.h | tr '\n' ' ' | tr ';' '\n' |
    sed -n 's/.*ENS_API [^(]*[ *]\(ens_[a-z0-9_]*\)(.*/\1/p' |
    sort >"$work/declared"
[ -s "$work/declared" ]
diff "$work/declared" "$work/exported"
