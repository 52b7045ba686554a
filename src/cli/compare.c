#include "cli/compare.h"

#include "base/hash.h"
#include "base/number.h"
#include "cli/csv_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TELL_EVERY 4096u /* rows */

/* -- columns
 * ------------------------------------------------------------------------
 */

struct pair { /* a column of both: its places */
    size_t a, b;
    struct ens_compare_column *column;
};

struct work {
    struct ens_compare *c;
    struct ens_csv_file a, b;
    size_t n_keys, n_pairs;
    struct pair *key, *pair;
    uint64_t n_slots, n_indexed; /* index of b: hash and offset + 1 */
    uint64_t *slot;
};

static void add_name(struct ens_buf *b, const char *name, size_t n)
{
    if (b->len > 0)
        ens_buf_puts(b, ",");
    ens_buf_put(b, name, n);
}

static enum ens_status add_key(struct work *w, const char *name, size_t n,
                               struct ens_error *err)
{
    struct pair p = {ens_csv_file_column(&w->a, name, n),
                     ens_csv_file_column(&w->b, name, n), NULL};

    if (p.a == ENS_CSV_NONE || p.b == ENS_CSV_NONE)
        return ens_fail(err, ENS_EUSAGE, "%s has no column %.*s",
                        p.a == ENS_CSV_NONE ? w->a.path : w->b.path, (int)n,
                        name);
    w->key[w->n_keys++] = p;
    add_name(&w->c->key, name, n);
    return ENS_OK;
}

static int both_have(const struct work *w, const char *name)
{
    return ens_csv_file_column(&w->a, name, strlen(name)) != ENS_CSV_NONE &&
           ens_csv_file_column(&w->b, name, strlen(name)) != ENS_CSV_NONE;
}

/* Named by the user; else what identifies a row in our tables. */
static enum ens_status choose_keys(struct work *w, struct ens_error *err)
{
    static const char *const known[][3] = {{"cell", "estimand", "measure"},
                                           {"cell", "replicate", NULL}};
    const char *list = w->c->keys;
    enum ens_status s = ENS_OK;

    w->key = calloc(w->a.head.n + 4, sizeof(*w->key));
    if (w->key == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    while (list != NULL && s == ENS_OK && w->n_keys <= w->a.head.n) {
        size_t n = strcspn(list, ",");

        s = add_key(w, list, n, err);
        list = list[n] == ',' ? list + n + 1 : NULL;
    }
    if (w->c->keys != NULL)
        return s;
    for (size_t i = 0; i < 2; i++) {
        if (!both_have(w, known[i][0]) || !both_have(w, known[i][1]) ||
            (known[i][2] != NULL && !both_have(w, known[i][2])))
            continue;
        if (both_have(w, "stage"))
            s = add_key(w, "stage", 5, err);
        for (size_t k = 0; k < 3 && known[i][k] != NULL && s == ENS_OK; k++)
            s = add_key(w, known[i][k], strlen(known[i][k]), err);
        return s;
    }
    return ens_fail(err, ENS_EUSAGE,
                    "%s: neither a table of tasks nor of cells: name the "
                    "columns that identify a row by --key",
                    w->a.path);
}

static int is_key(const struct work *w, size_t a)
{
    for (size_t i = 0; i < w->n_keys; i++)
        if (w->key[i].a == a)
            return 1;
    return 0;
}

/* In our tables: a position in a study, not a result. */
static int is_label(const struct work *w, const struct ens_csv_field *f)
{
    return w->c->keys == NULL && f->n == 4 && memcmp(f->p, "task", 4) == 0;
}

static enum ens_status pair_columns(struct work *w, struct ens_error *err)
{
    struct ens_compare *c = w->c;

    w->pair = calloc(w->a.head.n, sizeof(*w->pair));
    c->column = calloc(w->a.head.n, sizeof(*c->column));
    if (w->pair == NULL || c->column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < w->a.head.n; i++) {
        const struct ens_csv_field *f = &w->a.head.field[i];
        size_t b = ens_csv_file_column(&w->b, f->p, f->n);
        struct ens_compare_column *column = &c->column[c->n_columns];

        if (is_key(w, i) || is_label(w, f))
            continue;
        if (b == ENS_CSV_NONE) {
            add_name(&c->columns_a, f->p, f->n);
            continue;
        }
        column->name = strndup(f->p, f->n);
        if (column->name == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        w->pair[w->n_pairs++] = (struct pair){i, b, column};
        c->n_columns++;
    }
    for (size_t i = 0; i < w->b.head.n; i++) {
        const struct ens_csv_field *f = &w->b.head.field[i];

        if (!is_label(w, f) &&
            ens_csv_file_column(&w->a, f->p, f->n) == ENS_CSV_NONE)
            add_name(&c->columns_b, f->p, f->n);
    }
    return ENS_OK;
}

/* -- values
 * -------------------------------------------------------------------------
 */

static int same_text(const struct ens_csv_field *a,
                     const struct ens_csv_field *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0 &&
           (a->n > 0 || a->quoted == b->quoted);
}

/* Integers beyond 2^53 differ where their doubles do not. */
static int integers(const struct ens_csv_field *a,
                    const struct ens_csv_field *b, double *diff)
{
    uint64_t u, v;

    if (ens_number_parse_u64(a->p, a->n, &u) != 0 ||
        ens_number_parse_u64(b->p, b->n, &v) != 0)
        return 0;
    *diff = (double)(u > v ? u - v : v - u);
    return 1;
}

/* How far apart: *abs and *rel; infinite for what are not two numbers. */
static void measure(const struct ens_csv_field *a,
                    const struct ens_csv_field *b, double *abs, double *rel)
{
    double x, y, most;

    *abs = *rel = INFINITY;
    if (ens_number_parse(a->p, a->n, &x) != 0 ||
        ens_number_parse(b->p, b->n, &y) != 0)
        return;
    if ((isnan(x) && isnan(y)) || x == y) {
        *abs = *rel = 0;
        if (!integers(a, b, abs) || *abs == 0)
            return;
    } else if (isnan(x) || isnan(y) || isinf(x) || isinf(y)) {
        return;
    } else if (!integers(a, b, abs)) {
        *abs = fabs(x - y);
    }
    most = fmax(fabs(x), fabs(y));
    *rel = *abs / most;
}

static void put_key(const struct work *w, int of_a, struct ens_buf *out)
{
    ens_buf_clear(out);
    for (size_t i = 0; i < w->n_keys; i++) {
        const struct ens_csv_field *f =
            of_a ? &w->a.row.field[w->key[i].a] : &w->b.row.field[w->key[i].b];

        if (i > 0)
            ens_buf_puts(out, " ");
        ens_buf_put(out, f->p, f->n);
    }
}

static void put_value(struct ens_buf *out, const struct ens_csv_field *f)
{
    size_t n = f->n < 60 ? f->n : 60;

    if (f->n == 0)
        ens_buf_puts(out, f->quoted ? "\"\"" : "missing");
    ens_buf_put(out, f->p, n);
    if (n < f->n)
        ens_buf_puts(out, "...");
}

static int compare_value(struct work *w, const struct pair *p)
{
    const struct ens_csv_field *a = &w->a.row.field[p->a];
    const struct ens_csv_field *b = &w->b.row.field[p->b];
    struct ens_compare_column *c = p->column;
    double abs, rel;
    int differs;

    if (same_text(a, b))
        return 0;
    measure(a, b, &abs, &rel);
    if (abs == 0) /* one value, written in two ways */
        return 0;
    differs = !(abs <= w->c->abs || rel <= w->c->rel) || isinf(abs);
    c->n_differ += (uint64_t)differs;
    if (c->row.len == 0 || rel > c->max_rel) {
        put_key(w, 1, &c->row);
        ens_buf_clear(&c->values);
        put_value(&c->values, a);
        ens_buf_puts(&c->values, " and ");
        put_value(&c->values, b);
    }
    c->max_rel = fmax(c->max_rel, rel);
    c->max_abs = fmax(c->max_abs, abs);
    return differs;
}

static void compare_rows(struct work *w)
{
    int differs = 0;

    for (size_t i = 0; i < w->n_pairs; i++)
        differs |= compare_value(w, &w->pair[i]);
    w->c->n_rows++;
    w->c->n_differ += (uint64_t)differs;
}

/* -- rows
 * ---------------------------------------------------------------------------
 */

static int same_key(const struct work *w)
{
    for (size_t i = 0; i < w->n_keys; i++)
        if (!same_text(&w->a.row.field[w->key[i].a],
                       &w->b.row.field[w->key[i].b]))
            return 0;
    return 1;
}

static uint64_t hash_key(const struct work *w, int of_a)
{
    uint64_t h = 0;

    for (size_t i = 0; i < w->n_keys; i++) {
        const struct ens_csv_field *f =
            of_a ? &w->a.row.field[w->key[i].a] : &w->b.row.field[w->key[i].b];

        h = ens_hash64_seed(f->p, f->n, h + 1);
    }
    return h;
}

static int grow(struct work *w)
{
    uint64_t n = w->n_slots == 0 ? 1024 : 2 * w->n_slots;
    uint64_t *p = calloc((size_t)n, 16);

    if (p == NULL)
        return -1;
    for (uint64_t i = 0; i < w->n_slots; i++) {
        uint64_t at = w->slot[2 * i] & (n - 1);

        if (w->slot[2 * i + 1] == 0)
            continue;
        while (p[2 * at + 1] != 0)
            at = (at + 1) & (n - 1);
        p[2 * at] = w->slot[2 * i];
        p[2 * at + 1] = w->slot[2 * i + 1];
    }
    free(w->slot);
    w->slot = p;
    w->n_slots = n;
    return 0;
}

static enum ens_status tell(struct work *w, const char *phase,
                            const struct ens_csv_file *f, struct ens_error *err)
{
    if (w->c->progress != NULL &&
        w->c->progress(w->c->arg, phase, f->row.at, f->size))
        return ens_fail(err, ENS_ESTOPPED, "stopped by a signal");
    return ENS_OK;
}

/* All rows of b from the present one on. */
static enum ens_status index_rest(struct work *w, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    while (w->b.row.n > 0 && s == ENS_OK) {
        uint64_t h = hash_key(w, 0), at;

        if (4 * (w->n_indexed + 1) > 3 * w->n_slots && grow(w) != 0)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory for %llu rows",
                            (unsigned long long)w->n_indexed);
        at = h & (w->n_slots - 1);
        while (w->slot[2 * at + 1] != 0)
            at = (at + 1) & (w->n_slots - 1);
        w->slot[2 * at] = h;
        w->slot[2 * at + 1] = w->b.row.at + 1;
        if (w->n_indexed++ % TELL_EVERY == 0)
            s = tell(w, "indexing", &w->b, err);
        if (s == ENS_OK)
            s = ens_csv_file_read(&w->b, &w->b.row, err);
    }
    return s;
}

#define FOUND (UINT64_C(1) << 63) /* in the offset: matched */

/* The row of b with a's key, the first that was not matched yet; 0 none. */
static enum ens_status find_row(struct work *w, int *found,
                                struct ens_error *err)
{
    uint64_t h = hash_key(w, 1);
    uint64_t at = w->n_slots == 0 ? 0 : h & (w->n_slots - 1);
    enum ens_status s = ENS_OK;

    *found = 0;
    for (; w->n_slots > 0 && w->slot[2 * at + 1] != 0 && s == ENS_OK;
         at = (at + 1) & (w->n_slots - 1)) {
        if (w->slot[2 * at] != h || (w->slot[2 * at + 1] & FOUND))
            continue;
        w->b.row.next = w->slot[2 * at + 1] - 1;
        s = ens_csv_file_read(&w->b, &w->b.row, err);
        if (s != ENS_OK || !same_key(w))
            continue;
        w->slot[2 * at + 1] |= FOUND;
        *found = 1;
        return ENS_OK;
    }
    return s;
}

static void missing(struct work *w, int of_a)
{
    uint64_t *n = of_a ? &w->c->n_only_a : &w->c->n_only_b;

    if ((*n)++ == 0)
        put_key(w, of_a, of_a ? &w->c->first_a : &w->c->first_b);
}

static enum ens_status compare_by_index(struct work *w, struct ens_error *err)
{
    enum ens_status s = index_rest(w, err);
    uint64_t n = 0;

    while (s == ENS_OK && w->a.row.n > 0) {
        int found;

        s = find_row(w, &found, err);
        if (s == ENS_OK && found)
            compare_rows(w);
        else if (s == ENS_OK)
            missing(w, 1);
        if (s == ENS_OK && n++ % TELL_EVERY == 0)
            s = tell(w, "comparing", &w->a, err);
        if (s == ENS_OK)
            s = ens_csv_file_read(&w->a, &w->a.row, err);
    }
    for (uint64_t i = 0; i < w->n_slots && s == ENS_OK; i++) {
        if (w->slot[2 * i + 1] == 0 || (w->slot[2 * i + 1] & FOUND))
            continue;
        w->b.row.next = w->slot[2 * i + 1] - 1;
        s = w->c->n_only_b == 0 ? ens_csv_file_read(&w->b, &w->b.row, err)
                                : ENS_OK;
        if (s == ENS_OK)
            missing(w, 0);
    }
    return s;
}

static enum ens_status compare_all(struct work *w, struct ens_error *err)
{
    enum ens_status s;

    for (uint64_t n = 0;; n++) {
        s = ens_csv_file_read(&w->a, &w->a.row, err);
        if (s == ENS_OK)
            s = ens_csv_file_read(&w->b, &w->b.row, err);
        if (s == ENS_OK && n % TELL_EVERY == 0)
            s = tell(w, "comparing", &w->a, err);
        if (s != ENS_OK || (w->a.row.n == 0 && w->b.row.n == 0))
            return s;
        if (w->a.row.n == 0 || w->b.row.n == 0 || !same_key(w))
            return compare_by_index(w, err);
        compare_rows(w);
    }
}

enum ens_status ens_compare_files(struct ens_compare *c, const char *a,
                                  const char *b, struct ens_error *err)
{
    struct work w = {.c = c};
    enum ens_status s = ens_csv_file_open(&w.a, a, err);

    if (s == ENS_OK)
        s = ens_csv_file_open(&w.b, b, err);
    if (s == ENS_OK)
        s = choose_keys(&w, err);
    if (s == ENS_OK)
        s = pair_columns(&w, err);
    if (s == ENS_OK)
        s = compare_all(&w, err);
    ens_csv_file_close(&w.a);
    ens_csv_file_close(&w.b);
    free(w.key);
    free(w.pair);
    free(w.slot);
    return s;
}

void ens_compare_fini(struct ens_compare *c)
{
    for (size_t i = 0; i < c->n_columns; i++) {
        free(c->column[i].name);
        ens_buf_fini(&c->column[i].row);
        ens_buf_fini(&c->column[i].values);
    }
    free(c->column);
    ens_buf_fini(&c->first_a);
    ens_buf_fini(&c->first_b);
    ens_buf_fini(&c->columns_a);
    ens_buf_fini(&c->columns_b);
    ens_buf_fini(&c->key);
    c->column = NULL;
    c->n_columns = 0;
}

const struct ens_compare_column *ens_compare_worst(const struct ens_compare *c)
{
    const struct ens_compare_column *worst = NULL;

    for (size_t i = 0; i < c->n_columns; i++) {
        const struct ens_compare_column *x = &c->column[i];

        if (x->row.len == 0)
            continue;
        if (worst == NULL || (x->n_differ > 0) > (worst->n_differ > 0) ||
            ((x->n_differ > 0) == (worst->n_differ > 0) &&
             x->max_rel > worst->max_rel))
            worst = x;
    }
    return worst;
}

int ens_compare_differs(const struct ens_compare *c)
{
    return c->n_differ > 0 || c->n_only_a > 0 || c->n_only_b > 0 ||
           c->columns_a.len > 0 || c->columns_b.len > 0;
}
