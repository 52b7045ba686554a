#include "input/select.h"

#include "base/bug.h"
#include "base/number.h"
#include "input/dtype.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct selection { /* columns of the file, in the order asked for */
    struct ens_mapped *m;
    uint64_t n_all;
    uint64_t n;
    uint64_t *index;
    unsigned char *taken; /* n_all flags */
};

static uint64_t count_missing(const struct ens_column *c)
{
    const struct ens_view *v = &c->view;
    uint64_t n = 0;
    double x[256];

    for (uint64_t i = 0; i < v->shape[0]; i += ENS_COUNT(x)) {
        uint64_t k = v->shape[0] - i;

        k = k > ENS_COUNT(x) ? ENS_COUNT(x) : k;
        ens_view_f64(v, i, k, x);
        for (uint64_t j = 0; j < k; j++)
            n += isnan(x[j]) || (c->levels != NULL && x[j] < 0) ? 1 : 0;
    }
    return n;
}

static void cut_rows(struct ens_view *v, uint64_t first, uint64_t n)
{
    if (v->data != NULL)
        v->data = (const char *)v->data + (int64_t)(first - 1) * v->strides[0];
    v->shape[0] = n;
}

static enum ens_status select_rows(struct ens_mapped *m,
                                   const struct ens_input_options *o,
                                   struct ens_error *err)
{
    struct ens_view *v = &m->input.view;
    uint64_t have = v->shape[0];
    uint64_t last = o->last_row == 0 ? have : o->last_row;

    if (o->first_row < 1 || o->first_row > last || last > have)
        return ens_fail(err, ENS_EINPUT,
                        "rows %" PRIu64 ":%" PRIu64 "; the file has rows 1 to "
                        "%" PRIu64,
                        o->first_row, last, have);
    cut_rows(v, o->first_row, last - o->first_row + 1);
    for (uint64_t i = 0; m->columns != NULL && i < m->input.n_columns; i++) {
        struct ens_column *c = &m->columns[i];

        cut_rows(&c->view, o->first_row, v->shape[0]);
        if (c->n_missing > 0)
            c->n_missing = count_missing(c);
    }
    return ENS_OK;
}

/* Number of the column a text names: a name, or 1 .. n_all. -1: none. */
static int64_t find_column(const struct selection *s, const char *text,
                           size_t n)
{
    uint64_t number;

    for (uint64_t i = 0; s->m->columns != NULL && i < s->n_all; i++) {
        const char *name = s->m->columns[i].name;

        if (strlen(name) == n && memcmp(name, text, n) == 0)
            return (int64_t)i;
    }
    if (ens_number_parse_u64(text, n, &number) == 0 && number >= 1 &&
        number <= s->n_all)
        return (int64_t)(number - 1);
    return -1;
}

static enum ens_status no_column(const struct selection *s, const char *text,
                                 struct ens_error *err)
{
    char names[200] = "";
    size_t used = 0;

    if (s->m->columns == NULL)
        return ens_fail(err, ENS_EINPUT,
                        "no column '%s'; an array's are numbered 1 to %" PRIu64,
                        text, s->n_all);
    for (uint64_t i = 0; i < s->n_all && used + 1 < sizeof(names); i++) {
        int k = snprintf(names + used, sizeof(names) - used, "%s%s",
                         i == 0 ? "" : ", ", s->m->columns[i].name);

        used += k > 0 ? (size_t)k : 0;
    }
    return ens_fail(err, ENS_EINPUT, "no column '%s'; the file has %s%s", text,
                    names, used >= sizeof(names) ? "..." : "");
}

/* One element of `columns`: "a", "3", "a:f"; first .. last, both included. */
static enum ens_status find_range(const struct selection *s, const char *text,
                                  int64_t *first, int64_t *last,
                                  struct ens_error *err)
{
    const char *colon = strchr(text, ':');

    *first = *last = find_column(s, text, strlen(text));
    if (*first < 0 && colon != NULL) {
        *first = find_column(s, text, (size_t)(colon - text));
        *last = find_column(s, colon + 1, strlen(colon + 1));
    }
    if (*first < 0 || *last < 0)
        return no_column(s, text, err);
    if (*first > *last)
        return ens_fail(err, ENS_EINPUT,
                        "columns '%s': the first comes after "
                        "the last in the file",
                        text);
    return ENS_OK;
}

static int is_exclusion(const struct selection *s, const char *text)
{
    return text[0] == '-' && find_column(s, text, strlen(text)) < 0;
}

static enum ens_status take(struct selection *s, const char *text, int exclude,
                            struct ens_error *err)
{
    int64_t first;
    int64_t last;
    enum ens_status status = find_range(s, text + exclude, &first, &last, err);

    if (status != ENS_OK)
        return status;
    for (int64_t i = first; i <= last; i++) {
        if (s->taken[i])
            return ens_fail(err, ENS_EINPUT, "columns: '%s' is named twice",
                            text);
        s->taken[i] = 1;
        if (!exclude)
            s->index[s->n++] = (uint64_t)i;
    }
    return ENS_OK;
}

static enum ens_status choose(struct selection *s,
                              const struct ens_input_options *o,
                              struct ens_error *err)
{
    int exclude = is_exclusion(s, o->columns[0]);

    for (size_t i = 0; i < o->n_columns; i++) {
        enum ens_status status;

        if (is_exclusion(s, o->columns[i]) != exclude)
            return ens_fail(err, ENS_EINPUT,
                            "columns has both '%s' and '%s'; "
                            "expected names to take, or names to leave out",
                            o->columns[0], o->columns[i]);
        status = take(s, o->columns[i], exclude, err);
        if (status != ENS_OK)
            return status;
    }
    for (uint64_t i = 0; exclude && i < s->n_all; i++)
        if (!s->taken[i])
            s->index[s->n++] = i;
    if (s->n == 0)
        return ens_fail(err, ENS_EINPUT, "columns leaves none");
    return ENS_OK;
}

static struct ens_column column_of(const struct ens_mapped *m, uint64_t i)
{
    const struct ens_view *v = &m->input.view;
    struct ens_column c = {.name = ""};

    if (m->columns != NULL)
        return m->columns[i];
    c.view = *v;
    c.view.ndim = 1;
    if (v->ndim == 2)
        c.view.data = (const char *)v->data + (int64_t)i * v->strides[1];
    return c;
}

/* The view of equal, evenly spaced columns; data NULL when they are not. */
static void view_of_columns(struct ens_view *v, const struct ens_column *c,
                            uint64_t n)
{
    const struct ens_view *a = &c[0].view;
    int64_t step = (int64_t)ens_dtype_bytes(a->dtype);

    *v = *a;
    v->ndim = 2;
    v->shape[1] = n;
    if (n > 1)
        step = (const char *)c[1].view.data - (const char *)a->data;
    v->strides[1] = step;
    for (uint64_t i = 1; i < n; i++) {
        const struct ens_view *b = &c[i].view;

        if (b->dtype != a->dtype || b->swapped != a->swapped ||
            (const char *)b->data - (const char *)c[i - 1].view.data != step)
            v->data = NULL;
    }
}

static enum ens_status select_columns(struct ens_mapped *m,
                                      const struct ens_input_options *o,
                                      struct ens_error *err)
{
    struct selection s = {.m = m};
    struct ens_column *columns;
    enum ens_status status;

    if (m->input.view.ndim != 2)
        return ens_fail(err, ENS_EINPUT,
                        "columns of an array of %u "
                        "dimensions; expected 2",
                        m->input.view.ndim);
    s.n_all = m->input.view.shape[1];
    if (s.n_all > ENS_MAX_COLUMNS)
        return ens_fail(err, ENS_EINPUT, "columns: more than %u in the file",
                        ENS_MAX_COLUMNS);
    s.index = ens_arena_alloc(&m->arena, (size_t)s.n_all, sizeof(*s.index));
    s.taken = ens_arena_alloc(&m->arena, (size_t)s.n_all, 1);
    if (s.index == NULL || s.taken == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    status = choose(&s, o, err);
    if (status != ENS_OK)
        return status;
    columns = ens_arena_alloc(&m->arena, (size_t)s.n, sizeof(*columns));
    if (columns == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < s.n; i++)
        columns[i] = column_of(m, s.index[i]);
    view_of_columns(&m->input.view, columns, s.n);
    m->columns = columns;
    m->input.n_columns = s.n;
    return ENS_OK;
}

static enum ens_status transpose(struct ens_mapped *m, struct ens_error *err)
{
    struct ens_view *v = &m->input.view;
    struct ens_view old = *v;

    if (v->data == NULL)
        return ens_fail(err, ENS_EINPUT,
                        "transpose of columns of different "
                        "types");
    for (uint32_t i = 0; i < v->ndim; i++) {
        v->shape[i] = old.shape[v->ndim - 1 - i];
        v->strides[i] = old.strides[v->ndim - 1 - i];
    }
    m->columns = NULL; /* what were rows have no names */
    return ENS_OK;
}

/* Columns of an array; the counts. */
static enum ens_status complete(struct ens_mapped *m, struct ens_error *err)
{
    struct ens_view *v = &m->input.view;
    uint64_t n = 1;

    for (uint32_t i = 1; i < v->ndim; i++)
        n *= v->shape[i];
    m->input.n_rows = v->shape[0];
    m->input.n_columns = n;
    m->input.bytes = n * v->shape[0] * ens_dtype_bytes(v->dtype);
    if (m->columns == NULL && v->ndim <= 2 && n <= ENS_MAX_COLUMNS) {
        struct ens_column *c =
            ens_arena_alloc(&m->arena, (size_t)n, sizeof(*c));

        if (c == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        for (uint64_t i = 0; i < n; i++)
            c[i] = column_of(m, i);
        m->columns = c;
    }
    m->input.columns = m->columns;
    return ENS_OK;
}

enum ens_status ens_select(struct ens_mapped *m,
                           const struct ens_input_options *o, const char **key,
                           struct ens_error *err)
{
    struct ens_view *v = &m->input.view;
    enum ens_status s = ENS_OK;

    if (v->ndim == 0) { /* a number is a table of one cell */
        v->ndim = 1;
        v->shape[0] = 1;
        v->strides[0] = (int64_t)ens_dtype_bytes(v->dtype);
    }
    if (o->has_rows) {
        *key = "rows";
        s = select_rows(m, o, err);
    }
    if (s == ENS_OK && o->n_columns > 0) {
        *key = "columns";
        s = select_columns(m, o, err);
    }
    if (s == ENS_OK && o->transpose) {
        *key = "transpose";
        s = transpose(m, err);
    }
    if (s != ENS_OK)
        return s;
    *key = NULL;
    return complete(m, err);
}
