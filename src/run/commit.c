/* When a group of records is made durable: after commit_every records or
 * commit_seconds, whichever comes first, but never sooner than ten times the
 * last commit took; at once when memory fills up. */
#include "base/bug.h"
#include "base/clock.h"
#include "run/state.h"
#include "store/array.h"
#include "store/checkpoint.h"
#include "store/pack.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Frames in memory: workers are not read beyond POOL_BYTES; buffers double as
 * they grow, so both of the journal's hold at most 64 MiB. A group of
 * GROUP_BYTES is worth a sync however long the last one took. */
#define POOL_BYTES         ((size_t)32 << 20)
#define GROUP_BYTES        ((size_t)8 << 20)
#define CHECKPOINT_NS      60000000000u
#define CHECKPOINT_RECORDS 10000000u

/* -- what a group refers to ------------------------------------------------ */

static void mark_array(struct ens_run *r, const struct ens_item_view *item,
                       uint64_t cell)
{
    const struct ens_plan *p = &r->plan;
    size_t n = item->length < 8 ? 0 : item->length - 8;
    uint32_t a = 0;

    while (a < p->n_arrays && (strlen(p->array[a].name) != n ||
                               memcmp(p->array[a].name, item->bytes + 8, n)))
        a++;
    if (a == p->n_arrays)
        return;
    for (size_t i = r->n_dirty; i > 0; i--) /* newest first: it is mostly it */
        if (r->dirty[i - 1].array == a && r->dirty[i - 1].cell == cell)
            return;
    if (r->n_dirty == r->cap_dirty) {
        size_t cap = r->cap_dirty > 0 ? 2 * r->cap_dirty : 64;
        struct ens_dirty_array *d = realloc(r->dirty, cap * sizeof(*d));

        ENS_BUG_ON(d == NULL);
        r->dirty = d;
        r->cap_dirty = cap;
    }
    r->dirty[r->n_dirty++] = (struct ens_dirty_array){a, cell};
}

void ens_commit_note(struct ens_run *r, const struct ens_frame *f,
                     const struct ens_batch *b)
{
    struct ens_record rec;
    struct ens_item_view item;

    if (b->items_bytes == 0)
        return;
    for (uint32_t i = 0; i < b->n; i++) {
        size_t at = 0;

        ens_batch_get(b, i, &rec);
        while (ens_item_next(&rec, &at, &item)) {
            if (item.type == ENS_ITEM_ARTIFACT && f->slot < 0xffff)
                r->dirty_slots[f->slot / 64] |= 1ull << (f->slot % 64);
            else if (item.type == ENS_ITEM_BLOCK)
                mark_array(r, &item, rec.cell);
        }
    }
}

static int open_array(struct ens_run *r, const struct ens_dirty_array *d,
                      struct ens_error *err)
{
    struct ens_cell cell;
    uint64_t at;
    int fd = -1;

    ens_study_cell(r->study, d->cell, &cell);
    if (ens_array_open(r->dir, r->plan.array[d->array].name, cell.hash[0], &fd,
                       &at, err) != ENS_OK)
        return -1;
    return fd;
}

/* Descriptors of everything the open group refers to. -1 on failure. */
static int open_dirty(struct ens_run *r, int **fds, size_t *n,
                      struct ens_error *err)
{
    size_t words = (r->n_workers + 63) / 64;
    size_t cap = r->n_dirty + 1;

    *n = 0;
    for (size_t i = 0; i < words; i++)
        cap += (size_t)__builtin_popcountll(r->dirty_slots[i]);
    *fds = malloc(cap * sizeof(**fds));
    ENS_BUG_ON(*fds == NULL);
    for (uint32_t slot = 0; slot < r->n_workers; slot++) {
        if (!(r->dirty_slots[slot / 64] >> (slot % 64) & 1))
            continue;
        (*fds)[*n] = ens_pack_open_fd(r->dir, r->epoch.number, slot);
        if ((*fds)[*n] < 0) {
            ens_fail_errno(err, ENS_EIO, "cannot open the pack of slot %u",
                           slot);
            return -1;
        }
        ++*n;
    }
    for (size_t i = 0; i < r->n_dirty; i++) {
        (*fds)[*n] = open_array(r, &r->dirty[i], err);
        if ((*fds)[*n] < 0)
            return -1;
        ++*n;
    }
    return 0;
}

/* -- sealing ----------------------------------------------------------------
 */

static void want_checkpoint(struct ens_run *r,
                            const struct ens_journal_state *state)
{
    uint64_t now = ens_clock_ns();

    if (r->checkpoint.len > 0 ||
        (now - r->checkpoint_ns < CHECKPOINT_NS &&
         r->replay.n_records - r->checkpoint_records < CHECKPOINT_RECORDS))
        return;
    /* all that the replay knows is in the group that is sealed now, which
     * ends where the journal does with it */
    ens_checkpoint_encode(&r->replay, r->epoch.number,
                          ens_journal_sealed_end(r->journal), &r->checkpoint);
    r->checkpoint_group = state->groups + 1;
    r->checkpoint_ns = now;
    r->checkpoint_records = r->replay.n_records;
}

static void seal(struct ens_run *r, const struct ens_journal_state *state)
{
    struct ens_error err;
    int *fds;
    size_t n;

    if (open_dirty(r, &fds, &n, &err) != 0) {
        while (n > 0)
            close(fds[--n]);
        free(fds);
        ens_run_break(r, &err);
        return;
    }
    if (ens_journal_seal(r->journal, fds, n)) {
        r->n_dirty = 0;
        memset(r->dirty_slots, 0, (r->n_workers + 63) / 64 * 8);
        want_checkpoint(r, state);
    } else {
        while (n > 0)
            close(fds[--n]);
    }
    free(fds);
}

static void write_checkpoint(struct ens_run *r,
                             const struct ens_journal_state *state)
{
    struct ens_error err;

    if (r->checkpoint.len == 0 || state->groups < r->checkpoint_group)
        return;
    /* a checkpoint that cannot be written costs time at the next start */
    if (ens_checkpoint_write(r->dir, r->epoch.number, ++r->n_checkpoints,
                             r->checkpoint.data, r->checkpoint.len,
                             (int)ens_run_value(r, "keep_checkpoints")->i,
                             &err) != ENS_OK)
        ens_watch_log(r, "event=checkpoint_failed error=\"%s\"", err.text);
    ens_buf_fini(&r->checkpoint);
}

static int due(const struct ens_run *r, const struct ens_journal_state *state,
               size_t pending)
{
    double since = (double)(ens_clock_ns() - r->last_commit_ns) / 1e9;
    int wanted = r->phase != ENS_RUN_STAGE || r->stopping ||
                 ens_journal_open_records(r->journal) >= r->commit_every ||
                 since >= r->commit_seconds;

    if (pending > GROUP_BYTES || r->phase != ENS_RUN_STAGE)
        return 1;
    return wanted && since >= 10 * state->last_commit_s;
}

void ens_commit_poll(struct ens_run *r)
{
    struct ens_journal_state state;
    size_t pending;

    if (r->journal == NULL || r->phase >= ENS_RUN_OVER)
        return;
    ens_journal_state(r->journal, &state);
    if (state.error.status != ENS_OK) {
        ens_run_break(r, &state.error);
        return;
    }
    if (state.groups != r->last_groups) {
        r->last_groups = state.groups;
        r->last_commit_ns = ens_clock_ns();
        write_checkpoint(r, &state);
    }
    pending = ens_journal_pending(r->journal);
    if (!state.busy && pending > 0 && due(r, &state, pending))
        seal(r, &state);
    if (r->phase >= ENS_RUN_OVER)
        return;
    pending = ens_journal_pending(r->journal);
    ens_dispatch_pause(r->dispatch,
                       pending > POOL_BYTES || ens_far_is_stuck(r));
    if (r->phase >= ENS_RUN_OVER)
        return;
    if (pending == 0)
        ens_stages_synced(r);
}
