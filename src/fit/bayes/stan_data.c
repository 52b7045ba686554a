#include "fit/bayes/stan_data.h"

#include "base/number.h"
#include "fit/design.h"

#include <math.h>

#define BLOCK ENS_FORMULA_BLOCK

static void number(struct ens_buf *to, double v)
{
    char text[ENS_NUMBER_BYTES];

    if (isnan(v))
        ens_buf_puts(to, "\"NaN\"");
    else if (isinf(v))
        ens_buf_puts(to, v > 0 ? "\"Inf\"" : "\"-Inf\"");
    else
        ens_buf_put(to, text, ens_number_format(text, v));
}

static void key(struct ens_buf *to, const char *name)
{
    ens_buf_puts(to, to->len > 1 ? ", \"" : "\"");
    for (; *name; name++)
        if (*name == '"' || *name == '\\')
            ens_buf_printf(to, "\\%c", *name);
        else
            ens_buf_put(to, name, 1);
    ens_buf_puts(to, "\": ");
}

static void count(struct ens_buf *to, const char *name, size_t n)
{
    key(to, name);
    ens_buf_printf(to, "%zu", n);
}

static void vector(struct ens_buf *to, const char *name, const double *v,
                   size_t n)
{
    key(to, name);
    for (size_t i = 0; i < n; i++) {
        ens_buf_puts(to, i ? "," : "[");
        number(to, v[i]);
    }
    ens_buf_puts(to, n ? "]" : "[]");
}

static void matrix(struct ens_buf *to, const double *x, size_t n, size_t p)
{
    key(to, "X");
    for (size_t i = 0; i < n; i++) {
        ens_buf_puts(to, i ? "," : "[");
        for (size_t j = 0; j < p; j++) {
            ens_buf_puts(to, j ? "," : "[");
            number(to, x[i + j * n]);
        }
        ens_buf_puts(to, "]");
    }
    ens_buf_puts(to, n ? "]" : "[]");
}

static void group(struct ens_buf *to, const struct ens_fit_group *g, size_t n)
{
    struct ens_buf name = ENS_BUF_INIT;

    ens_buf_printf(&name, "J_%s", g->name);
    count(to, ens_buf_text(&name), g->n_levels);
    to->failed |= name.failed;
    ens_buf_fini(&name);
    key(to, g->name);
    for (size_t i = 0; i < n; i++)
        ens_buf_printf(to, "%s%u", i ? "," : "[", (unsigned)g->of[i] + 1);
    ens_buf_puts(to, "]");
}

static void column(struct ens_buf *to, const struct ens_data *d, uint32_t j)
{
    int is_text = d->column[j].level != NULL;
    double block[BLOCK];

    key(to, d->name[j]);
    ens_buf_puts(to, "[");
    for (size_t first = 0; first < d->n; first += BLOCK) {
        size_t n = d->n - first < BLOCK ? d->n - first : BLOCK;
        const double *v = ens_data_rows(d, j, first, n, block);

        for (size_t i = 0; i < n; i++) {
            if (first + i > 0)
                ens_buf_puts(to, ",");
            number(to, is_text ? v[i] + 1 : v[i]);
        }
    }
    ens_buf_puts(to, "]");
}

enum ens_status ens_stan_data(const struct ens_fit_problem *f,
                              struct ens_buf *to, struct ens_error *err)
{
    ens_buf_puts(to, "{");
    count(to, "N", f->n);
    if (f->x) {
        count(to, "p", f->p);
        matrix(to, f->x, f->n, f->p);
        vector(to, "y", f->y, f->n);
        if (f->offset)
            vector(to, "offset", f->offset, f->n);
        if (f->se)
            vector(to, "se", f->se, f->n);
        for (size_t k = 0; k < f->n_groups; k++)
            group(to, &f->group[k], f->n);
    } else {
        for (uint32_t j = 0; j < f->data->n_columns; j++)
            column(to, f->data, j);
    }
    ens_buf_puts(to, "}");
    return to->failed
               ? ens_fail(err, ENS_ENOMEMORY, "data of %zu rows as JSON", f->n)
               : ENS_OK;
}
