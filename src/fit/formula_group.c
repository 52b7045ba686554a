/* What stands behind a bar: "(1 | g)" and "y | se(s)". */
#include "fit/deparse.h"
#include "fit/parser.h"

#include <string.h>

int ens_formula_at_group(const struct ens_formula_parser *p)
{
    const char *s = p->at;

    if (*s++ != '(')
        return 0;
    s += strspn(s, " \t\n");
    if (*s++ != '1')
        return 0;
    s += strspn(s, " \t\n");
    return *s == '|';
}

static enum ens_status keep_group(struct ens_formula_parser *p,
                                  const char *where, size_t first_op)
{
    struct ens_formula *f = p->f;
    struct ens_formula_expr *e = &f->group[f->n_groups];
    enum ens_status s = ens_formula_end(p, first_op, e);

    for (size_t i = 0; s == ENS_OK && i < f->n_groups; i++)
        if (strcmp(f->group[i].name, e->name) == 0)
            return ens_formula_fail(p, where, "a second group of '%s'",
                                    e->name);
    if (s == ENS_OK)
        f->n_groups++;
    return s;
}

/* "(1 | g)" */
enum ens_status ens_formula_group(struct ens_formula_parser *p)
{
    const char *where = p->at;
    size_t first_op = p->n_ops;
    const char *name;
    size_t n;
    enum ens_status s;

    p->at = strchr(p->at, '|') + 1;
    ens_formula_peek(p);
    if (!ens_formula_at_name(p->at))
        return ens_formula_unexpected(p, "a column");
    ens_formula_begin(p);
    s = ens_formula_take_name(p, &name, &n);
    if (s == ENS_OK)
        ens_deparse_name(&p->name, name, n);
    if (s == ENS_OK)
        s = ens_formula_emit_var(p, name, n);
    if (s != ENS_OK)
        return s;
    if (ens_formula_peek(p) != ')')
        return ens_formula_unexpected(p, "')': a group is one column");
    p->at++;
    return keep_group(p, where, first_op);
}

/* "| se(EXPR)" behind the response */
enum ens_status ens_formula_se(struct ens_formula_parser *p)
{
    size_t first_op = p->n_ops;
    const char *name = "", *where;
    size_t n = 0;
    enum ens_status s = ENS_OK;

    p->at++;
    ens_formula_peek(p);
    where = p->at;
    if (ens_formula_at_name(p->at))
        s = ens_formula_take_name(p, &name, &n);
    if (s == ENS_OK &&
        (n != 2 || strncmp(name, "se", 2) != 0 || ens_formula_peek(p) != '('))
        return ens_formula_fail(p, where,
                                "behind '|' of a response stands se(EXPR), "
                                "its standard errors");
    ens_formula_begin(p);
    if (s == ENS_OK)
        s = ens_formula_primary(p); /* the bracket */
    return s == ENS_OK ? ens_formula_end(p, first_op, &p->f->se) : s;
}
