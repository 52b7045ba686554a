#include "stop/tracker.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of records that may wait before nothing more is handed out ahead. */
#define FULL_BYTES ((size_t)32 << 20)

struct early { /* a record before its turn */
    uint32_t replicate;
    struct ens_record rec; /* its bytes behind this struct */
    const struct ens_schema *schema;
    size_t bytes;
};

struct tracked {
    struct ens_follow follow;
    size_t n_early, cap_early;
    struct early **early; /* ascending */
};

struct ens_tracker {
    struct ens_tracker_config config;
    size_t n, cap;
    struct tracked **item; /* ascending by cell */
    size_t last;           /* the cell asked for last is often the next one */
    size_t early_bytes;
    uint64_t turn;
    struct ens_buf turned; /* cells of turns that were not taken, and */
    size_t n_taken;        /* bytes of those that were */
    struct ens_error failure;
};

struct ens_tracker *ens_tracker_new(const struct ens_tracker_config *config)
{
    struct ens_tracker *t = calloc(1, sizeof(*t));

    if (t != NULL)
        t->config = *config;
    return t;
}

static void free_tracked(struct ens_tracker *t, struct tracked *x)
{
    for (size_t i = 0; i < x->n_early; i++) {
        t->early_bytes -= x->early[i]->bytes;
        free(x->early[i]);
    }
    free(x->early);
    ens_follow_fini(&x->follow);
    free(x);
}

void ens_tracker_free(struct ens_tracker *t)
{
    if (t == NULL)
        return;
    while (t->n > 0)
        free_tracked(t, t->item[--t->n]);
    free(t->item);
    ens_buf_fini(&t->turned);
    free(t);
}

/* Place of the first cell that is not before this one. */
static size_t lower(const struct ens_tracker *t, uint64_t cell)
{
    size_t low = 0;
    size_t high = t->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (t->item[mid]->follow.cell < cell)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct tracked *find(struct ens_tracker *t, uint64_t cell)
{
    if (t->last >= t->n || t->item[t->last]->follow.cell != cell)
        t->last = lower(t, cell);
    if (t->last >= t->n || t->item[t->last]->follow.cell != cell)
        return NULL;
    return t->item[t->last];
}

static void drop(struct ens_tracker *t, struct tracked *x)
{
    size_t at = lower(t, x->follow.cell);

    t->n--;
    memmove(t->item + at, t->item + at + 1, (t->n - at) * sizeof(*t->item));
    free_tracked(t, x);
}

static void fail(struct ens_tracker *t, const struct ens_error *err)
{
    if (t->failure.status == ENS_OK)
        t->failure = *err;
}

/* -- records in their turn ---------------------------------------------------
 */

/* The record that waits for this turn; NULL when it has not come. */
static struct early *take_early(struct ens_tracker *t, struct tracked *x,
                                uint32_t replicate)
{
    struct early *e;

    if (x->n_early == 0 || x->early[0]->replicate != replicate)
        return NULL;
    e = x->early[0];
    x->n_early--;
    memmove(x->early, x->early + 1, x->n_early * sizeof(*x->early));
    t->early_bytes -= e->bytes;
    return e;
}

/* Go on with what waits, here and in the journal. */
static enum ens_status go_on(struct ens_tracker *t, struct tracked *x,
                             struct ens_error *err)
{
    struct ens_stopping *s = t->config.stopping;
    enum ens_status status = ENS_OK;
    uint32_t before = UINT32_MAX;

    while (status == ENS_OK && x->follow.seen != before &&
           s->at[x->follow.cell] == 0) {
        struct early *e = take_early(t, x, x->follow.seen + 1);

        before = x->follow.seen;
        if (e != NULL)
            status = ens_follow_add(&x->follow, s, &e->rec, e->schema, err);
        else
            status = ens_follow_stored(
                &x->follow, s, t->config.stored, t->config.done,
                x->n_early > 0 ? x->early[0]->replicate : 0, err);
        free(e);
    }
    return status;
}

static void note_turn(struct ens_tracker *t, uint64_t cell)
{
    struct ens_error err;

    t->turn++;
    ens_buf_put(&t->turned, &cell, sizeof(cell));
    if (t->turned.failed) {
        ens_fail(&err, ENS_ENOMEMORY, "[stop]: out of memory");
        fail(t, &err);
    }
}

/* After it was added to: has it stopped, is more wanted? */
static void settle(struct ens_tracker *t, struct tracked *x, uint32_t check)
{
    uint64_t cell = x->follow.cell;
    uint32_t at = ens_stopping_at(t->config.stopping, cell);

    if (at > 0 || x->follow.check != check)
        note_turn(t, cell);
    if (at == 0)
        return;
    drop(t, x);
    if (t->config.stopped != NULL)
        t->config.stopped(t->config.arg, cell, at);
}

static enum ens_status insert(struct ens_tracker *t, struct tracked *x,
                              struct ens_error *err)
{
    size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
    size_t at = lower(t, x->follow.cell);

    if (t->n == t->cap) {
        struct tracked **p = realloc(t->item, cap * sizeof(struct tracked *));

        if (p == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
        t->item = p;
        t->cap = cap;
    }
    memmove(t->item + at + 1, t->item + at, (t->n - at) * sizeof(*t->item));
    t->item[at] = x;
    t->n++;
    return ENS_OK;
}

static enum ens_status enter(struct ens_tracker *t, uint64_t cell,
                             struct ens_error *err)
{
    struct tracked *x = calloc(1, sizeof(*x));
    uint32_t check;
    enum ens_status s;

    if (x == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
    s = ens_follow_init(&x->follow, t->config.stopping, cell,
                        ens_stage_replicates(t->config.stage, cell), err);
    if (s == ENS_OK)
        s = insert(t, x, err);
    if (s != ENS_OK) {
        free_tracked(t, x);
        return s;
    }
    check = x->follow.check;
    s = go_on(t, x, err);
    if (s == ENS_OK)
        settle(t, x, check);
    return s;
}

void ens_tracker_enter(struct ens_tracker *t, uint64_t cell)
{
    struct ens_error err = {0};

    ENS_BUG_ON(find(t, cell) != NULL);
    if (enter(t, cell, &err) != ENS_OK)
        fail(t, &err);
}

void ens_tracker_leave(struct ens_tracker *t, uint64_t cell)
{
    struct tracked *x = find(t, cell);

    if (x != NULL)
        drop(t, x);
}

uint32_t ens_tracker_wanted(struct ens_tracker *t, uint64_t cell)
{
    const struct tracked *x = find(t, cell);

    return x == NULL ? 0 : x->follow.check;
}

/* Copied: it is lent by the frame it came in. */
static struct early *copy(const struct ens_record *rec,
                          const struct ens_schema *schema)
{
    size_t fields = 8 * rec->n_fields;
    struct early *e = malloc(sizeof(*e) + fields + rec->items_bytes);
    unsigned char *bytes;

    if (e == NULL)
        return NULL;
    bytes = (unsigned char *)(e + 1);
    if (fields > 0)
        memcpy(bytes, rec->fields, fields);
    if (rec->items_bytes > 0)
        memcpy(bytes + fields, rec->items, rec->items_bytes);
    e->replicate = rec->replicate;
    e->rec = *rec;
    e->rec.fields = bytes;
    e->rec.items = bytes + fields;
    e->schema = schema;
    e->bytes = sizeof(*e) + fields + rec->items_bytes;
    return e;
}

static enum ens_status keep(struct ens_tracker *t, struct tracked *x,
                            const struct ens_record *rec,
                            const struct ens_schema *schema,
                            struct ens_error *err)
{
    size_t at = x->n_early, cap = x->cap_early == 0 ? 16 : 2 * x->cap_early;
    struct early *e;

    while (at > 0 && x->early[at - 1]->replicate >= rec->replicate)
        at--;
    if (at < x->n_early && x->early[at]->replicate == rec->replicate)
        return ENS_OK; /* the first one counts */
    if (x->n_early == x->cap_early) {
        struct early **p = realloc(x->early, cap * sizeof(struct early *));

        if (p == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
        x->early = p;
        x->cap_early = cap;
    }
    e = copy(rec, schema);
    if (e == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
    memmove(x->early + at + 1, x->early + at,
            (x->n_early - at) * sizeof(*x->early));
    x->early[at] = e;
    x->n_early++;
    t->early_bytes += e->bytes;
    return ENS_OK;
}

void ens_tracker_add(struct ens_tracker *t, const struct ens_record *rec,
                     const struct ens_schema *schema)
{
    struct tracked *x = find(t, rec->cell);
    struct ens_error err = {0};
    uint32_t check;
    enum ens_status s;

    if (x == NULL || rec->replicate <= x->follow.seen ||
        rec->replicate > x->follow.max || t->failure.status != ENS_OK)
        return;
    check = x->follow.check;
    if (rec->replicate > x->follow.seen + 1) {
        s = keep(t, x, rec, schema, &err);
    } else {
        s = ens_follow_add(&x->follow, t->config.stopping, rec, schema, &err);
        if (s == ENS_OK)
            s = go_on(t, x, &err);
    }
    if (s != ENS_OK)
        fail(t, &err);
    else
        settle(t, x, check);
}

int ens_tracker_is_full(const struct ens_tracker *t)
{
    return t->early_bytes > FULL_BYTES;
}

uint64_t ens_tracker_turn(const struct ens_tracker *t)
{
    return t->turn;
}

int ens_tracker_take_turn(struct ens_tracker *t, uint64_t *cell)
{
    if (t->n_taken == t->turned.len) {
        ens_buf_clear(&t->turned);
        t->n_taken = 0;
        return 0;
    }
    memcpy(cell, t->turned.data + t->n_taken, sizeof(*cell));
    t->n_taken += sizeof(*cell);
    return 1;
}

const struct ens_error *ens_tracker_failure(const struct ens_tracker *t)
{
    return t->failure.status != ENS_OK ? &t->failure : NULL;
}
