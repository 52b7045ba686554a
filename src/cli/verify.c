#include "cli/verify.h"

#include "base/hash.h"
#include "store/array.h"
#include "store/cellmap.h"
#include "store/checkpoint.h"
#include "store/pack.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void problem(struct ens_verify *v, const char *fmt, ...)
    ENS_PRINTF(2, 3);

static void problem(struct ens_verify *v, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    v->n_problems++;
    v->problem(v->arg, text);
}

/* -- journal --------------------------------------------------------------- */

struct duplicate { /* a task that has more than one record in a round */
    uint64_t stage, cell;
    uint32_t replicate, round;
    int seen; /* in the second walk: hash is that of the first record */
    uint64_t hash;
};

struct seen { /* of one stage */
    uint64_t id;
    struct ens_done *done;
};

struct walk {
    struct ens_verify *v;
    struct ens_cellmap map;
    struct ens_schemas schemas;
    size_t n_stages;
    struct seen *stage;
    size_t n_dups, cap_dups;
    struct duplicate *dup;
};

static struct ens_done *done_of(struct walk *w, uint64_t id)
{
    struct seen *p;

    for (size_t i = 0; i < w->n_stages; i++)
        if (w->stage[i].id == id)
            return w->stage[i].done;
    p = realloc(w->stage, (w->n_stages + 1) * sizeof(*p));
    if (p == NULL)
        return NULL;
    w->stage = p;
    p[w->n_stages].id = id;
    p[w->n_stages].done = ens_done_new();
    return p[w->n_stages++].done;
}

static void check_artifact(struct walk *w, const struct ens_segment *segment,
                           struct ens_log_at at,
                           const struct ens_artifact_ref *ref)
{
    struct ens_error err = {0};
    int fd = -1;
    enum ens_status s =
        ens_pack_open(w->v->r->dir, segment->epoch, ref, &fd, &err);

    w->v->n_artifacts++;
    w->v->artifact_bytes += ref->length;
    if (s == ENS_OK)
        s = ens_pack_check(fd, ref, NULL, NULL, &err);
    if (fd >= 0)
        close(fd);
    if (s != ENS_OK)
        problem(w->v, "%s (artifact %.*s of %s, offset %llu)", err.text,
                ref->name == NULL ? 5 : (int)ref->name_bytes,
                ref->name == NULL ? "stage" : ref->name, segment->path,
                (unsigned long long)at.offset);
}

static enum ens_status note_duplicate(struct walk *w,
                                      const struct ens_record *r, uint64_t cell,
                                      struct ens_error *err)
{
    struct duplicate *d;

    if (w->n_dups == w->cap_dups) {
        size_t cap = w->cap_dups == 0 ? 64 : 2 * w->cap_dups;

        d = realloc(w->dup, cap * sizeof(*d));
        if (d == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        w->dup = d;
        w->cap_dups = cap;
    }
    d = &w->dup[w->n_dups++];
    *d = (struct duplicate){r->stage, cell, r->replicate, r->round, 0, 0};
    return ENS_OK;
}

static enum ens_status check_record(struct walk *w,
                                    const struct ens_segment *segment,
                                    struct ens_log_at at,
                                    const struct ens_record *r,
                                    struct ens_error *err)
{
    uint64_t cell = ens_cellmap_get(&w->map, r->cell);
    struct ens_done *done = done_of(w, r->stage);
    struct ens_item_view item;
    struct ens_artifact_ref ref;
    enum ens_outcome replaced;
    size_t pos = 0;
    int counted;

    w->v->n_records++;
    if (r->status == ENS_TASK_OK &&
        ens_schemas_find(&w->schemas, r->schema) == NULL)
        problem(w->v, "%s: offset %llu: no schema %016llx before this frame",
                segment->path, (unsigned long long)at.offset,
                (unsigned long long)r->schema);
    while (ens_item_next(r, &pos, &item))
        if (item.type == ENS_ITEM_ARTIFACT &&
            ens_artifact_ref_read(&item, &ref))
            check_artifact(w, segment, at, &ref);
    if (cell == ENS_CELL_NONE)
        return ENS_OK; /* it left the study */
    counted = done == NULL ? -1
                           : ens_done_add(done, cell, r->replicate, r->status,
                                          r->round, &replaced);
    if (counted < 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return counted > 0 ? ENS_OK : note_duplicate(w, r, cell, err);
}

static enum ens_status check_records(struct walk *w,
                                     const struct ens_segment *segment,
                                     struct ens_log_at at,
                                     const struct ens_frame *frame,
                                     struct ens_error *err)
{
    struct ens_batch batch;
    enum ens_status s =
        ens_batch_read(&batch, frame->payload, frame->length, err);

    for (uint32_t i = 0; s == ENS_OK && i < batch.n; i++) {
        struct ens_record r;

        ens_batch_get(&batch, i, &r);
        s = check_record(w, segment, at, &r, err);
    }
    return s;
}

static enum ens_status check_stage(struct walk *w,
                                   const struct ens_segment *segment,
                                   struct ens_log_at at,
                                   const struct ens_frame *frame,
                                   struct ens_error *err)
{
    struct ens_stage stage = {0};
    enum ens_status s =
        ens_stage_decode(&stage, frame->payload, frame->length, err);

    if (s != ENS_OK)
        return s;
    if (stage.has_data)
        check_artifact(w, segment, at, &stage.data);
    ens_stage_fini(&stage);
    return ENS_OK;
}

static enum ens_status check_frame(void *arg, const struct ens_segment *segment,
                                   struct ens_log_at at,
                                   const struct ens_frame *frame,
                                   struct ens_error *err)
{
    struct walk *w = arg;
    size_t index;
    enum ens_status s = ENS_OK;

    w->v->n_frames++;
    if (frame->type == ENS_FRAME_CELLS)
        s = ens_cellmap_read(&w->map, frame->payload, frame->length, err);
    else if (frame->type == ENS_FRAME_SCHEMA)
        s = ens_schemas_add_encoded(&w->schemas, frame->payload, frame->length,
                                    &index, err);
    else if (frame->type == ENS_FRAME_STAGE)
        s = check_stage(w, segment, at, frame, err);
    else if (frame->type == ENS_FRAME_RECORDS)
        s = check_records(w, segment, at, frame, err);
    if (s == ENS_ECORRUPT)
        return ens_wrap(err, s, "%s: offset %llu", segment->path,
                        (unsigned long long)at.offset);
    return s;
}

static int by_task(const void *a, const void *b)
{
    const struct duplicate *x = a;
    const struct duplicate *y = b;

    if (x->stage != y->stage)
        return x->stage < y->stage ? -1 : 1;
    if (x->cell != y->cell)
        return x->cell < y->cell ? -1 : 1;
    if (x->replicate != y->replicate)
        return x->replicate < y->replicate ? -1 : 1;
    return (x->round > y->round) - (x->round < y->round);
}

static void compare_record(struct walk *w, const struct ens_segment *segment,
                           struct ens_log_at at, const struct ens_record *r)
{
    struct duplicate key = {
        r->stage, ens_cellmap_get(&w->map, r->cell), r->replicate, r->round, 0,
        0};
    struct duplicate *d =
        bsearch(&key, w->dup, w->n_dups, sizeof(key), by_task);
    uint64_t hash;

    if (d == NULL)
        return;
    while (d > w->dup && by_task(d - 1, &key) == 0)
        d--; /* the first of equal ones holds the hash */
    hash = ens_record_result_hash(r);
    if (!d->seen) {
        d->seen = 1;
        d->hash = hash;
        return;
    }
    w->v->n_duplicates++;
    if (d->hash != hash) {
        struct ens_cell cell;

        ens_study_cell(w->map.study, key.cell, &cell);
        problem(w->v,
                "%s: offset %llu: task %016llx:%u has another result in an "
                "earlier record of round %u",
                segment->path, (unsigned long long)at.offset,
                (unsigned long long)cell.hash[0], r->replicate, r->round);
    }
}

static enum ens_status compare_frame(void *arg,
                                     const struct ens_segment *segment,
                                     struct ens_log_at at,
                                     const struct ens_frame *frame,
                                     struct ens_error *err)
{
    struct walk *w = arg;
    struct ens_batch batch;
    enum ens_status s = ENS_OK;

    if (frame->type == ENS_FRAME_CELLS)
        return ens_cellmap_read(&w->map, frame->payload, frame->length, err);
    if (frame->type != ENS_FRAME_RECORDS)
        return ENS_OK;
    s = ens_batch_read(&batch, frame->payload, frame->length, err);
    for (uint32_t i = 0; s == ENS_OK && i < batch.n; i++) {
        struct ens_record r;

        ens_batch_get(&batch, i, &r);
        compare_record(w, segment, at, &r);
    }
    return s;
}

static void walk_fini(struct walk *w)
{
    for (size_t i = 0; i < w->n_stages; i++)
        ens_done_free(w->stage[i].done);
    free(w->stage);
    free(w->dup);
    ens_schemas_fini(&w->schemas);
    ens_cellmap_fini(&w->map);
}

enum ens_status ens_verify_journal(struct ens_verify *v, struct ens_error *err)
{
    const struct ens_log *log = &v->r->log;
    struct walk w = {.v = v, .schemas = ENS_SCHEMAS_INIT};
    enum ens_status s;

    ens_cellmap_init(&w.map, v->r->loaded.study);
    s = ens_log_walk(log, NULL, check_frame, &w, err);
    if (s == ENS_OK && w.n_dups > 0) {
        qsort(w.dup, w.n_dups, sizeof(*w.dup), by_task);
        ens_cellmap_fini(&w.map);
        ens_cellmap_init(&w.map, v->r->loaded.study);
        s = ens_log_walk(log, NULL, compare_frame, &w, err);
    }
    walk_fini(&w);
    return s;
}

/* -- arrays ---------------------------------------------------------------- */

struct mapped { /* the array of a cell that was looked at last */
    const struct ens_array_def *def;
    uint64_t cell;
    void *base;
    uint64_t bytes, n; /* of the map; elements */
    const unsigned char *data;
};

static void unmap(struct mapped *m)
{
    if (m->base != NULL)
        ens_array_unmap(m->base, m->bytes);
    memset(m, 0, sizeof(*m));
}

/* 0 when it cannot be had; said once per array and cell. */
static int map_array(struct ens_verify *v, struct mapped *m,
                     const struct ens_array_def *def,
                     const struct ens_cell *cell)
{
    struct ens_view view = {0};
    struct ens_error err = {0};
    char path[4096];

    if (m->def == def && m->cell == cell->ordinal)
        return m->data != NULL;
    unmap(m);
    m->def = def;
    m->cell = cell->ordinal;
    ens_array_path(path, sizeof(path), v->r->dir, def->name, cell->hash[0]);
    if (!def->keep && access(path, F_OK) != 0)
        return 0; /* removed when it was no longer needed */
    if (ens_array_map(v->r->dir, def->name, cell->hash[0], &view, &m->base,
                      &m->bytes, &err) != ENS_OK) {
        problem(v, "%s", err.text);
        return 0;
    }
    m->n = 1;
    for (uint32_t i = 0; i < view.ndim; i++)
        m->n *= view.shape[i];
    m->data = view.data;
    return 1;
}

/* Nothing relies on scratch, or on what another version of the stage has
 * written over: a run looks at it before it is read. */
static void check_block(struct ens_verify *v, struct mapped *m,
                        const struct ens_item_view *item,
                        const struct ens_record *r, const struct ens_cell *cell,
                        int overwritten)
{
    struct ens_cursor c = ens_cursor(item->bytes, item->length);
    uint64_t digest = ens_cursor_u64(&c);
    const struct ens_array_def *def;
    uint64_t first = 0;
    uint64_t n = 0;
    char name[ENS_STAGE_KEY_MAX + 1];
    size_t size;
    int is_there;

    snprintf(name, sizeof(name), "%.*s", (int)(c.end - c.p), (const char *)c.p);
    def = ens_plan_find_array(&v->r->plan, name);
    if (c.bad || def == NULL)
        return;
    if (!map_array(v, m, def, cell)) {
        v->n_again += !def->keep;
        return;
    }
    if (ens_plan_array_region(&v->r->plan, name, cell, r->replicate, &first,
                              &n) != ENS_OK)
        n = m->n + 1;
    size = ens_dtype_bytes(def->dtype);
    is_there = n <= m->n && first <= m->n - n &&
               ens_hash64(m->data + first * size, n * size) == digest;
    if (!is_there && (!def->keep || overwritten)) {
        v->n_again++;
        return;
    }
    v->n_blocks++;
    v->block_bytes += n * size;
    if (n > m->n || first > m->n - n)
        problem(v, "arrays/%s.%016llx.npy: block of replicate %u lies outside",
                name, (unsigned long long)cell->hash[0], r->replicate);
    else if (!is_there)
        problem(v,
                "arrays/%s.%016llx.npy: elements %llu to %llu (replicate %u) "
                "are not what was recorded",
                name, (unsigned long long)cell->hash[0],
                (unsigned long long)first, (unsigned long long)(first + n - 1),
                r->replicate);
}

static int is_blank(enum ens_dtype dtype, const unsigned char *p)
{
    uint64_t word;
    double d;

    memcpy(&word, p, 8);
    memcpy(&d, p, 8);
    return dtype == ENS_DT_F64 ? isnan(d) : word == 0;
}

/* A task that is not ok leaves its blocks as they were made. */
static void check_blank(struct ens_verify *v, struct mapped *m,
                        const char *name, const struct ens_cell *cell,
                        uint32_t replicate)
{
    const struct ens_array_def *def = ens_plan_find_array(&v->r->plan, name);
    uint64_t first = 0;
    uint64_t n = 0;

    if (def == NULL || !def->keep || !map_array(v, m, def, cell) ||
        ens_plan_array_region(&v->r->plan, name, cell, replicate, &first, &n) !=
            ENS_OK ||
        n > m->n || first > m->n - n)
        return;
    for (uint64_t i = first; i < first + n; i++) {
        if (is_blank(def->dtype, m->data + 8 * i))
            continue;
        problem(v,
                "arrays/%s.%016llx.npy: element %llu: replicate %u is not ok, "
                "but its block holds a value",
                name, (unsigned long long)cell->hash[0], (unsigned long long)i,
                replicate);
        return;
    }
}

static void check_blocks(struct ens_verify *v, const struct ens_places *p)
{
    const struct ens_stage *st = ens_places_stage(p);
    uint64_t n = ens_stage_n_tasks(st);
    int overwritten = ens_replay_overwritten(&v->r->replay, st);
    struct ens_cell cell = {0};
    uint64_t last = UINT64_MAX;
    /* the arrays of a stage take turns within a task */
    struct mapped map[ENS_STAGE_MAX_ARRAYS] = {{0}};

    for (uint64_t place = 0; place < n; place++) {
        struct ens_record r;
        struct ens_item_view item;
        uint32_t epoch;
        size_t at = 0;
        size_t k = 0;

        if (!ens_places_get(p, place, &r, &epoch))
            continue;
        if (r.cell != last)
            ens_study_cell(v->r->loaded.study, r.cell, &cell);
        last = r.cell;
        for (size_t i = 0;
             r.status != ENS_TASK_OK && !overwritten && i < st->n_writes; i++)
            check_blank(v, &map[i], st->writes[i], &cell, r.replicate);
        while (ens_item_next(&r, &at, &item))
            if (item.type == ENS_ITEM_BLOCK)
                check_block(v, &map[k++ % ENS_STAGE_MAX_ARRAYS], &item, &r,
                            &cell, overwritten);
    }
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++)
        unmap(&map[i]);
}

enum ens_status ens_verify_arrays(struct ens_verify *v, struct ens_error *err)
{
    struct ens_results *r = v->r;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < r->n_stages && s == ENS_OK; i++) {
        struct ens_places *p;

        if (r->stage[i].def.n_writes == 0)
            continue;
        s = ens_places_build(&p, r->dir, &r->log, NULL, r->loaded.study,
                             &r->stage[i].def, err);
        if (s == ENS_OK) {
            check_blocks(v, p);
            ens_places_free(p);
        }
    }
    return s;
}

/* -- checkpoints ------------------------------------------------------------
 */

void ens_verify_checkpoints(struct ens_verify *v)
{
    enum { MAX = 256 };
    struct ens_checkpoint_info *info = calloc(MAX, sizeof(*info));
    size_t n = info == NULL ? 0 : ens_checkpoint_list(v->r->dir, info, MAX);

    v->n_checkpoints = n;
    for (size_t i = 0; i < n; i++)
        if (!info[i].valid)
            problem(v, "checkpoints/%06u-%06u.ckpt: damaged", info[i].epoch,
                    info[i].number);
    free(info);
}
