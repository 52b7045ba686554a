#include "config/grid.h"

#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"
#include "config/names.h"
#include "config/value_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_MAX 20u /* of one column: a wrong file has one per line */

size_t ens_grid_find(const struct ens_grid *g, const char *key)
{
    size_t i = 0;

    while (g != NULL && i < g->n_keys && strcmp(g->key[i], key) != 0)
        i++;
    return i;
}

void ens_grid_error(struct ens_resolve *r, const char *section,
                    const struct ens_grid *g, size_t at, const char *text)
{
    if (g->file != NULL)
        ens_diag_add(&r->diag, g->pos, "[%.80s] grid: %.200s:%u: %s", section,
                     g->file, (unsigned)g->line[at], text);
    else if (at == 0)
        ens_diag_add(&r->diag, g->pos, "[%.80s] grid: %s", section, text);
    else
        ens_diag_add(&r->diag, g->pos, "[%.80s] grid: combination %zu: %s",
                     section, at, text);
}

/* -- the different values of a column ---------------------------------------
 */

struct value_at {
    const char *text;
    uint32_t i;
};

static int by_text(const void *a, const void *b)
{
    const struct value_at *x = a;
    const struct value_at *y = b;
    int c = strcmp(x->text, y->text);

    return c != 0 ? c : x->i < y->i ? -1 : x->i > y->i;
}

/* pick[i] = number of value i among the different ones, in the order they
 * appear; returns how many there are. first: room for n. */
static size_t number_values(const struct ens_value *v, size_t n,
                            struct value_at *sorted, uint32_t *pick)
{
    size_t n_different = 0;

    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct value_at){v[i].text, (uint32_t)i};
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++)
        pick[sorted[i].i] =
            i > 0 && strcmp(sorted[i].text, sorted[i - 1].text) == 0
                ? pick[sorted[i - 1].i]
                : sorted[i].i; /* where it appears first */
    for (size_t i = 0; i < n; i++)
        pick[i] = pick[i] == i ? (uint32_t)n_different++ : pick[pick[i]];
    return n_different;
}

static void keep_values(struct ens_resolve *r, struct ens_key *key,
                        const struct ens_grid *g, const struct ens_value *v)
{
    struct ens_arena *a = r->context.arena;
    struct value_at *sorted = calloc(g->n, sizeof(*sorted));
    uint32_t *pick = ens_arena_alloc(a, g->n, sizeof(*pick));
    struct ens_value *kept = NULL;
    size_t n = 0;

    if (sorted != NULL && pick != NULL) {
        n = number_values(v, g->n, sorted, pick);
        kept = ens_arena_alloc(a, n, sizeof(*kept));
    }
    free(sorted);
    if (kept == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    for (size_t i = 0; i < g->n; i++)
        kept[pick[i]] = v[i];
    key->value = (struct ens_values){n, kept};
    if (n > 1) { /* else it is no axis */
        key->grid = g;
        key->pick = pick;
    }
}

static enum ens_status parse_field(struct ens_resolve *r,
                                   const struct ens_setting *s,
                                   const char *text, struct ens_value *v,
                                   struct ens_error *err)
{
    struct ens_setting one = *s;
    struct ens_values parsed;
    enum ens_status st;

    one.shape = ENS_ONE;
    if (*text == '\0')
        return ens_fail(err, ENS_ESTUDY, "no value");
    st = ens_value_parse(&r->context, &one, text, &parsed, err);
    if (st == ENS_OK)
        *v = parsed.v[0];
    return st;
}

static int drew_no_integer(const struct ens_grid *g,
                           const struct ens_setting *s, const char *text)
{
    int64_t ignored;

    return g->is_random && s->type == ENS_T_INT &&
           ens_number_parse_i64(text, strlen(text), &ignored) != 0;
}

void ens_grid_fill(struct ens_resolve *r, const struct ens_row *row,
                   struct ens_key *key, const struct ens_grid *g)
{
    size_t column = ens_grid_find(g, key->s->key);
    struct ens_value *v = calloc(g->n, sizeof(*v));
    size_t n_errors = 0;
    size_t most = g->is_random ? 1 : ERRORS_MAX;

    if (v == NULL)
        r->diag.no_memory = 1;
    for (size_t i = 0; v != NULL && i < g->n && n_errors < most; i++) {
        char text[sizeof(((struct ens_error *)NULL)->text) + 128];
        struct ens_error err;
        enum ens_status st = parse_field(
            r, key->s, g->text[i * g->n_keys + column], &v[i], &err);

        if (st == ENS_ENOMEMORY)
            r->diag.no_memory = 1;
        if (st == ENS_OK || st == ENS_ENOMEMORY)
            continue;
        snprintf(text, sizeof(text), "%.80s: %s%s", key->s->key, err.text,
                 drew_no_integer(g, key->s, g->text[i * g->n_keys + column])
                     ? "; randint(a, b) draws integers"
                     : "");
        ens_grid_error(r, row->section, g, i + 1, text);
        n_errors++;
    }
    key->pos = g->pos;
    if (n_errors == 0 && !r->diag.no_memory) {
        keep_values(r, key, g, v);
        ens_key_default(r, row, key);
    }
    free(v);
}

/* -- checks -----------------------------------------------------------------
 */

static int is_axis(const struct ens_setting *s)
{
    return s->shape == ENS_AXIS &&
           (s->cls == ENS_C_CELL || s->cls == ENS_C_DATA);
}

static void check_column(struct ens_resolve *r, const struct ens_row *row,
                         const struct ens_tables *t, const struct ens_grid *g,
                         const char *name)
{
    const struct ens_setting *s = ens_tables_find(t, name);
    char text[800];
    struct ens_near near;

    if (s != NULL && is_axis(s))
        return;
    ens_near_init(&near, s != NULL ? "" : name);
    for (size_t i = 0; i < row->n_keys; i++)
        if (is_axis(row->key[i].s))
            ens_near_add(&near, row->key[i].s->key);
    snprintf(text, sizeof(text), "%.80s: %s; %s", name,
             s != NULL ? "takes one value for all cells of the section"
                       : "is no key of the section",
             ens_near_text(&near));
    ens_grid_error(r, row->section, g, 0, text);
}

struct combination {
    uint64_t hash;
    size_t i;
};

static int by_hash(const void *a, const void *b)
{
    const struct combination *x = a;
    const struct combination *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

static int is_same(const struct ens_row *row, const struct ens_grid *g,
                   size_t i, size_t k)
{
    for (size_t j = 0; j < row->n_keys; j++)
        if (row->key[j].grid == g && row->key[j].pick[i] != row->key[j].pick[k])
            return 0;
    return 1;
}

static void check_repeats(struct ens_resolve *r, const struct ens_row *row,
                          const struct ens_grid *g)
{
    struct combination *c = calloc(g->n, sizeof(*c));
    size_t n_errors = 0;

    if (c == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    for (size_t i = 0; i < g->n; i++) {
        c[i].i = i;
        for (size_t j = 0; j < row->n_keys; j++)
            if (row->key[j].grid == g)
                c[i].hash = ens_hash64_pair(c[i].hash, row->key[j].pick[i]);
    }
    qsort(c, g->n, sizeof(*c), by_hash);
    for (size_t i = 1; i < g->n && n_errors < ERRORS_MAX; i++) {
        char text[80];

        if (c[i].hash != c[i - 1].hash || !is_same(row, g, c[i].i, c[i - 1].i))
            continue;
        snprintf(text, sizeof(text), "the same combination as %s %zu",
                 g->file != NULL ? "line" : "number",
                 g->file != NULL ? (size_t)g->line[c[i - 1].i + 1]
                                 : c[i - 1].i + 1);
        ens_grid_error(r, row->section, g, c[i].i + 1, text);
        n_errors++;
    }
    free(c);
}

void ens_grid_check(struct ens_resolve *r, const struct ens_row *row,
                    const struct ens_tables *t, const struct ens_grid *g)
{
    size_t before = r->diag.n;

    for (size_t i = 0; i < g->n_keys; i++)
        check_column(r, row, t, g, g->key[i]);
    /* only where all columns were read is it known what is the same */
    for (size_t i = 0; i < row->n_keys; i++)
        if (ens_grid_find(g, row->key[i].s->key) < g->n_keys &&
            !row->key[i].value.v->set)
            return;
    if (r->diag.n == before && !r->diag.no_memory)
        check_repeats(r, row, g);
}

/* -- writing ----------------------------------------------------------------
 */

void ens_grid_write(struct ens_key *const *axis, size_t n, struct ens_buf *out)
{
    ens_buf_puts(out, "grid = (");
    for (size_t k = 0; k < n; k++)
        ens_buf_printf(out, "%s%s", k > 0 ? ", " : "", axis[k]->s->key);
    ens_buf_puts(out, ")");
    for (size_t i = 0; i < axis[0]->grid->n; i++) {
        ens_buf_puts(out, ",\n    (");
        for (size_t k = 0; k < n; k++) {
            ens_buf_puts(out, k > 0 ? ", " : "");
            ens_element_write(axis[k]->s,
                              axis[k]->value.v[axis[k]->pick[i]].text, out);
        }
        ens_buf_puts(out, ")");
    }
    ens_buf_puts(out, "\n");
}
