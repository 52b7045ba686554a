#include "input/mtx.h"

#include "base/number.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define MAX_SIDE ((uint64_t)1 << 31)

struct text {
    const char *p, *end;
    uint64_t line;
    struct ens_error *err;
};

static enum ens_status fail(const struct text *t, const char *what)
{
    return ens_fail(t->err, ENS_EINPUT, "line %" PRIu64 ": %s", t->line, what);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; 0 bytes at its end. */
static const char *word(struct text *t, size_t *n)
{
    const char *start;

    while (t->p < t->end && is_blank(*t->p))
        t->p++;
    start = t->p;
    while (t->p < t->end && !is_blank(*t->p) && *t->p != '\n')
        t->p++;
    *n = (size_t)(t->p - start);
    return start;
}

/* To the first word of the next line that has one and is no comment. 0: none.
 */
static int next_line(struct text *t)
{
    while (t->p < t->end) {
        if (*t->p == '\n') {
            t->p++;
            t->line++;
        } else if (is_blank(*t->p)) {
            t->p++;
        } else if (*t->p == '%') {
            const char *lf = memchr(t->p, '\n', (size_t)(t->end - t->p));

            t->p = lf != NULL ? lf : t->end;
        } else {
            return 1;
        }
    }
    return 0;
}

static int is_end_of_line(struct text *t)
{
    size_t n;

    (void)word(t, &n);
    return n == 0;
}

static int is_word(const char *s, size_t n, const char *what)
{
    return strlen(what) == n && strncasecmp(s, what, n) == 0;
}

static int choose(struct text *t, const char *const *list, size_t n_list)
{
    size_t n;
    const char *s = word(t, &n);

    for (size_t i = 0; i < n_list; i++)
        if (is_word(s, n, list[i]))
            return (int)i;
    return -1;
}

static enum ens_status read_banner(struct text *t, struct ens_mtx *m)
{
    static const char *const forms[] = {"coordinate", "array"};
    static const char *const fields[] = {"real", "integer", "double",
                                         "pattern"};
    static const char *const kinds[] = {"general", "symmetric",
                                        "skew-symmetric"};
    size_t n;
    const char *s = word(t, &n);
    int form, field, kind;

    if (!is_word(s, n, "%%MatrixMarket"))
        return fail(t, "expected %%MatrixMarket");
    s = word(t, &n);
    if (!is_word(s, n, "matrix"))
        return fail(t, "expected the object 'matrix'");
    form = choose(t, forms, 2);
    field = choose(t, fields, 4);
    kind = choose(t, kinds, 3);
    if (form < 0 || field < 0 || kind < 0)
        return fail(t, "expected 'coordinate' or 'array', then 'real', "
                       "'integer' or 'pattern', then 'general', 'symmetric' "
                       "or 'skew-symmetric'");
    m->is_array = form == 1;
    m->is_pattern = field == 3;
    m->is_integer = field == 1;
    m->mirror = kind == 2 ? -1 : kind;
    if (m->is_array && m->is_pattern)
        return fail(t, "a pattern has coordinates; this is an array");
    return ENS_OK;
}

static int read_count(struct text *t, uint64_t most, uint64_t *v)
{
    size_t n;
    const char *s = word(t, &n);

    return ens_number_parse_u64(s, n, v) == 0 && *v <= most;
}

enum ens_status ens_mtx_head(struct ens_mtx *m, const char *p, size_t n,
                             struct ens_error *err)
{
    struct text t = {p, p + n, 1, err};
    struct ens_mtx r = {0};
    enum ens_status s = read_banner(&t, &r);
    uint64_t side;

    if (s != ENS_OK)
        return s;
    if (!is_end_of_line(&t) || !next_line(&t))
        return fail(&t, "expected the line of sizes");
    if (!read_count(&t, MAX_SIDE, &r.rows) ||
        !read_count(&t, MAX_SIDE, &r.columns) ||
        (!r.is_array && !read_count(&t, INT64_MAX, &r.entries)) ||
        !is_end_of_line(&t))
        return fail(&t, r.is_array ? "expected rows and columns"
                                   : "expected rows, columns and entries");
    if (r.mirror != 0 && r.rows != r.columns)
        return fail(&t, "a symmetric matrix that is not square");
    side = r.rows;
    if (r.is_array) /* MAX_SIDE^2 fits */
        r.entries = r.mirror == 0                ? side * r.columns
                    : r.mirror == 1 || side == 0 ? side * (side + 1) / 2
                                                 : side * (side - 1) / 2;
    r.at = (size_t)(t.p - p);
    r.line = t.line;
    *m = r;
    return ENS_OK;
}

/* Where the next value of an array belongs. */
static void advance(const struct ens_mtx *m, uint64_t *row, uint64_t *column)
{
    if (++*row <= m->rows)
        return;
    ++*column;
    *row = m->mirror == 0 ? 1 : m->mirror > 0 ? *column : *column + 1;
}

static enum ens_status read_entry(struct text *t, const struct ens_mtx *m,
                                  uint64_t row, uint64_t column, double *out)
{
    double v = 1;
    int64_t i;
    size_t n;
    const char *s;

    if (!m->is_array && (!read_count(t, m->rows, &row) || row == 0))
        return fail(t, "expected a row from 1 to the number of rows");
    if (!m->is_array && (!read_count(t, m->columns, &column) || column == 0))
        return fail(t, "expected a column from 1 to the number of columns");
    if (!m->is_pattern) {
        s = word(t, &n);
        if (ens_number_parse(s, n, &v) != 0)
            return fail(t, "expected a number");
        if (m->is_integer && ens_number_parse_i64(s, n, &i) == 0 &&
            !(v < 0x1p63 && (int64_t)v == i))
            return fail(t, "an integer that float64 does not hold");
    }
    out[row - 1 + (column - 1) * m->rows] += v;
    if (m->mirror != 0 && row != column)
        out[column - 1 + (row - 1) * m->rows] += m->mirror * v;
    return ENS_OK;
}

enum ens_status ens_mtx_fill(const struct ens_mtx *m, const char *p, size_t n,
                             double *out, struct ens_error *err)
{
    struct text t = {p + m->at, p + n, m->line, err};
    uint64_t row = m->mirror < 0 ? 2 : 1;
    uint64_t column = 1;

    for (uint64_t i = 0; i < m->entries; i++) {
        enum ens_status s;

        if (!next_line(&t))
            return ens_fail(err, ENS_EINPUT,
                            "line %" PRIu64 ": ends behind %" PRIu64
                            " entries; its head says %" PRIu64,
                            t.line, i, m->entries);
        s = read_entry(&t, m, row, column, out);
        if (s != ENS_OK)
            return s;
        if (!is_end_of_line(&t))
            return fail(&t, "more than an entry has");
        advance(m, &row, &column);
    }
    if (next_line(&t))
        return fail(&t, "more entries than its head says");
    return ENS_OK;
}
