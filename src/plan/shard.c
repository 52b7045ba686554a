#include "plan/shard.h"

#include "base/number.h"

#include <string.h>

/* A piece of this many tasks makes ranges worth a message (ranges.h); but
 * each shard gets so many pieces that they even out. */
#define PIECE_TASKS  64u
#define PIECES_LEAST 16u

enum ens_status ens_shard_parse(struct ens_shard *to, const char *text,
                                struct ens_error *err)
{
    const char *slash = strchr(text, '/');
    uint64_t k, n;

    if (slash == NULL ||
        ens_number_parse_u64(text, (size_t)(slash - text), &k) != 0 ||
        ens_number_parse_u64(slash + 1, strlen(slash + 1), &n) != 0 || k < 1 ||
        k > n || n > ENS_SHARDS_MAX)
        return ens_fail(err, ENS_EUSAGE,
                        "--shard %s: not K/N with 1 <= K <= N <= %u", text,
                        ENS_SHARDS_MAX);
    to->k = (uint32_t)k;
    to->n = (uint32_t)n;
    return ENS_OK;
}

static uint32_t digit_sum(uint64_t v, uint32_t n)
{
    uint64_t sum = 0;

    for (; n > 1 && v > 0; v /= n)
        sum += v % n;
    return (uint32_t)(sum % n);
}

/* Cells dealt as one piece. */
static uint64_t cells_per_piece(const struct ens_stage_run *run, uint32_t n)
{
    uint64_t want = (PIECE_TASKS + run->n_replicates - 1) / run->n_replicates;
    uint64_t most = run->n_cells / ((uint64_t)PIECES_LEAST * n);

    if (want > most)
        want = most;
    return want > 1 ? want : 1;
}

void ens_shard_part(const struct ens_shard *shard,
                    const struct ens_stage_run *run, uint64_t cell,
                    uint32_t *first, uint32_t *last)
{
    uint64_t n = shard->n;
    uint64_t all = run->n_replicates;
    uint64_t cells, part;

    *first = 1;
    *last = run->n_replicates;
    if (n == 0 || all == 0)
        return;
    cells = cells_per_piece(run, shard->n);
    /* whose turn it is, counted from where this piece begins */
    part = (shard->k + n - 1 -
            digit_sum((cell - run->first_cell) / cells, shard->n)) %
           n;
    if (shard->k == 0 || ((cells > 1 || shard->whole) && part != 0)) {
        *last = 0;
        return;
    }
    if (cells > 1 || shard->whole)
        return;
    *first = (uint32_t)((part * all + n - 1) / n) + 1;
    *last = (uint32_t)(((part + 1) * all + n - 1) / n);
}
