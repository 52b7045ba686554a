#include "fit/design.h"

#include <math.h>
#include <string.h>

/* n rows of a column, from row `first` on: a pointer into the data where the
 * values lie there as they are, else gathered into block. */
static const double *rows_of(const struct ens_data *data, uint32_t column,
                             size_t first, size_t n, double *block)
{
    const struct ens_data_column *c = &data->column[column];

    if (!data->index && c->values)
        return c->values + first;
    if (!data->index)
        ens_view_f64(c->view, first, n, block);
    else if (c->view)
        ens_view_gather_f64(c->view, data->index + first, n, block);
    else
        for (size_t i = 0; i < n; i++)
            block[i] = c->values[data->index[first + i]];
    return block;
}

static void evaluate(const struct ens_formula *f, const struct ens_data *data,
                     const uint32_t *column_of, double *x, double *y,
                     const double **vars, double *work)
{
    double *stack = work + f->n_vars * ENS_FORMULA_BLOCK;

    for (size_t first = 0; first < data->n; first += ENS_FORMULA_BLOCK) {
        size_t n = data->n - first < ENS_FORMULA_BLOCK ? data->n - first
                                                       : ENS_FORMULA_BLOCK;

        for (size_t v = 0; v < f->n_vars; v++)
            vars[v] = rows_of(data, column_of[v], first, n,
                              work + v * ENS_FORMULA_BLOCK);
        ens_formula_eval(&f->response, vars, n, stack, y + first);
        for (size_t j = 0; j < f->n_terms; j++)
            ens_formula_eval(&f->term[j], vars, n, stack,
                             x + j * data->n + first);
    }
}

/* Sums of a column tell whether any of its values is not finite. */
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
static enum ens_status check_finite(const struct ens_data *data,
                                    const char *name, const double *v,
                                    const double *y, struct ens_error *err)
{
    for (size_t i = 0; i < data->n; i++)
        if (isinf(v[i]) && !isnan(y[i]))
            return ens_fail(err, ENS_EDOMAIN, "row %zu: %s is %s",
                            (size_t)(data->index ? data->index[i] : i) + 1,
                            name, v[i] > 0 ? "inf" : "-inf");
    return ENS_OK;
}

/* Keep the rows whose response is there; returns how many. In place: columns
 * move towards the start. */
static size_t compact(size_t n, size_t p, double *x, double *y)
{
    size_t kept = 0;
    double *to = x;

    for (size_t i = 0; i < n; i++)
        kept += isnan(y[i]) ? 0 : 1;
    if (kept == n)
        return n;
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < n; i++)
            if (!isnan(y[i]))
                *to++ = x[j * n + i];
    to = y;
    for (size_t i = 0; i < n; i++)
        if (!isnan(y[i]))
            *to++ = y[i];
    return kept;
}

enum ens_status ens_design_build(const struct ens_formula *f,
                                 const struct ens_data *data,
                                 const uint32_t *column_of, double *x,
                                 double *y, const double **vars, double *work,
                                 size_t *n_rows, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    int infinite;

    evaluate(f, data, column_of, x, y, vars, work);
    infinite = mark_missing(y, data->n, y);
    for (size_t j = 0; j < f->n_terms; j++)
        if (f->term[j].n_ops > 0)
            infinite |= mark_missing(x + j * data->n, data->n, y);
    if (infinite)
        s = check_finite(data, f->response.name, y, y, err);
    for (size_t j = 0; infinite && s == ENS_OK && j < f->n_terms; j++)
        s = check_finite(data, f->term[j].name, x + j * data->n, y, err);
    if (s == ENS_OK)
        *n_rows = compact(data->n, f->n_terms, x, y);
    return s;
}
