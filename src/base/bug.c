#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>

void ens_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "ensrun: internal error at %s:%d: %s\n", file, line, what);
    abort();
}
