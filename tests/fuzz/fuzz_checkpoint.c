/* Checkpoints: any bytes are refused or read; what was read writes bytes that
 * read back and write the same. The magic and the hash are put right first,
 * so that what lies behind them is reached. */
#include "store/checkpoint.h"

#include "base/bug.h"
#include "base/hash.h"
#include "record/little.h"

#include <string.h>

#define N_CELLS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(struct ens_replay *r, struct ens_buf *b)
{
    struct ens_checkpoint_info info;
    struct ens_error err;

    memset(r, 0, sizeof(*r));
    r->n_cells = N_CELLS;
    r->study_hash = ens_get64(b->data + 16);
    return ens_checkpoint_decode(r, b->data, b->len, &info, &err) == ENS_OK;
}

static void ask(const struct ens_replay *r)
{
    for (size_t i = 0; i < r->n_stages; i++) {
        for (uint64_t c = 0; c < N_CELLS; c++) {
            const struct ens_done *d = r->stage[i].done;
            uint64_t n = 0;
            uint32_t open = ens_done_next_open(d, c, 1, 1000, &n);

            ENS_BUG_ON(open > 0 && ens_done_get(d, c, open) != ENS_N_OUTCOMES);
            ENS_BUG_ON(open > 0 && (n == 0 || open + n > 1001));
            ENS_BUG_ON(ens_done_count(d, c, 1000) > 1000);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_buf a = ENS_BUF_INIT, b = ENS_BUF_INIT, c = ENS_BUF_INIT;
    struct ens_replay r, again;

    if (size < 64)
        return 0;
    ens_buf_put(&a, data, size);
    memcpy(a.data, "ENSCKPT1", 8);
    ens_put64(a.data + 8, ens_hash64(a.data + 16, a.len - 16));
    if (decode(&r, &a)) {
        ask(&r);
        ens_checkpoint_encode(&r, 1, 2, &b);
        ENS_BUG_ON(!decode(&again, &b));
        ens_checkpoint_encode(&again, 1, 2, &c);
        ENS_BUG_ON(b.len != c.len || memcmp(b.data, c.data, b.len) != 0);
        ens_replay_fini(&again);
        ens_replay_fini(&r);
    }
    ens_buf_fini(&a);
    ens_buf_fini(&b);
    ens_buf_fini(&c);
    return 0;
}
