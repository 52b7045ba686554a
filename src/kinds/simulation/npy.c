#include "kinds/simulation/npy.h"

#include <stdio.h>
#include <string.h>

#define PREFIX 10 /* magic 6, version 2, u16 length of the text */

void ens_npy_head(char to[ENS_NPY_HEAD], const char *descr, size_t rows,
                  size_t columns, size_t depth)
{
    char shape[96];
    int n;

    if (depth)
        snprintf(shape, sizeof(shape), "(%zu, %zu, %zu)", rows, columns, depth);
    else if (columns)
        snprintf(shape, sizeof(shape), "(%zu, %zu)", rows, columns);
    else
        snprintf(shape, sizeof(shape), "(%zu,)", rows);
    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (char)(ENS_NPY_HEAD - PREFIX);
    to[9] = 0;
    n = snprintf(to + PREFIX, ENS_NPY_HEAD - PREFIX,
                 "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr,
                 columns ? "True" : "False", shape);
    memset(to + PREFIX + n, ' ', (size_t)(ENS_NPY_HEAD - PREFIX - n));
    to[ENS_NPY_HEAD - 1] = '\n';
}
