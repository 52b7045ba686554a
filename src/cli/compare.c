#include "cli/compare.h"

#include "base/hash.h"
#include "base/number.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONE       SIZE_MAX
#define TELL_EVERY 4096u /* rows */

/* -- a table
 * ----------------------------------------------------------------------
 */

struct field {
    const char *p; /* in the map, or in text of the row when it was quoted */
    size_t n;
    int quoted; /* "" is an empty text; nothing at all is missing */
};

struct row {
    size_t n, cap;
    struct field *field;
    struct ens_buf text;
    uint64_t at, next; /* offsets in the file */
};

struct file {
    const char *path;
    const char *data;
    size_t size;
    struct row head, row;
};

static void row_fini(struct row *r)
{
    free(r->field);
    ens_buf_fini(&r->text);
}

static enum ens_status bad_row(const struct file *f, const struct row *r,
                               const char *what, struct ens_error *err)
{
    uint64_t line = 1;

    for (uint64_t i = 0; i < r->at; i++)
        line += f->data[i] == '\n';
    return ens_fail(err, ENS_EINPUT, "%s:%llu: %s", f->path,
                    (unsigned long long)line, what);
}

static int add_field(struct row *r, struct field x)
{
    if (r->n == r->cap) {
        size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
        struct field *p = realloc(r->field, cap * sizeof(*p));

        if (p == NULL)
            return -1;
        r->field = p;
        r->cap = cap;
    }
    r->field[r->n++] = x;
    return 0;
}

/* A quoted field from its opening quote on; NULL: it is never closed. */
static const char *take_quoted(struct row *r, const char *p, const char *end,
                               struct field *to)
{
    size_t begin = r->text.len;

    for (p++;; p++) {
        const char *quote = memchr(p, '"', (size_t)(end - p));

        if (quote == NULL)
            return NULL;
        ens_buf_put(&r->text, p, (size_t)(quote - p));
        p = quote + 1;
        if (p == end || *p != '"')
            break;
        ens_buf_put(&r->text, "\"", 1);
    }
    /* the text may move: an offset until the row is whole */
    *to =
        (struct field){(const char *)(uintptr_t)begin, r->text.len - begin, 1};
    return p;
}

static const char *take_plain(const char *p, const char *end, struct field *to)
{
    const char *begin = p;

    while (p < end && *p != ',' && *p != '\n' && *p != '\r')
        p++;
    *to = (struct field){begin, (size_t)(p - begin), 0};
    return p;
}

/* The row at r->next; r->n 0 at the end of the file. */
static enum ens_status read_row(const struct file *f, struct row *r,
                                struct ens_error *err)
{
    const char *end = f->data + f->size;
    const char *p = f->data + r->next;
    const char *text;

    while (p < end && (*p == '\n' || *p == '\r'))
        r->next = (uint64_t)(++p - f->data); /* empty lines */
    r->at = r->next;
    r->n = 0;
    ens_buf_clear(&r->text);
    while (p < end) {
        struct field x;

        p = *p == '"' ? take_quoted(r, p, end, &x) : take_plain(p, end, &x);
        if (p == NULL)
            return bad_row(f, r, "a quote is not closed", err);
        if (add_field(r, x) != 0 || r->text.failed)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        if (p < end && *p != ',' && *p != '\n' && *p != '\r')
            return bad_row(f, r, "text behind a closing quote", err);
        if (p == end || *p != ',')
            break;
        if (++p == end && add_field(r, (struct field){p, 0, 0}) != 0)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    p += p < end && *p == '\r';
    p += p < end && *p == '\n';
    text = ens_buf_text(&r->text);
    r->next = (uint64_t)(p - f->data);
    for (size_t i = 0; i < r->n; i++)
        if (r->field[i].quoted)
            r->field[i].p = text + (uintptr_t)r->field[i].p;
    if (r != &f->head && r->n > 0 && r->n != f->head.n)
        return bad_row(f, r, "not as many fields as the header", err);
    return ENS_OK;
}

static enum ens_status open_file(struct file *f, const char *path,
                                 struct ens_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p = NULL;
    enum ens_status s;

    f->path = path;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        s = fd < 0 ? ens_fail_errno(err, ENS_EINPUT, "cannot open %s", path)
                   : ens_fail(err, ENS_EINPUT, "%s: not a file", path);
        if (fd >= 0)
            close(fd);
        return s;
    }
    f->size = (size_t)st.st_size;
    if (f->size > 0)
        p = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map %s", path);
    f->data = p;
    s = f->size > 0 ? read_row(f, &f->head, err) : ENS_OK;
    if (s == ENS_OK &&
        (f->head.n == 0 || (f->head.n == 1 && f->head.field[0].n == 0)))
        s = ens_fail(err, ENS_EINPUT, "%s: no header", path);
    f->row.next = f->head.next;
    return s;
}

static void close_file(struct file *f)
{
    row_fini(&f->head);
    row_fini(&f->row);
    if (f->data != NULL)
        munmap((void *)(uintptr_t)f->data, f->size);
}

static size_t find_column(const struct file *f, const char *name, size_t n)
{
    for (size_t i = 0; i < f->head.n; i++)
        if (f->head.field[i].n == n && memcmp(f->head.field[i].p, name, n) == 0)
            return i;
    return NONE;
}

/* -- columns
 * ------------------------------------------------------------------------
 */

struct pair { /* a column of both: its places */
    size_t a, b;
    struct ens_compare_column *column;
};

struct work {
    struct ens_compare *c;
    struct file a, b;
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
    struct pair p = {find_column(&w->a, name, n), find_column(&w->b, name, n),
                     NULL};

    if (p.a == NONE || p.b == NONE)
        return ens_fail(err, ENS_EUSAGE, "%s has no column %.*s",
                        p.a == NONE ? w->a.path : w->b.path, (int)n, name);
    w->key[w->n_keys++] = p;
    add_name(&w->c->key, name, n);
    return ENS_OK;
}

static int both_have(const struct work *w, const char *name)
{
    return find_column(&w->a, name, strlen(name)) != NONE &&
           find_column(&w->b, name, strlen(name)) != NONE;
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

/* Labels are positions in a study, not results. */
static int is_label(const struct field *f)
{
    return f->n == 4 && memcmp(f->p, "task", 4) == 0;
}

static enum ens_status pair_columns(struct work *w, struct ens_error *err)
{
    struct ens_compare *c = w->c;

    w->pair = calloc(w->a.head.n, sizeof(*w->pair));
    c->column = calloc(w->a.head.n, sizeof(*c->column));
    if (w->pair == NULL || c->column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < w->a.head.n; i++) {
        const struct field *f = &w->a.head.field[i];
        size_t b = find_column(&w->b, f->p, f->n);
        struct ens_compare_column *column = &c->column[c->n_columns];

        if (is_key(w, i) || is_label(f))
            continue;
        if (b == NONE) {
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
        const struct field *f = &w->b.head.field[i];

        if (!is_label(f) && find_column(&w->a, f->p, f->n) == NONE)
            add_name(&c->columns_b, f->p, f->n);
    }
    return ENS_OK;
}

/* -- values
 * -------------------------------------------------------------------------
 */

static int same_text(const struct field *a, const struct field *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0 &&
           (a->n > 0 || a->quoted == b->quoted);
}

/* Integers beyond 2^53 differ where their doubles do not. */
static int integers(const struct field *a, const struct field *b, double *diff)
{
    uint64_t u, v;

    if (ens_number_parse_u64(a->p, a->n, &u) != 0 ||
        ens_number_parse_u64(b->p, b->n, &v) != 0)
        return 0;
    *diff = (double)(u > v ? u - v : v - u);
    return 1;
}

/* How far apart: *abs and *rel; infinite for what are not two numbers. */
static void measure(const struct field *a, const struct field *b, double *abs,
                    double *rel)
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
        const struct field *f =
            of_a ? &w->a.row.field[w->key[i].a] : &w->b.row.field[w->key[i].b];

        if (i > 0)
            ens_buf_puts(out, " ");
        ens_buf_put(out, f->p, f->n);
    }
}

static void put_value(struct ens_buf *out, const struct field *f)
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
    const struct field *a = &w->a.row.field[p->a];
    const struct field *b = &w->b.row.field[p->b];
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
        const struct field *f =
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
                            const struct file *f, struct ens_error *err)
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
            s = read_row(&w->b, &w->b.row, err);
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
        s = read_row(&w->b, &w->b.row, err);
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
            s = read_row(&w->a, &w->a.row, err);
    }
    for (uint64_t i = 0; i < w->n_slots && s == ENS_OK; i++) {
        if (w->slot[2 * i + 1] == 0 || (w->slot[2 * i + 1] & FOUND))
            continue;
        w->b.row.next = w->slot[2 * i + 1] - 1;
        s = w->c->n_only_b == 0 ? read_row(&w->b, &w->b.row, err) : ENS_OK;
        if (s == ENS_OK)
            missing(w, 0);
    }
    return s;
}

static enum ens_status compare_all(struct work *w, struct ens_error *err)
{
    enum ens_status s;

    for (uint64_t n = 0;; n++) {
        s = read_row(&w->a, &w->a.row, err);
        if (s == ENS_OK)
            s = read_row(&w->b, &w->b.row, err);
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
    enum ens_status s = open_file(&w.a, a, err);

    if (s == ENS_OK)
        s = open_file(&w.b, b, err);
    if (s == ENS_OK)
        s = choose_keys(&w, err);
    if (s == ENS_OK)
        s = pair_columns(&w, err);
    if (s == ENS_OK)
        s = compare_all(&w, err);
    close_file(&w.a);
    close_file(&w.b);
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
