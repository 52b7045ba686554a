#include "fit/design.h"

#include "fit/basis.h"

#include <math.h>
#include <string.h>

#define BLOCK ENS_FORMULA_BLOCK

struct builder {
    const struct ens_design *d;
    const struct ens_data *data;
    const struct ens_design_space *to;
    double *value; /* of the variables in a block, BLOCK each */
    double *stack;
    double *group; /* a block */
    double *basis; /* the columns of all bases, n rows each */
    struct ens_error *err;
};

const double *ens_data_rows(const struct ens_data *data, uint32_t column,
                            size_t first, size_t n, double *block)
{
    const struct ens_data_column *c = &data->column[column];
    const uint64_t *index = c->index ? c->index : data->index;

    if (!index && c->values)
        return c->values + first;
    if (!index)
        ens_view_f64(c->view, first, n, block);
    else if (c->view)
        ens_view_gather_f64(c->view, index + first, n, block);
    else
        for (size_t i = 0; i < n; i++)
            block[i] = c->values[index[first + i]];
    return block;
}

static int is_basis(const struct ens_design *d, size_t v)
{
    return d->variable[v].is_used && d->variable[v].kind >= ENS_V_POLY;
}

size_t ens_design_work(const struct ens_design *d, size_t n)
{
    size_t blocks = d->f->n_vars + d->f->n_variables + d->f->depth + 1;
    size_t columns = 0;

    for (size_t v = 0; v < d->f->n_variables; v++)
        if (is_basis(d, v))
            columns += d->f->variable[v].df;
    if (columns == 0)
        return blocks * BLOCK;
    columns += 2; /* the variable itself, the basis' own work */
    if (n > (SIZE_MAX / sizeof(double) / 2) / columns)
        return SIZE_MAX;
    return blocks * BLOCK + columns * n;
}

/* Values become places among the levels; what is none of them is missing. */
static void find_levels(const struct ens_design_variable *v, size_t n,
                        double *x)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t low = 0, high = v->n_levels;

        while (low < high) {
            uint32_t mid = (low + high) / 2;

            if (v->value[mid] < x[i])
                low = mid + 1;
            else
                high = mid;
        }
        x[i] = low < v->n_levels && v->value[low] == x[i] ? (double)low : NAN;
    }
}

static void find_texts(size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] < 0)
            x[i] = NAN;
}

/* Sums tell whether any value is not finite. */
static int all_finite(const double *v, size_t n)
{
    double s = 0;

    for (size_t i = 0; i < n; i++)
        s += v[i] * 0; /* NaN for NaN and infinities */
    return s == 0;
}

/* A row with a missing value anywhere gets a missing response. Answers
 * whether there is an infinite value. */
static int mark_missing(const double *v, size_t n, double *y)
{
    int infinite = 0;

    if (all_finite(v, n))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i]))
            y[i] = NAN;
        infinite |= isinf(v[i]) != 0;
    }
    return infinite;
}

/* Infinite values in rows that are complete. */
static enum ens_status check_finite(const struct builder *b, size_t first,
                                    size_t n, const char *name, const double *v)
{
    const double *y = b->to->y + first;

    if (all_finite(v, n))
        return ENS_OK;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]) && !isnan(y[i])) {
            uint64_t row = first + i;

            return ens_fail(
                b->err, ENS_EDOMAIN, "row %zu: %s is %s",
                (size_t)(b->data->index ? b->data->index[row] : row) + 1, name,
                isnan(v[i]) ? "not a number"
                : v[i] > 0  ? "inf"
                            : "-inf");
        }
    return ENS_OK;
}

static size_t block_rows(const struct builder *b, size_t first)
{
    return b->data->n - first < BLOCK ? b->data->n - first : BLOCK;
}

static void gather(const struct builder *b, size_t first, size_t n)
{
    for (size_t v = 0; v < b->d->f->n_vars; v++)
        b->to->vars[v] = ens_data_rows(b->data, b->d->column_of[v], first, n,
                                       b->to->work + v * BLOCK);
}

/* Bases are made of all the values at once. */
static enum ens_status make_bases(const struct builder *b)
{
    size_t n = b->data->n;
    double *x = b->basis, *to;

    for (size_t v = 0; v < b->d->f->n_variables; v++)
        x += is_basis(b->d, v) ? b->d->f->variable[v].df * n : 0;
    to = b->basis;
    for (size_t v = 0; v < b->d->f->n_variables; v++) {
        const struct ens_formula_variable *f = &b->d->f->variable[v];
        enum ens_status s;

        if (!is_basis(b->d, v))
            continue;
        for (size_t first = 0; first < n; first += BLOCK) {
            size_t k = block_rows(b, first);

            gather(b, first, k);
            ens_formula_eval(&f->expr, b->to->vars, k, b->stack, x + first);
        }
        for (size_t i = 0; i < n; i++)
            if (isinf(x[i]))
                return ens_fail(b->err, ENS_EDOMAIN, "row %zu: %s is infinite",
                                i + 1, f->expr.name);
        s = ens_basis(f, x, n, x + n, to, b->err);
        if (s != ENS_OK)
            return s;
        to += f->df * n;
    }
    return ENS_OK;
}

/* Where the columns of a variable's basis begin. */
static const double *basis_of(const struct builder *b, uint32_t variable)
{
    const double *at = b->basis;

    for (size_t v = 0; v < variable; v++)
        at += is_basis(b->d, v) ? b->d->f->variable[v].df * b->data->n : 0;
    return at;
}

/* Response and variables of a block. */
static enum ens_status evaluate(const struct builder *b, size_t first, size_t n)
{
    const struct ens_formula *f = b->d->f;
    double *y = b->to->y + first;
    enum ens_status s = ENS_OK;
    int infinite;

    gather(b, first, n);
    ens_formula_eval(&f->response, b->to->vars, n, b->stack, y);
    infinite = mark_missing(y, n, y);
    for (size_t v = 0; v < f->n_variables; v++) {
        double *value = b->value + v * BLOCK;

        ens_formula_eval(&f->variable[v].expr, b->to->vars, n, b->stack, value);
        if (b->d->variable[v].is_text)
            find_texts(n, value);
        if (b->d->variable[v].is_used && b->d->variable[v].kind == ENS_V_FACTOR)
            find_levels(&b->d->variable[v], n, value);
        infinite |= mark_missing(value, n, y);
    }
    if (infinite)
        s = check_finite(b, first, n, f->response.name, y);
    for (size_t v = 0; infinite && s == ENS_OK && v < f->n_variables; v++)
        if (b->d->variable[v].is_used)
            s = check_finite(b, first, n, f->variable[v].expr.name,
                             b->value + v * BLOCK);
    return s;
}

/* out = a part's values, or out *= them. */
static void multiply(const struct builder *b, const struct ens_design_part *p,
                     int is_first, size_t first, size_t n, double *out)
{
    const double *v = b->value + p->variable * BLOCK;

    if (is_basis(b->d, p->variable))
        v = basis_of(b, p->variable) + p->index * b->data->n + first;
    if (b->d->variable[p->variable].kind != ENS_V_FACTOR) {
        for (size_t i = 0; i < n; i++)
            out[i] = is_first ? v[i] : out[i] * v[i];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double is = v[i] == p->index ? 1 : 0;

        out[i] = is_first ? is : out[i] * is;
    }
}

static enum ens_status fill(const struct builder *b, size_t first, size_t n)
{
    enum ens_status s = ENS_OK;

    for (size_t j = 0; s == ENS_OK && j < b->d->n_columns; j++) {
        const struct ens_design_column *c = &b->d->column[j];
        double *out = b->to->x + j * b->data->n + first;

        for (size_t i = 0; c->n_parts == 0 && i < n; i++)
            out[i] = 1;
        for (size_t k = 0; k < c->n_parts; k++)
            multiply(b, &c->part[k], k == 0, first, n, out);
        if (c->n_parts > 1) /* a product may overflow */
            s = check_finite(b, first, n, c->name, out);
    }
    return s;
}

/* Before the rows that lack a value are dropped: of those no level is kept. */
static void find_groups(const struct builder *b, size_t first, size_t n)
{
    const struct ens_formula *f = b->d->f;

    for (size_t k = 0; k < f->n_groups; k++) {
        double *value = b->group;
        uint32_t *out = b->to->level + k * b->data->n + first;

        ens_formula_eval(&f->group[k], b->to->vars, n, b->stack, value);
        find_levels(&b->d->group[k], n, value);
        mark_missing(value, n, b->to->y + first);
        for (size_t i = 0; i < n; i++)
            out[i] = isnan(value[i]) ? 0 : (uint32_t)value[i];
    }
}

static enum ens_status take_se(const struct builder *b, size_t first, size_t n)
{
    const struct ens_formula *f = b->d->f;
    double *se = b->to->se + first, *y = b->to->y + first;
    enum ens_status s;

    ens_formula_eval(&f->se, b->to->vars, n, b->stack, se);
    mark_missing(se, n, y);
    s = check_finite(b, first, n, "se", se);
    for (size_t i = 0; s == ENS_OK && i < n; i++)
        if (!isnan(y[i]) && !(se[i] > 0))
            s = ens_fail(b->err, ENS_EDOMAIN,
                         "complete row %zu: se is %.15g; it must be above 0",
                         first + i + 1, se[i]);
    return s;
}

static void sum_offsets(const struct builder *b, size_t first, size_t n)
{
    double *out = b->to->offset + first;

    for (size_t i = 0; i < n; i++)
        out[i] = 0;
    for (size_t v = 0; v < b->d->f->n_variables; v++)
        for (size_t i = 0; b->d->f->variable[v].is_offset && i < n; i++)
            out[i] += b->value[v * BLOCK + i];
}

/* In place: values of the rows whose response is there move to the start. */
static double *keep_rows(const double *from, const double *y, size_t n,
                         double *to)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(y[i]))
            *to++ = from[i];
    return to;
}

static void keep_levels(const struct builder *b, size_t kept)
{
    size_t n = b->data->n;
    uint32_t *to = b->to->level;

    for (size_t k = 0; k < b->d->n_groups && kept < n; k++)
        for (size_t i = 0; i < n; i++)
            if (!isnan(b->to->y[i]))
                *to++ = b->to->level[k * n + i];
}

static size_t compact(const struct builder *b)
{
    const struct ens_design_space *t = b->to;
    size_t n = b->data->n;
    size_t kept = 0;
    double *to = t->x;

    for (size_t i = 0; i < n; i++)
        kept += isnan(t->y[i]) ? 0 : 1;
    if (kept == n)
        return n;
    for (size_t j = 0; j < b->d->n_columns; j++)
        to = keep_rows(t->x + j * n, t->y, n, to);
    if (b->d->has_offset)
        keep_rows(t->offset, t->y, n, t->offset);
    if (b->d->has_se)
        keep_rows(t->se, t->y, n, t->se);
    keep_levels(b, kept);
    to = t->y;
    for (size_t i = 0; i < n; i++)
        if (!isnan(t->y[i]))
            *to++ = t->y[i];
    return kept;
}

enum ens_status ens_design_build(const struct ens_design *d,
                                 const struct ens_data *data,
                                 const struct ens_design_space *to,
                                 size_t *n_rows, struct ens_error *err)
{
    struct builder b = {.d = d, .data = data, .to = to, .err = err};
    enum ens_status s = ENS_OK;

    if ((d->n_groups > 0 && !to->level) || (d->has_se && !to->se))
        return ens_fail(err, ENS_EDOMAIN,
                        "formula '%.120s': this fitter takes no %s", d->f->text,
                        d->has_se ? "standard errors" : "groups");
    b.value = to->work + d->f->n_vars * BLOCK;
    b.stack = b.value + d->f->n_variables * BLOCK;
    b.group = b.stack + d->f->depth * BLOCK;
    b.basis = b.group + BLOCK;
    s = make_bases(&b);
    for (size_t first = 0; s == ENS_OK && first < data->n; first += BLOCK) {
        size_t n = block_rows(&b, first);

        s = evaluate(&b, first, n);
        if (s == ENS_OK)
            find_groups(&b, first, n);
        if (s == ENS_OK && d->has_se)
            s = take_se(&b, first, n);
        if (s == ENS_OK)
            s = fill(&b, first, n);
        if (s == ENS_OK && d->has_offset)
            sum_offsets(&b, first, n);
    }
    if (s == ENS_OK)
        *n_rows = compact(&b);
    return s;
}
