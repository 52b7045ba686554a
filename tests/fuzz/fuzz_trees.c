/* A model of trees as it is kept: whatever its bytes, an error or numbers. The
 * first byte says how many outputs the learner has, the second what columns
 * the rows have. */
#include "learn/trees/model.h"

#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 5

static void fill(const struct ens_rows *r, uint64_t first, size_t n,
                 double *out)
{
    for (size_t i = 0; i < n * r->p; i++)
        out[i] = (double)((first * r->p + i) % 7) - 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_rows rows = {.n = ROWS, .x = fill};
    struct ens_learn_job job = {.host = &ens_host};
    struct ens_learn_model model;
    double out[4 * ROWS];
    struct ens_error err;
    void *copy;

    if (size < 2)
        return 0;
    job.n_out = 1 + data[0] % 4;
    rows.p = 1 + data[1] % 8;
    model.bytes = size - 2;
    copy = aligned_alloc(16, (size + 15) / 16 * 16);
    if (copy == NULL)
        abort();
    memcpy(copy, data + 2, model.bytes);
    model.data = copy;
    if (ens_trees_predict(&job, &model, NULL, &rows, 0, ROWS, out, &err) !=
            ENS_OK &&
        err.text[0] == '\0')
        abort();
    free(copy);
    return 0;
}
