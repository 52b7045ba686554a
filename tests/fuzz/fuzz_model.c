/* Model files: any bytes are refused with a text, or are a model whose parts
 * fit together and lie within them. The checksum, which would stop nearly all,
 * is made right first. */
#include "learn/model/model.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_blob(const struct ens_model_blob *b, const uint8_t *p,
                       size_t n)
{
    const uint8_t *at = b->data;

    ENS_BUG_ON(b->bytes > n);
    ENS_BUG_ON((b->bytes > 0) != (at != NULL));
    ENS_BUG_ON(at != NULL && (at < p || (size_t)(at - p) > n - b->bytes ||
                              (at - p) % 16 != 0));
}

static void check(const struct ens_model *m, const uint8_t *p, size_t n)
{
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct ens_model_layer *l = &m->layer[i];

        for (uint32_t k = 0; k < l->n_out; k++)
            ENS_BUG_ON(l->out[k] == NULL);
        for (uint32_t j = 0; j < l->n_learners; j++)
            for (uint32_t k = 0; k < l->n_partitions; k++) {
                check_blob(&l->learner[j].fit[k].prep, p, n);
                check_blob(&l->learner[j].fit[k].model, p, n);
            }
    }
    check_blob(&m->learner, p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};
    struct ens_model m;
    uint8_t *p = malloc(size + 1);
    enum ens_status s;

    ENS_BUG_ON(p == NULL);
    memcpy(p, data, size);
    if (size >= 40) {
        uint64_t length = size, hash;

        memcpy(p + 16, &length, 8);
        hash = ens_hash64(p, size - 8);
        memcpy(p + size - 8, &hash, 8);
    }
    s = ens_model_read(&m, p, size, &arena, &err);
    if (s == ENS_OK)
        check(&m, p, size);
    else
        ENS_BUG_ON(s != ENS_ECORRUPT || err.text[0] == '\0');
    ens_arena_fini(&arena);
    free(p);
    return 0;
}
