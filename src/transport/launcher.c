#include "transport/launcher.h"

#include "base/number.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A count in the environment; def when there is none. */
static int number(const char *name, int def)
{
    const char *text = getenv(name);
    int64_t v;

    if (text == NULL || ens_number_parse_i64(text, strlen(text), &v) != 0 ||
        v < 0 || v > INT_MAX)
        return def;
    return (int)v;
}

static struct ens_launched several(int rank, int size)
{
    return (struct ens_launched){
        size == 1 ? ENS_LAUNCHER_NONE : ENS_LAUNCHER_MPI, rank, size};
}

struct ens_launched ens_launched(void)
{
    int step = number("SLURM_STEP_NUM_TASKS", 0);

    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL)
        return several(number("OMPI_COMM_WORLD_RANK", 0),
                       number("OMPI_COMM_WORLD_SIZE", 1));
    if (getenv("PMIX_RANK") != NULL && getenv("PMIX_NAMESPACE") != NULL)
        return several(number("PMIX_RANK", 0), step);
    if (getenv("PMI_RANK") != NULL && getenv("PMI_SIZE") != NULL)
        return several(number("PMI_RANK", 0), number("PMI_SIZE", 1));
    /* srun without PMI; a batch script is no step and has no such variable */
    if (getenv("SLURM_PROCID") != NULL && step > 1)
        return (struct ens_launched){ENS_LAUNCHER_BARE,
                                     number("SLURM_PROCID", 0), step};
    return (struct ens_launched){ENS_LAUNCHER_NONE, 0, 1};
}
