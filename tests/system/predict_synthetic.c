/* What will become of the tasks of a synthetic study, told without running
 * any: prints "REPLICATE FATE" for each that will not be ok.
 *
 *   predict_synthetic SEED CELL STAGE REPLICATES FAIL CRASH ABORT HANG
 *
 * CELL is the cell's id (16 hex digits, as in tasks.csv). Written from the
 * description in kinds/synthetic/work.h and the generator alone. */
#include "math/rng.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *fate_of(struct ens_rng *g, const double rate[4])
{
    double u[4];

    for (int i = 0; i < 4; i++)
        u[i] = ens_rng_uniform(g);
    if (u[1] < rate[1])
        return "crash";
    if (u[2] < rate[2])
        return "abort";
    if (u[3] < rate[3])
        return "hang";
    return u[0] < rate[0] ? "fail" : NULL;
}

int main(int argc, char **argv)
{
    unsigned long long seed, cell, n;
    struct ens_rng g;
    const char *fate;
    double rate[4];
    uint64_t stream;

    if (argc != 9)
        return 2;
    errno = 0;
    seed = strtoull(argv[1], NULL, 10);
    cell = strtoull(argv[2], NULL, 16);
    stream = ens_rng_stream(argv[3], "fault");
    n = strtoull(argv[4], NULL, 10);
    for (int i = 0; i < 4; i++)
        rate[i] = strtod(argv[5 + i], NULL);
    if (errno != 0)
        return 2;
    for (unsigned long long r = 1; r <= n; r++) {
        ens_rng_set(&g, seed, cell, r, stream);
        fate = fate_of(&g, rate);
        if (fate != NULL)
            printf("%llu %s\n", r, fate);
    }
    return 0;
}
