#include "fit/basis.h"
#include "fit/deparse.h"
#include "fit/parser.h"

#include <string.h>

static const struct basis {
    const char *name;
    enum ens_variable_kind kind;
    const char *first; /* name of the argument behind the first; NULL: none */
    int is_offset;
} bases[] = {
    {"factor", ENS_V_FACTOR, NULL, 0}, {"offset", ENS_V_NUMBER, NULL, 1},
    {"poly", ENS_V_POLY, "degree", 0}, {"bs", ENS_V_BS, "df", 0},
    {"ns", ENS_V_NS, "df", 0},
};

static const struct basis *find(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        if (strlen(bases[i].name) == n && memcmp(bases[i].name, name, n) == 0)
            return &bases[i];
    return NULL;
}

int ens_formula_is_basis(const char *name, size_t n)
{
    return find(name, n) != NULL;
}

/* "degree = 3", "df = 5" or "3", which is `first`. */
static enum ens_status take_argument(struct ens_formula_parser *p,
                                     const struct basis *b,
                                     struct ens_formula_variable *v)
{
    const char *where, *name = b->first;
    size_t n = strlen(name);
    unsigned *to;
    double value;
    enum ens_status s = ENS_OK;

    ens_formula_peek(p);
    where = p->at;
    ens_buf_puts(&p->name, ", ");
    if (ens_formula_at_name(p->at)) {
        s = ens_formula_take_name(p, &name, &n);
        if (s != ENS_OK)
            return s;
        if (ens_formula_peek(p) != '=')
            return ens_formula_unexpected(p, "'='");
        p->at++;
        ens_buf_printf(&p->name, "%.*s = ", (int)n, name);
    }
    if (n == 6 && memcmp(name, "degree", n) == 0 && b->kind != ENS_V_NS)
        to = b->kind == ENS_V_POLY ? &v->df : &v->degree;
    else if (n == 2 && memcmp(name, "df", n) == 0 && b->kind != ENS_V_POLY)
        to = &v->df;
    else
        return ens_formula_fail(p, where, "%s() has no argument '%.*s' here",
                                b->name, (int)n, name);
    ens_formula_peek(p);
    where = p->at;
    if (!ens_formula_at_number(where))
        return ens_formula_unexpected(p, "a whole number");
    s = ens_formula_take_number(p, &value);
    if (s != ENS_OK)
        return s;
    if (!(value >= 1 && value <= (to == &v->degree ? 10 : ENS_BASIS_MAX_DF)) ||
        value != (double)(unsigned)value)
        return ens_formula_fail(p, where, "a whole number from 1 to %d",
                                to == &v->degree ? 10 : ENS_BASIS_MAX_DF);
    ens_deparse_number(&p->name, value);
    *to = (unsigned)value;
    return ENS_OK;
}

/* The arguments behind the first, and what they are by default. */
static enum ens_status take_arguments(struct ens_formula_parser *p,
                                      const struct basis *b,
                                      struct ens_formula_variable *v)
{
    enum ens_status s = ENS_OK;

    v->degree = 3;
    while (s == ENS_OK && ens_formula_peek(p) == ',') {
        if (!b->first)
            return ens_formula_fail(p, p->at, "%s() takes one argument",
                                    b->name);
        p->at++;
        s = take_argument(p, b, v);
    }
    if (s == ENS_OK && v->df == 0)
        v->df = b->kind == ENS_V_BS ? v->degree : 1;
    if (s == ENS_OK && b->kind == ENS_V_BS && v->df < v->degree)
        return ens_formula_fail(p, p->at,
                                "bs() takes a df of at least its "
                                "degree, %u",
                                v->degree);
    return s;
}

enum ens_status ens_formula_basis(struct ens_formula_parser *p,
                                  const char *name, size_t n,
                                  struct ens_formula_variable *v)
{
    const struct basis *b = find(name, n);
    enum ens_status s;

    p->at++;
    ens_buf_printf(&p->name, "%s(", b->name);
    s = ens_formula_sum(p);
    if (s == ENS_OK)
        s = take_arguments(p, b, v);
    if (s != ENS_OK)
        return s;
    if (*p->at != ')')
        return ens_formula_unexpected(p, "')' or an operator");
    p->at++;
    ens_buf_puts(&p->name, ")");
    v->kind = b->kind;
    v->is_offset = b->is_offset;
    return ENS_OK;
}
