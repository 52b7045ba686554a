/* Blocks of finished tasks that are not there any more: found by the digests
 * in their records, made again by the tasks themselves.
 *
 * What reads blocks is a stage with tasks to run (arrays it reads) or `next`
 * of the present stage (its own): only for those scratch is looked at. The
 * stages to be restored may read scratch themselves, so the chain is followed
 * down; the first one of it runs first, and then all are looked at again. */
#include "base/hash.h"
#include "run/state.h"
#include "store/array.h"
#include "store/places.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is known of a stage's blocks, and what is wanted: those of its arrays
 * that are kept, and of its scratch, are there. Shifted by TRIED: its tasks
 * have run again for them. */
enum { KEPT = 1, SCRATCH = 2, TRIED = 2 };

void ens_restore_fini(struct ens_run *r)
{
    free(r->restore.place);
    free(r->restore.state);
    r->restore.place = NULL;
    r->restore.state = NULL;
}

/* Blocks that this epoch writes are there. */
int ens_restore_note(struct ens_run *r)
{
    struct ens_restore *re = &r->restore;

    if (r->n_chain > re->cap) {
        unsigned char *p = realloc(re->state, 2 * r->n_chain);

        if (p == NULL)
            return -1;
        re->state = p;
        re->cap = 2 * r->n_chain;
    }
    re->state[r->n_chain - 1] =
        r->stage.n_writes == 0 ||
                ens_chain_count(r, &r->stage, r->done, ENS_N_OUTCOMES) == 0
            ? KEPT | SCRATCH
            : 0;
    return 0;
}

static int is_scratch(const struct ens_run *r, const char *array)
{
    const struct ens_array_def *def = ens_plan_find_array(&r->plan, array);

    return def != NULL && !def->keep;
}

static int writes_scratch(const struct ens_run *r, const struct ens_stage *st)
{
    for (size_t i = 0; i < st->n_writes; i++)
        if (is_scratch(r, st->writes[i]))
            return 1;
    return 0;
}

int ens_restore_is_due(const struct ens_run *r)
{
    return !(r->restore.state[r->n_chain - 1] & SCRATCH) &&
           writes_scratch(r, &r->stage);
}

/* -- which stages ---------------------------------------------------------- */

/* The stages that wrote the scratch that stage k reads. */
static void want_sources(const struct ens_run *r, size_t k,
                         unsigned char *wanted)
{
    const struct ens_stage *st = &r->chain[k];

    for (size_t i = 0; i < st->n_reads; i++)
        if (is_scratch(r, st->reads[i])) {
            size_t w = ens_chain_writer(r, k, st->reads[i]);

            if (w < k)
                wanted[w] |= SCRATCH;
        }
}

/* -- are a stage's blocks what its records say? ---------------------------- */

struct map { /* an array of a cell */
    uint64_t cell;
    void *base; /* NULL: there is none */
    uint64_t bytes, n;
    const unsigned char *data;
};

struct look {
    struct ens_run *r;
    const struct ens_stage *stage;
    int wanted;
    struct map map[ENS_STAGE_MAX_ARRAYS]; /* as stage->writes */
    size_t cap;                           /* of r->restore.place */
};

static enum ens_status map_array(struct look *l, size_t i,
                                 const struct ens_cell *cell,
                                 struct ens_error *err)
{
    struct map *m = &l->map[i];
    struct ens_view v;
    enum ens_status s;

    if (m->cell == cell->ordinal)
        return ENS_OK;
    ens_array_unmap(m->base, m->bytes);
    *m = (struct map){.cell = UINT64_MAX};
    s = ens_array_map_any(l->r->dir, l->stage->writes[i], cell->hash[0], &v,
                          &m->base, &m->bytes, err);
    if (s != ENS_OK && s != ENS_ENOTFOUND)
        return s;
    m->cell = cell->ordinal;
    if (s == ENS_ENOTFOUND)
        return ENS_OK;
    m->n = 1;
    for (uint32_t d = 0; d < v.ndim; d++)
        m->n *= v.shape[d];
    m->data = v.data;
    return ENS_OK;
}

/* *good is cleared when the block is another one than was recorded. */
static enum ens_status check_block(struct look *l, size_t i,
                                   const struct ens_cell *cell,
                                   uint32_t replicate, uint64_t digest,
                                   int *good, struct ens_error *err)
{
    const char *name = l->stage->writes[i];
    const struct map *m = &l->map[i];
    uint64_t first, n;
    enum ens_status s = map_array(l, i, cell, err);

    if (s != ENS_OK)
        return s;
    s = ens_plan_array_region(&l->r->plan, name, cell, replicate, &first, &n);
    if (s != ENS_OK)
        return ens_fail(err, s, "array %s has no region", name);
    *good = *good && m->base != NULL && n <= m->n && first <= m->n - n &&
            ens_hash64(m->data + 8 * first, (size_t)n * 8) == digest;
    return ENS_OK;
}

static size_t find_array(const struct ens_stage *st,
                         const struct ens_item_view *item)
{
    size_t i = 0;

    while (i < st->n_writes &&
           (item->length != 8 + strlen(st->writes[i]) ||
            memcmp(item->bytes + 8, st->writes[i], item->length - 8) != 0))
        i++;
    return i;
}

static enum ens_status check_task(struct look *l, const struct ens_record *rec,
                                  int *good, struct ens_error *err)
{
    struct ens_item_view item;
    struct ens_cell cell;
    enum ens_status s = ENS_OK;
    size_t at = 0;

    ens_study_cell(l->r->study, rec->cell, &cell);
    *good = 1;
    while (s == ENS_OK && ens_item_next(rec, &at, &item)) {
        struct ens_cursor c = ens_cursor(item.bytes, item.length);
        size_t i = item.type == ENS_ITEM_BLOCK ? find_array(l->stage, &item)
                                               : l->stage->n_writes;

        if (i < l->stage->n_writes &&
            (l->wanted &
             (is_scratch(l->r, l->stage->writes[i]) ? SCRATCH : KEPT)))
            s = check_block(l, i, &cell, rec->replicate, ens_cursor_u64(&c),
                            good, err);
    }
    return s;
}

static int add_place(struct look *l, uint64_t place)
{
    struct ens_restore *re = &l->r->restore;

    if (re->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        uint64_t *p = realloc(re->place, cap * sizeof(*p));

        if (p == NULL)
            return -1;
        re->place = p;
        l->cap = cap;
    }
    re->place[re->n++] = place;
    return 0;
}

/* Of the tasks that are not ok, another version may have filled the blocks
 * that are kept; it is the present stage then. */
static enum ens_status check_all(struct look *l, const struct ens_places *p,
                                 struct ens_error *err)
{
    uint64_t n = ens_stage_n_tasks(l->stage);
    enum ens_status s = ENS_OK;

    for (uint64_t place = 0; s == ENS_OK && place < n; place++) {
        struct ens_record rec;
        uint32_t epoch;
        int good = 1;

        if (atomic_load(&l->r->hurry))
            return ENS_OK;
        if (!ens_places_get(p, place, &rec, &epoch))
            continue;
        if (rec.status == ENS_TASK_OK)
            s = check_task(l, &rec, &good, err);
        else if (l->wanted & KEPT)
            s = ens_blocks_fill(l->r, rec.cell, rec.replicate, err);
        if (s == ENS_OK && !good && add_place(l, place) != 0)
            s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    return s;
}

static enum ens_status check_stage(struct ens_run *r, size_t k, int wanted,
                                   struct ens_error *err)
{
    struct look l = {.r = r, .stage = &r->chain[k], .wanted = wanted};
    struct ens_places *p;
    struct ens_log log;
    enum ens_status s = ens_log_open(&log, r->dir, &r->restore.end, err);

    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++)
        l.map[i].cell = UINT64_MAX;
    free(r->restore.place);
    r->restore.place = NULL;
    r->restore.n = 0;
    s = ens_places_build(&p, r->dir, &log, NULL, r->study, l.stage, err);
    if (s == ENS_OK) {
        s = check_all(&l, p, err);
        ens_places_free(p);
    }
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++)
        ens_array_unmap(l.map[i].base, l.map[i].bytes);
    ens_log_close(&log);
    return s;
}

void ens_restore_done(struct ens_run *r)
{
    r->restore.running = 0;
    r->restore.state[r->restore.at] |=
        (unsigned char)(r->restore.wanted << TRIED);
}

int ens_restore_ran(const struct ens_run *r, size_t k)
{
    return r->restore.state[k] >> TRIED != 0;
}

/* -- what runs first ------------------------------------------------------- */

static enum ens_status differs(const struct ens_run *r, size_t k,
                               struct ens_error *err)
{
    struct ens_cell cell;
    uint64_t ordinal;
    uint32_t replicate;

    ens_stage_task(&r->chain[k], r->restore.place[0], &ordinal, &replicate);
    ens_study_cell(r->study, ordinal, &cell);
    return ens_fail(err, ENS_ECORRUPT,
                    "%s/%016" PRIx64 ":%" PRIu32 " was run again for its "
                    "arrays, which are not what was recorded (%zu such "
                    "tasks): a limit, another machine or library? --restart "
                    "begins anew",
                    r->chain[k].key, cell.hash[0], replicate, r->restore.n);
}

static enum ens_status look(struct ens_run *r, unsigned char *wanted,
                            struct ens_error *err)
{
    enum ens_status s;
    size_t at = r->n_chain;

    for (size_t k = r->n_chain; k-- > 0;) {
        wanted[k] &= (unsigned char)~r->restore.state[k];
        if (wanted[k] == 0)
            continue;
        s = check_stage(r, k, wanted[k], err);
        if (s != ENS_OK || atomic_load(&r->hurry))
            return s;
        if (r->restore.n > 0 && (r->restore.state[k] & wanted[k] << TRIED))
            return differs(r, k, err);
        if (r->restore.n == 0) {
            r->restore.state[k] |= wanted[k];
            continue;
        }
        at = k;
        want_sources(r, k, wanted);
    }
    r->restore.at = at;
    r->restore.wanted = at < r->n_chain ? wanted[at] : 0;
    /* stages below it were looked at since, and are sound */
    return at < r->n_chain && r->restore.n == 0
               ? check_stage(r, at, wanted[at], err)
               : ENS_OK;
}

enum ens_status ens_restore_look(struct ens_run *r, struct ens_error *err)
{
    size_t last = r->n_chain - 1;
    unsigned char *wanted = calloc(r->n_chain, 1);
    enum ens_status s;

    if (wanted == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (r->restore.asking)
        wanted[last] = SCRATCH;
    else if (ens_replay_has_versions(&r->replay, &r->stage))
        wanted[last] = KEPT;
    if (!r->restore.asking && (ens_chain_is_open(r) || r->only != NULL))
        want_sources(r, last, wanted);
    r->restore.n = 0;
    s = look(r, wanted, err);
    free(wanted);
    return s;
}
