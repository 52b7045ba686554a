/* The bytes of a checkpoint. */
#include "store/checkpoint.h"

#include "base/hash.h"
#include "record/little.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "ENSCKPT1"
#define HEAD  64u

/* -- encoding ------------------------------------------------------------ */
static size_t begin_block(struct ens_buf *out)
{
    ens_buf_u64(out, 0);
    return out->len;
}

static void end_block(struct ens_buf *out, size_t start)
{
    if (!out->failed)
        ens_put64(out->data + start - 8, out->len - start);
}

static void put_at(const struct ens_log_at *at, struct ens_buf *out)
{
    ens_buf_u64(out, at->segment);
    ens_buf_u64(out, at->offset);
}

static void put_def(const struct ens_stage *def, struct ens_buf *out)
{
    size_t start = begin_block(out);

    ens_stage_encode(def, out);
    end_block(out, start);
    ens_buf_u64(out, def->data_epoch);
}

static void put_stage(const struct ens_replay_stage *s, struct ens_buf *out)
{
    size_t start;

    put_def(&s->def, out);
    ens_buf_u32(out, s->def_epoch);
    ens_buf_u32(out, s->runs_ok != 0);
    put_at(&s->first, out);
    put_at(&s->last, out);
    start = begin_block(out);
    ens_done_write(s->done, out);
    end_block(out, start);
}

static void put_answer(const struct ens_replay_answer *a, struct ens_buf *out)
{
    put_def(&a->def, out);
    ens_buf_u32(out, a->epoch);
    ens_buf_u32(out, a->group);
    ens_buf_u32(out, a->stale != 0);
    ens_buf_u32(out, a->runs_ok != 0);
    put_at(&a->at, out);
}

static void put_head(const struct ens_replay *r, uint32_t epoch,
                     uint64_t journal_end, struct ens_buf *out)
{
    const uint64_t word[] = {r->study_hash, epoch, journal_end, r->n_records,
                             r->n_unknown};

    ens_buf_put(out, MAGIC, 8);
    ens_buf_u64(out, 0); /* the hash, when the rest is there */
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
        ens_buf_u64(out, word[i]);
    ens_buf_u32(out, r->max_round);
    ens_buf_u32(out, 0);
}

void ens_checkpoint_encode(const struct ens_replay *r, uint32_t epoch,
                           uint64_t journal_end, struct ens_buf *out)
{
    size_t start = out->len;

    put_head(r, epoch, journal_end, out);
    ens_buf_u32(out, (uint32_t)r->schemas.n);
    for (size_t i = 0; i < r->schemas.n; i++) {
        size_t at = begin_block(out);

        ens_schema_encode(r->schemas.item[i], out);
        end_block(out, at);
    }
    ens_buf_u32(out, (uint32_t)r->n_stages);
    for (size_t i = 0; i < r->n_stages; i++)
        put_stage(&r->stage[i], out);
    ens_buf_u32(out, (uint32_t)r->n_answers);
    for (size_t i = 0; i < r->n_answers; i++)
        put_answer(&r->answer[i], out);
    ens_buf_u32(out, (uint32_t)r->n_attempts);
    for (size_t i = 0; i < r->n_attempts; i++)
        ens_attempt_write(&r->attempt[i], out);
    if (!out->failed)
        ens_put64(out->data + start + 8,
                  ens_hash64(out->data + start + 16, out->len - start - 16));
}

/* -- decoding: a reader whose first failure ends it ---------------------- */
static const void *get_block(struct ens_cursor *c, size_t *n)
{
    uint64_t bytes = ens_cursor_u64(c);

    *n = (size_t)bytes;
    return ens_cursor_bytes(c, (size_t)bytes);
}

static struct ens_log_at get_at(struct ens_cursor *c)
{
    struct ens_log_at at;

    at.segment = (size_t)ens_cursor_u64(c);
    at.offset = ens_cursor_u64(c);
    return at;
}

/* How many items of at least `least` bytes follow: never more than fit. */
static size_t get_count(struct ens_cursor *c, size_t least)
{
    size_t n = ens_cursor_u32(c);

    if (n > (size_t)(c->end - c->p) / least)
        c->bad = 1;
    return c->bad ? 0 : n;
}

/* Runs that are said to be in present ordinals are. */
static int check_runs(const struct ens_stage *def, int runs_ok,
                      uint64_t n_cells)
{
    const struct ens_stage_run *last;

    if (!runs_ok || def->n_runs == 0)
        return 0;
    last = &def->run[def->n_runs - 1];
    return last->first_cell + last->n_cells <= n_cells ? 0 : -1;
}

static int decode_def(struct ens_cursor *c, struct ens_stage *def)
{
    size_t n;
    const void *p = get_block(c, &n);

    if (p == NULL || ens_stage_decode(def, p, n, NULL) != ENS_OK)
        return -1;
    def->data.name = "stage";
    def->data.name_bytes = strlen("stage");
    def->data_epoch = ens_cursor_u64(c);
    return 0;
}

static int get_stage(struct ens_cursor *c, struct ens_replay *r)
{
    struct ens_replay_stage *s;
    struct ens_stage def;
    const void *p;
    size_t n;

    if (decode_def(c, &def) != 0)
        return -1;
    s = ens_replay_find(r, def.id) == NULL ? ens_replay_add(r, &def) : NULL;
    ens_stage_fini(&def);
    if (s == NULL)
        return -1;
    s->def_epoch = ens_cursor_u32(c);
    s->runs_ok = ens_cursor_u32(c) != 0;
    s->first = get_at(c);
    s->last = get_at(c);
    p = get_block(c, &n);
    if (p == NULL || check_runs(&s->def, s->runs_ok, r->n_cells) != 0)
        return -1;
    ens_done_free(s->done);
    s->done = ens_done_read_cells(p, n, r->n_cells);
    return s->done != NULL ? 0 : -1;
}

static int get_answer(struct ens_cursor *c, struct ens_replay *r)
{
    struct ens_replay_answer *a = &r->answer[r->n_answers];
    struct ens_replay_stage *from;

    if (decode_def(c, &a->def) != 0)
        return -1;
    r->n_answers++;
    a->epoch = ens_cursor_u32(c);
    a->group = ens_cursor_u32(c);
    a->stale = ens_cursor_u32(c) != 0;
    a->runs_ok = ens_cursor_u32(c) != 0;
    a->at = get_at(c);
    from = ens_replay_find(r, a->def.from);
    if (from != NULL && !a->stale)
        from->n_fresh++;
    return check_runs(&a->def, a->runs_ok, r->n_cells);
}

static int get_schemas(struct ens_cursor *c, struct ens_replay *r)
{
    for (size_t k = get_count(c, 12); k > 0; k--) {
        size_t n, index;
        const void *p = get_block(c, &n);

        if (p == NULL ||
            ens_schemas_add_encoded(&r->schemas, p, n, &index, NULL) != ENS_OK)
            return -1;
    }
    return c->bad ? -1 : 0;
}

/* Arrays have the room that replay.c expects of n items. */
static size_t room_for(size_t n)
{
    size_t cap = 4;

    while (cap < n)
        cap *= 2;
    return cap;
}

static int get_attempts(struct ens_cursor *c, struct ens_replay *r)
{
    size_t n = get_count(c, 24);
    struct ens_error ignored;

    for (size_t i = 0; i < n; i++) {
        const void *p = ens_cursor_bytes(c, 24);

        if (p == NULL || ens_replay_charge(r, NULL, p, 24, &ignored) != ENS_OK)
            return -1;
    }
    return c->bad ? -1 : 0;
}

static int get_rest(struct ens_cursor *c, struct ens_replay *r)
{
    size_t n;

    if (get_schemas(c, r) != 0)
        return -1;
    for (n = get_count(c, 64); n > 0; n--)
        if (get_stage(c, r) != 0)
            return -1;
    n = get_count(c, 64);
    r->answer = n > 0 ? calloc(room_for(n), sizeof(*r->answer)) : NULL;
    if (c->bad || (n > 0 && r->answer == NULL))
        return -1;
    for (; n > 0; n--)
        if (get_answer(c, r) != 0)
            return -1;
    return get_attempts(c, r) == 0 && c->p == c->end ? 0 : -1;
}

int ens_checkpoint_info_read(struct ens_checkpoint_info *info, const void *p,
                             size_t n)
{
    const unsigned char *b = p;

    info->bytes = n;
    info->valid = n >= HEAD && memcmp(b, MAGIC, 8) == 0 &&
                  ens_get64(b + 8) == ens_hash64(b + 16, n - 16) &&
                  ens_get64(b + 24) <= UINT32_MAX;
    if (!info->valid)
        return -1;
    info->cells_hash = ens_get64(b + 16);
    info->epoch = (uint32_t)ens_get64(b + 24);
    info->journal_end = ens_get64(b + 32);
    info->n_records = ens_get64(b + 40);
    return 0;
}

enum ens_status ens_checkpoint_decode(struct ens_replay *r, const void *p,
                                      size_t n,
                                      struct ens_checkpoint_info *info,
                                      struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n);
    struct ens_replay made = *r;

    if (ens_checkpoint_info_read(info, p, n) != 0)
        return ens_fail(err, ENS_ECORRUPT, "not a complete checkpoint");
    if (info->cells_hash != r->study_hash)
        return ens_fail(err, ENS_ECORRUPT,
                        "a checkpoint of another list of cells");
    ens_cursor_bytes(&c, 40);
    made.n_records = ens_cursor_u64(&c);
    made.n_unknown = ens_cursor_u64(&c);
    made.max_round = ens_cursor_u32(&c);
    ens_cursor_u32(&c);
    made.cells_hash = info->cells_hash;
    if (get_rest(&c, &made) != 0) {
        ens_replay_fini(&made);
        return ens_fail(err, ENS_ECORRUPT, "a checkpoint damaged at byte %zu",
                        (size_t)(c.p - (const unsigned char *)p));
    }
    *r = made;
    return ENS_OK;
}
