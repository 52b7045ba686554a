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
    struct tracked *item;
    size_t last; /* the cell asked for last is often the next one */
    size_t early_bytes;
    uint64_t turn;
    struct ens_error failure;
};

struct ens_tracker *ens_tracker_new(const struct ens_tracker_config *config)
{
    struct ens_tracker *t = calloc(1, sizeof(*t));

    if (t != NULL)
        t->config = *config;
    return t;
}

static void drop(struct ens_tracker *t, struct tracked *x)
{
    for (size_t i = 0; i < x->n_early; i++) {
        t->early_bytes -= x->early[i]->bytes;
        free(x->early[i]);
    }
    free(x->early);
    ens_follow_fini(&x->follow);
    *x = t->item[--t->n];
}

void ens_tracker_free(struct ens_tracker *t)
{
    if (t == NULL)
        return;
    while (t->n > 0)
        drop(t, &t->item[t->n - 1]);
    free(t->item);
    free(t);
}

static struct tracked *find(const struct ens_tracker *t, uint64_t cell)
{
    if (t->last < t->n && t->item[t->last].follow.cell == cell)
        return &t->item[t->last];
    for (size_t i = 0; i < t->n; i++)
        if (t->item[i].follow.cell == cell) {
            ((struct ens_tracker *)t)->last = i;
            return &t->item[i];
        }
    return NULL;
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

/* After it was added to: has it stopped, is more wanted? */
static void settle(struct ens_tracker *t, struct tracked *x, uint32_t check)
{
    uint64_t cell = x->follow.cell;
    uint32_t at = ens_stopping_at(t->config.stopping, cell);

    t->turn += at > 0 || x->follow.check != check;
    if (at == 0)
        return;
    drop(t, x);
    if (t->config.stopped != NULL)
        t->config.stopped(t->config.arg, cell, at);
}

void ens_tracker_enter(struct ens_tracker *t, uint64_t cell)
{
    size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
    struct ens_error err = {0};
    struct tracked *p = t->item;
    enum ens_status s = ENS_OK;

    ENS_BUG_ON(find(t, cell) != NULL);
    if (t->n == t->cap) {
        p = realloc(t->item, cap * sizeof(*p));
        if (p == NULL) {
            ens_fail(&err, ENS_ENOMEMORY, "[stop]: out of memory");
            fail(t, &err);
            return;
        }
        t->item = p;
        t->cap = cap;
    }
    p = &t->item[t->n];
    memset(p, 0, sizeof(*p));
    s = ens_follow_init(&p->follow, t->config.stopping, cell,
                        ens_stage_replicates(t->config.stage, cell), &err);
    if (s == ENS_OK) {
        t->n++;
        s = go_on(t, p, &err);
    }
    if (s != ENS_OK)
        fail(t, &err);
    else
        settle(t, p, p->follow.check);
}

void ens_tracker_leave(struct ens_tracker *t, uint64_t cell)
{
    struct tracked *x = find(t, cell);

    if (x != NULL)
        drop(t, x);
}

uint32_t ens_tracker_wanted(const struct ens_tracker *t, uint64_t cell)
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

const struct ens_stopping *ens_tracker_stopping(const struct ens_tracker *t)
{
    return t->config.stopping;
}

const struct ens_error *ens_tracker_failure(const struct ens_tracker *t)
{
    return t->failure.status != ENS_OK ? &t->failure : NULL;
}
