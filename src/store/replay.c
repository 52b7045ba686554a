#include "store/replay.h"

#include "record/little.h"
#include "record/record.h"
#include "store/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPT_BYTES 24u
#define CELLS_PART    ((ENS_FRAME_PAYLOAD_MAX - ENS_CELLS_HEAD) / 16)

/* Arrays of n items have room for 4, 8, 16 ...: room for one more. */
static void *room(void *p, size_t n, size_t size)
{
    if (n >= 4 && (n & (n - 1)) != 0)
        return p;
    if (n > 0 && n < 4)
        return p;
    return realloc(p, (n == 0 ? 4 : 2 * n) * size);
}

static enum ens_status no_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "replay of the journal: out of memory");
}

void ens_replay_fini(struct ens_replay *r)
{
    for (size_t i = 0; i < r->n_stages; i++) {
        ens_stage_fini(&r->stage[i].def);
        ens_done_free(r->stage[i].done);
    }
    for (size_t i = 0; i < r->n_answers; i++)
        ens_stage_fini(&r->answer[i].def);
    free(r->stage);
    free(r->answer);
    free(r->attempt);
    ens_schemas_fini(&r->schemas);
    memset(r, 0, sizeof(*r));
}

/* -- stages -------------------------------------------------------------- */
struct ens_replay_stage *ens_replay_find(struct ens_replay *r, uint64_t id)
{
    for (size_t i = r->n_stages; i-- > 0;) /* the newest is the usual one */
        if (r->stage[i].id == id)
            return &r->stage[i];
    return NULL;
}

struct ens_replay_stage *ens_replay_add(struct ens_replay *r,
                                        const struct ens_stage *def)
{
    struct ens_replay_stage *s = ens_replay_find(r, def->id);

    if (s != NULL)
        return s;
    s = room(r->stage, r->n_stages, sizeof(*s));
    if (s == NULL)
        return NULL;
    r->stage = s;
    s = &r->stage[r->n_stages];
    memset(s, 0, sizeof(*s));
    s->id = def->id;
    s->runs_ok = 1;
    s->done = ens_done_new();
    if (s->done == NULL || ens_stage_copy(&s->def, def) != ENS_OK) {
        ens_done_free(s->done);
        return NULL;
    }
    for (size_t i = 0; i < r->n_answers; i++)
        s->n_fresh += r->answer[i].def.from == def->id && !r->answer[i].stale;
    r->n_stages++;
    return s;
}

static int redefine(struct ens_replay *r, const struct ens_stage *def,
                    uint32_t epoch, struct ens_log_at at, int runs_ok)
{
    int is_new = ens_replay_find(r, def->id) == NULL;
    struct ens_replay_stage *s = ens_replay_add(r, def);
    struct ens_stage copy;

    if (s == NULL || ens_stage_copy(&copy, def) != ENS_OK)
        return -1;
    ens_stage_fini(&s->def);
    s->def = copy;
    s->def_epoch = epoch;
    s->runs_ok = runs_ok;
    if (is_new)
        s->first = at;
    return 0;
}

/* Parts of one answer follow each other and count their stages on. */
static int continues(const struct ens_replay *r, const struct ens_stage *def,
                     uint32_t epoch)
{
    const struct ens_replay_answer *before;

    if (r->n_answers == 0)
        return 0;
    before = &r->answer[r->n_answers - 1];
    return before->epoch == epoch && before->def.from == def->from &&
           before->def.from_definition == def->from_definition &&
           ((before->def.flags | def->flags) & ENS_STAGE_END) == 0 &&
           !before->stale && before->def.index + 1 == def->index;
}

/* Takes def over. */
static int add_answer(struct ens_replay *r, struct ens_stage *def,
                      uint32_t epoch, struct ens_log_at at, int runs_ok)
{
    struct ens_replay_answer *a = room(r->answer, r->n_answers, sizeof(*a));
    struct ens_replay_stage *from = ens_replay_find(r, def->from);
    uint32_t group;

    if (a == NULL)
        return -1;
    r->answer = a;
    group = r->n_answers == 0 ? 0 : a[r->n_answers - 1].group;
    group += !continues(r, def, epoch);
    a = &r->answer[r->n_answers++];
    a->def = *def;
    a->epoch = epoch;
    a->at = at;
    a->stale = 0;
    a->runs_ok = runs_ok;
    a->group = group;
    if (from != NULL)
        from->n_fresh++;
    return 0;
}

enum ens_status ens_replay_define(struct ens_replay *r,
                                  const struct ens_cellmap *cells,
                                  uint32_t epoch, struct ens_log_at at,
                                  const void *payload, size_t n,
                                  struct ens_error *err)
{
    struct ens_stage def;
    enum ens_status s = ens_stage_decode(&def, payload, n, err);
    int runs_ok, bad = 0;

    if (s != ENS_OK)
        return s;
    def.data_epoch = epoch;
    def.data.name = "stage";
    def.data.name_bytes = strlen("stage");
    runs_ok = cells == NULL || ens_cellmap_runs(cells, &def) == 0;
    if ((def.flags & ENS_STAGE_END) == 0)
        bad = redefine(r, &def, epoch, at, runs_ok);
    if (bad == 0 && def.from != 0)
        bad = add_answer(r, &def, epoch, at, runs_ok);
    else
        ens_stage_fini(&def);
    return bad == 0 ? ENS_OK : no_memory(err);
}

static void make_stale(struct ens_replay *r, struct ens_replay_stage *s)
{
    for (size_t i = 0; i < r->n_answers; i++)
        if (r->answer[i].def.from == s->id)
            r->answer[i].stale = 1;
    s->n_fresh = 0;
}

size_t ens_replay_answers(const struct ens_replay *r, uint64_t from,
                          uint64_t from_definition, uint64_t run_settings,
                          const struct ens_replay_answer **out, size_t max)
{
    size_t end = r->n_answers, first, n = 0;

    for (; end > 0; end = first) {
        const struct ens_replay_answer *a = &r->answer[end - 1];
        int ok = !a->stale && a->def.from == from &&
                 a->def.from_definition == from_definition &&
                 a->def.run_settings == run_settings;

        for (first = end; first > 0 && r->answer[first - 1].group == a->group;
             first--)
            ok = ok && r->answer[first - 1].runs_ok;
        if (ok)
            break;
    }
    for (size_t i = end == 0 ? 0 : first; i < end && n < max; i++)
        out[n++] = &r->answer[i];
    return n;
}

static int is_later(const struct ens_log_at *a, const struct ens_log_at *b)
{
    return a->segment != b->segment ? a->segment > b->segment
                                    : a->offset > b->offset;
}

/* Another version of the stage that has written its arrays, after `last`. */
static int has_version(const struct ens_replay *r,
                       const struct ens_stage *stage,
                       const struct ens_log_at *last)
{
    for (size_t i = 0; i < r->n_stages; i++) {
        const struct ens_replay_stage *s = &r->stage[i];

        if (s->id == stage->id || strcmp(s->def.key, stage->key) != 0 ||
            !is_later(&s->last, last))
            continue;
        for (size_t k = 0; k < s->def.n_writes; k++)
            if (ens_stage_writes(stage, s->def.writes[k]))
                return 1;
    }
    return 0;
}

int ens_replay_overwritten(const struct ens_replay *r,
                           const struct ens_stage *stage)
{
    struct ens_log_at last = {0, 0};

    for (size_t i = 0; i < r->n_stages; i++)
        if (r->stage[i].id == stage->id)
            last = r->stage[i].last;
    return has_version(r, stage, &last);
}

int ens_replay_has_versions(const struct ens_replay *r,
                            const struct ens_stage *stage)
{
    return has_version(r, stage, &(struct ens_log_at){0, 0});
}

/* -- attempts: ascending by (stage, cell, replicate) --------------------- */
static int compare(const struct ens_replay_attempt *a, uint64_t stage,
                   uint64_t cell, uint32_t replicate)
{
    if (a->stage != stage)
        return a->stage < stage ? -1 : 1;
    if (a->cell != cell)
        return a->cell < cell ? -1 : 1;
    return (a->replicate > replicate) - (a->replicate < replicate);
}

/* First attempt that is not below the key. */
static size_t seek(const struct ens_replay *r, uint64_t stage, uint64_t cell,
                   uint32_t replicate)
{
    size_t lo = 0, hi = r->n_attempts;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (compare(&r->attempt[mid], stage, cell, replicate) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int is_at(const struct ens_replay *r, size_t i, uint64_t stage,
                 uint64_t cell, uint32_t replicate)
{
    return i < r->n_attempts &&
           compare(&r->attempt[i], stage, cell, replicate) == 0;
}

uint32_t ens_replay_attempts(const struct ens_replay *r, uint64_t stage,
                             uint64_t cell, uint32_t replicate)
{
    size_t i = seek(r, stage, cell, replicate);

    return is_at(r, i, stage, cell, replicate) ? r->attempt[i].attempts : 0;
}

static void forget(struct ens_replay *r, uint64_t stage, uint64_t cell,
                   uint32_t replicate)
{
    size_t i = seek(r, stage, cell, replicate);

    if (!is_at(r, i, stage, cell, replicate))
        return;
    r->n_attempts--;
    memmove(&r->attempt[i], &r->attempt[i + 1],
            (r->n_attempts - i) * sizeof(r->attempt[0]));
}

void ens_attempt_write(const struct ens_replay_attempt *a, struct ens_buf *out)
{
    ens_buf_u64(out, a->stage);
    ens_buf_u64(out, a->cell);
    ens_buf_u32(out, a->replicate);
    ens_buf_u16(out, (uint16_t)a->attempts);
    ens_buf_u16(out, (uint16_t)a->killed);
}

static enum ens_status charge(struct ens_replay *r,
                              const struct ens_replay_attempt *a,
                              struct ens_error *err)
{
    size_t i = seek(r, a->stage, a->cell, a->replicate);
    struct ens_replay_attempt *p = r->attempt;

    if (!is_at(r, i, a->stage, a->cell, a->replicate)) {
        p = room(p, r->n_attempts, sizeof(*p));
        if (p == NULL)
            return no_memory(err);
        r->attempt = p;
        memmove(&p[i + 1], &p[i], (r->n_attempts - i) * sizeof(*p));
        r->n_attempts++;
    }
    p[i] = *a;
    return ENS_OK;
}

enum ens_status ens_replay_charge(struct ens_replay *r,
                                  const struct ens_cellmap *cells,
                                  const void *payload, size_t n,
                                  struct ens_error *err)
{
    const unsigned char *p = payload;
    struct ens_replay_attempt a;

    if (n != ATTEMPT_BYTES)
        return ens_fail(err, ENS_ECORRUPT, "attempt: %zu bytes, not %u", n,
                        ATTEMPT_BYTES);
    a.stage = ens_get64(p);
    a.cell = ens_get64(p + 8);
    a.replicate = ens_get32(p + 16);
    a.attempts = ens_get32(p + 20) & 0xffff;
    a.killed = ens_get32(p + 20) >> 16;
    if (cells != NULL)
        a.cell = ens_cellmap_get(cells, a.cell);
    return a.cell >= r->n_cells ? ENS_OK : charge(r, &a, err);
}

/* -- records ------------------------------------------------------------- */
static enum ens_status apply(struct ens_replay *r, struct ens_replay_stage *s,
                             const struct ens_cellmap *cells,
                             const struct ens_batch *b, uint64_t *n_counted,
                             struct ens_error *err)
{
    for (uint32_t i = 0; i < b->n; i++) {
        enum ens_outcome replaced;
        struct ens_record rec;
        uint64_t cell;
        int added;

        ens_batch_get(b, i, &rec);
        if (rec.replicate == 0 || (unsigned)rec.status >= ENS_N_OUTCOMES)
            return ens_fail(err, ENS_ECORRUPT,
                            "record %" PRIu32 ": replicate %" PRIu32
                            ", status %u",
                            i, rec.replicate, (unsigned)rec.status);
        cell = cells != NULL ? ens_cellmap_get(cells, rec.cell) : rec.cell;
        if (cell >= r->n_cells) {
            r->n_unknown++;
            continue;
        }
        added = ens_done_add(s->done, cell, rec.replicate, rec.status, b->round,
                             &replaced);
        if (added < 0)
            return no_memory(err);
        if (added == 0)
            continue;
        ++*n_counted;
        if (r->n_attempts > 0)
            forget(r, s->id, cell, rec.replicate);
    }
    return ENS_OK;
}

enum ens_status ens_replay_records(struct ens_replay *r,
                                   const struct ens_cellmap *cells,
                                   struct ens_log_at at, const void *payload,
                                   size_t n, uint64_t *n_counted,
                                   struct ens_error *err)
{
    struct ens_replay_stage *stage;
    struct ens_batch b;
    uint64_t counted = 0;
    enum ens_status s = ens_batch_read(&b, payload, n, err);

    if (s != ENS_OK)
        return s;
    stage = ens_replay_find(r, b.stage);
    if (stage == NULL)
        return ens_fail(err, ENS_ECORRUPT,
                        "records of stage %016" PRIx64
                        ", which no frame before describes",
                        b.stage);
    s = apply(r, stage, cells, &b, &counted, err);
    r->n_records += b.n;
    if (b.round > r->max_round)
        r->max_round = b.round;
    if (counted > 0) {
        stage->last = at;
        if (stage->n_fresh > 0)
            make_stale(r, stage);
    }
    if (n_counted != NULL)
        *n_counted = counted;
    return s;
}

/* -- the whole journal --------------------------------------------------- */
struct walk {
    struct ens_replay *r;
    struct ens_cellmap cells;
};

static enum ens_status take(struct walk *w, uint32_t epoch,
                            struct ens_log_at at, const struct ens_frame *f,
                            struct ens_error *err)
{
    struct ens_replay *r = w->r;
    size_t index;

    switch (f->type) {
    case ENS_FRAME_RECORDS:
        if (w->cells.list_hash == 0)
            return ens_fail(err, ENS_ECORRUPT,
                            "records before any list of cells");
        return ens_replay_records(r, &w->cells, at, f->payload, f->length, NULL,
                                  err);
    case ENS_FRAME_CELLS: {
        enum ens_status s =
            ens_cellmap_read(&w->cells, f->payload, f->length, err);

        r->cells_hash = w->cells.list_hash;
        return s;
    }
    case ENS_FRAME_SCHEMA:
        return ens_schemas_add_encoded(&r->schemas, f->payload, f->length,
                                       &index, err);
    case ENS_FRAME_STAGE:
        return ens_replay_define(r, &w->cells, epoch, at, f->payload, f->length,
                                 err);
    case ENS_FRAME_ATTEMPT:
        return ens_replay_charge(r, &w->cells, f->payload, f->length, err);
    default: /* SEGMENT and COMMIT are the log's; later types are unknown */
        return ENS_OK;
    }
}

static enum ens_status visit(void *arg, const struct ens_segment *segment,
                             struct ens_log_at at,
                             const struct ens_frame *frame,
                             struct ens_error *err)
{
    enum ens_status s = take(arg, segment->epoch, at, frame, err);

    return s == ENS_OK
               ? s
               : ens_wrap(err, s, "%s at %" PRIu64, segment->path, at.offset);
}

enum ens_status ens_replay_build(struct ens_replay *r,
                                 const struct ens_study *study,
                                 const struct ens_log *log, const char *dir,
                                 int use_checkpoint, struct ens_error *err)
{
    struct ens_log_at from;
    struct ens_replay made;
    struct walk w = {&made, {0}};
    enum ens_status s = ENS_OK;
    int loaded = 0;

    memset(&made, 0, sizeof(made));
    ens_cellmap_init(&w.cells, study);
    made.study = study;
    made.n_cells = w.cells.n_cells;
    made.study_hash = w.cells.study_hash;
    if (use_checkpoint)
        s = ens_checkpoint_load(&made, log, dir, &from, &loaded, err);
    else
        s = ens_checkpoint_check(log, dir, err);
    if (loaded) { /* written by an epoch whose list is the present one */
        w.cells.list_hash = w.cells.study_hash;
        w.cells.n_list = w.cells.n_read = w.cells.n_cells;
    }
    if (s == ENS_OK)
        s = ens_log_walk(log, loaded ? &from : NULL, visit, &w, err);
    ens_cellmap_fini(&w.cells);
    if (s != ENS_OK) {
        ens_replay_fini(&made);
        return s;
    }
    *r = made;
    return ENS_OK;
}

enum ens_status ens_cells_write(
    const struct ens_study *study,
    enum ens_status (*put)(void *arg, const void *payload, size_t n), void *arg)
{
    uint64_t hash = ens_study_cells_hash(study), k = 0;
    uint64_t n_cells = ens_study_n_cells(study);
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ENS_OK;

    do {
        uint64_t n = n_cells - k < CELLS_PART ? n_cells - k : CELLS_PART;

        ens_buf_clear(&b);
        ens_buf_u64(&b, hash);
        ens_buf_u64(&b, n_cells);
        ens_buf_u64(&b, k);
        ens_buf_u32(&b, (uint32_t)n);
        ens_buf_u32(&b, 0);
        for (uint64_t end = k + n; k < end; k++) {
            struct ens_cell cell;

            ens_study_cell(study, k, &cell);
            ens_buf_u64(&b, cell.hash[0]);
            ens_buf_u64(&b, cell.hash[1]);
        }
        s = b.failed ? ENS_ENOMEMORY : put(arg, b.data, b.len);
    } while (s == ENS_OK && k < n_cells);
    ens_buf_fini(&b);
    return s;
}
