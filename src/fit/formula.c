#include "fit/formula.h"

#include "fit/deparse.h"
#include "fit/parser.h"

#include <string.h>

/* Terms put into sets while one formula is read: a bound of the work. */
#define MAX_KEPT (10 * (size_t)ENS_FORMULA_MAX_TERMS)

static enum ens_status parse_terms(struct ens_formula_parser *p,
                                   struct ens_formula_set *set);

/* -- sets of terms --------------------------------------------------------- */

static int same_parts(const struct ens_formula_term *a,
                      const struct ens_formula_term *b)
{
    return a->n_parts == b->n_parts &&
           (a->n_parts == 0 ||
            memcmp(a->part, b->part, a->n_parts * sizeof(*a->part)) == 0);
}

static enum ens_status keep(struct ens_formula_parser *p,
                            struct ens_formula_set *set,
                            const struct ens_formula_term *t)
{
    for (size_t i = 0; i < set->n; i++)
        if (same_parts(&set->item[i], t))
            return ENS_OK;
    if (set->n == ENS_FORMULA_MAX_TERMS || ++p->n_kept > MAX_KEPT)
        return ens_formula_fail(p, p->at, "more than %d terms",
                                ENS_FORMULA_MAX_TERMS);
    if (set->n == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : 8;
        struct ens_formula_term *item =
            ens_arena_alloc(p->arena, cap, sizeof(*item));

        if (!item)
            return ens_fail(p->err, ENS_ENOMEMORY, "formula");
        if (set->n > 0)
            memcpy(item, set->item, set->n * sizeof(*item));
        set->item = item;
        set->cap = cap;
    }
    set->item[set->n++] = *t;
    return ENS_OK;
}

static void drop(struct ens_formula_set *set, const struct ens_formula_term *t)
{
    for (size_t i = 0; i < set->n; i++)
        if (same_parts(&set->item[i], t)) {
            set->n--;
            memmove(&set->item[i], &set->item[i + 1],
                    (set->n - i) * sizeof(set->item[0]));
            return;
        }
}

static enum ens_status add(struct ens_formula_parser *p,
                           struct ens_formula_set *to,
                           const struct ens_formula_set *from, int minus)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < from->n; i++) {
        if (minus)
            drop(to, &from->item[i]);
        else
            s = keep(p, to, &from->item[i]);
    }
    return s;
}

/* The variables of both, each once, ascending. */
static enum ens_status join(struct ens_formula_parser *p,
                            const struct ens_formula_term *a,
                            const struct ens_formula_term *b,
                            struct ens_formula_term *to)
{
    uint32_t *part =
        ens_arena_alloc(p->arena, a->n_parts + b->n_parts, sizeof(*part));
    size_t i = 0, j = 0, n = 0;

    if (!part)
        return ens_fail(p->err, ENS_ENOMEMORY, "formula");
    while (i < a->n_parts || j < b->n_parts) {
        uint32_t x = i < a->n_parts ? a->part[i] : UINT32_MAX;
        uint32_t y = j < b->n_parts ? b->part[j] : UINT32_MAX;

        part[n++] = x < y ? x : y;
        i += x <= y;
        j += y <= x;
    }
    *to = (struct ens_formula_term){NULL, part, n};
    return ENS_OK;
}

/* to = a:b, or a + b + a:b. */
static enum ens_status cross(struct ens_formula_parser *p, int with_parts,
                             struct ens_formula_set *a,
                             const struct ens_formula_set *b)
{
    struct ens_formula_set to = {0};
    enum ens_status s = ENS_OK;

    if (with_parts)
        s = add(p, &to, a, 0);
    if (with_parts && s == ENS_OK)
        s = add(p, &to, b, 0);
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; s == ENS_OK && j < b->n; j++) {
            struct ens_formula_term t;

            s = join(p, &a->item[i], &b->item[j], &t);
            if (s == ENS_OK)
                s = keep(p, &to, &t);
        }
    *a = to;
    return s;
}

/* -- variables ------------------------------------------------------------- */

static uint32_t find_variable(const struct ens_formula *f, const char *name)
{
    uint32_t i = 0;

    while (i < f->n_variables && strcmp(f->variable[i].expr.name, name) != 0)
        i++;
    return i;
}

/* The variable of that name, made if there is none, into the set. */
static enum ens_status keep_variable(struct ens_formula_parser *p,
                                     const struct ens_formula_variable *v,
                                     struct ens_formula_set *set)
{
    struct ens_formula *f = p->f;
    uint32_t *part = ens_arena_alloc(p->arena, 1, sizeof(*part));
    uint32_t i = find_variable(f, v->expr.name);

    if (i == f->n_variables)
        f->variable[f->n_variables++] = *v;
    if (!part)
        return ens_fail(p->err, ENS_ENOMEMORY, "formula");
    *part = i;
    return keep(p, set, &(struct ens_formula_term){NULL, part, 1});
}

/* '.': the columns that the response does not name, those before it first
 * mentioned there. */
static enum ens_status parse_dot(struct ens_formula_parser *p,
                                 struct ens_formula_set *set)
{
    struct ens_formula *f = p->f;
    const char *where = p->at++;
    enum ens_status s = ENS_OK;

    if (p->n_columns == 0 || p->column[0][0] == '\0')
        return ens_formula_fail(p, where,
                                "'.' stands for all other columns, but the "
                                "data have no named columns");
    if (p->n_columns > ENS_FORMULA_MAX_TERMS)
        return ens_formula_fail(p, where,
                                "'.' stands for %zu columns; at most %d",
                                p->n_columns, ENS_FORMULA_MAX_TERMS);
    for (size_t i = 0; s == ENS_OK && i < p->n_columns; i++) {
        struct ens_formula_variable v = {.kind = ENS_V_NUMBER};
        const char *name = p->column[i];
        size_t first = p->n_ops;
        size_t k = 0;

        while (k < p->n_response && strcmp(f->var[k], name) != 0)
            k++;
        if (k < p->n_response)
            continue;
        ens_formula_begin(p);
        ens_deparse_name(&p->name, name, strlen(name));
        v.expr.name = ens_buf_text(&p->name);
        /* of one that is there already no second program is kept */
        if (find_variable(f, v.expr.name) == f->n_variables) {
            s = ens_formula_emit_var(p, name, strlen(name));
            if (s == ENS_OK)
                s = ens_formula_end(p, first, &v.expr);
        }
        if (s == ENS_OK)
            s = keep_variable(p, &v, set);
    }
    return s;
}

static enum ens_status check_variable(struct ens_formula_parser *p,
                                      const char *where,
                                      const struct ens_formula_variable *v)
{
    if (strcmp(v->expr.name, p->f->response.name) == 0)
        return ens_formula_fail(p, where, "the response '%s' is also a term",
                                v->expr.name);
    if (v->is_offset && p->brackets > 0)
        return ens_formula_fail(p, where,
                                "offset() stands between + at the outside");
    return ENS_OK;
}

/* A column, I(...), a function of columns. */
static enum ens_status parse_variable(struct ens_formula_parser *p,
                                      struct ens_formula_set *set)
{
    const char *where = p->at;
    size_t first_op = p->n_ops;
    struct ens_formula_variable v = {.kind = ENS_V_NUMBER};
    const char *name;
    size_t n;
    enum ens_status s = ens_formula_take_name(p, &name, &n);

    if (s != ENS_OK)
        return s;
    ens_formula_begin(p);
    if (name[n] != '`' && ens_formula_peek(p) == '(' &&
        ens_formula_is_basis(name, n)) {
        s = ens_formula_basis(p, name, n, &v);
    } else {
        p->at = where;
        s = ens_formula_primary(p);
    }
    if (s == ENS_OK)
        s = ens_formula_end(p, first_op, &v.expr);
    if (s == ENS_OK)
        s = check_variable(p, where, &v);
    return s == ENS_OK ? keep_variable(p, &v, set) : s;
}

/* -- operators ------------------------------------------------------------- */

/* What stands outside I() though it may only stand inside. */
static enum ens_status fail_operator(struct ens_formula_parser *p,
                                     const char *where, const char *term)
{
    struct ens_error *err = p->err;
    char op[2] = {*where, '\0'};
    enum ens_status s;

    p->at = term;
    p->err = NULL; /* a proposal that cannot be read is just not made */
    ens_formula_begin(p);
    s = ens_formula_product(p);
    p->err = err;
    return ens_formula_fail(
        p, where,
        "'%s' between terms does not compute; for arithmetic write I(%s)", op,
        s == ENS_OK ? ens_buf_text(&p->name) : "dist/100");
}

/* Perhaps "^ number" behind a bracket or a dot. */
static enum ens_status parse_power(struct ens_formula_parser *p,
                                   struct ens_formula_set *set)
{
    struct ens_formula_set once = *set;
    const char *where;
    enum ens_status s;
    double v = 1;

    if (ens_formula_peek(p) != '^')
        return ENS_OK;
    p->at++;
    ens_formula_peek(p);
    where = p->at;
    if (!ens_formula_at_number(where))
        return ens_formula_unexpected(p, "a whole number");
    s = ens_formula_take_number(p, &v);
    if (s == ENS_OK && !(v >= 1 && v <= 20 && v == (double)(int)v))
        return ens_formula_fail(p, where,
                                "a power of terms is a whole number from 1 to "
                                "20");
    for (int k = 1; s == ENS_OK && k < (int)v; k++)
        s = cross(p, 1, set, &once);
    return s;
}

/* "( terms )", perhaps to a power. */
static enum ens_status parse_bracket(struct ens_formula_parser *p,
                                     struct ens_formula_set *set)
{
    const char *open = p->at++;
    enum ens_status s;

    if (++p->brackets > ENS_FORMULA_MAX_NESTING)
        return ens_formula_fail(p, open, "nested more than %d deep",
                                ENS_FORMULA_MAX_NESTING);
    s = parse_terms(p, set);
    if (s != ENS_OK)
        return s;
    p->at++; /* parse_terms stops at ')' */
    p->brackets--;
    return parse_power(p, set);
}

static enum ens_status parse_primary(struct ens_formula_parser *p,
                                     struct ens_formula_set *set)
{
    char c = ens_formula_peek(p);

    *set = (struct ens_formula_set){0};
    if (c == '(')
        return parse_bracket(p, set);
    if (!ens_formula_at_name(p->at))
        return ens_formula_unexpected(p, "a term");
    if (c == '.') {
        const char *end = p->at + 1;

        if (!ens_formula_at_name(end) && !ens_formula_at_number(end) &&
            *end != '_') {
            enum ens_status s = parse_dot(p, set);

            return s == ENS_OK ? parse_power(p, set) : s;
        }
    }
    return parse_variable(p, set);
}

static int is_offset(const struct ens_formula_parser *p,
                     const struct ens_formula_set *set)
{
    return set->n == 1 && p->f->variable[set->item[0].part[0]].is_offset;
}

/* One product: interactions joined by '*'. */
static enum ens_status parse_product(struct ens_formula_parser *p,
                                     struct ens_formula_set *set)
{
    const char *term = p->at;
    enum ens_status s = parse_primary(p, set);
    struct ens_formula_set left = {0}; /* of the last '*' */
    int has_left = 0;

    while (s == ENS_OK) {
        struct ens_formula_set right;
        char op = ens_formula_peek(p);
        const char *where = p->at;

        if (op == '/' || op == '^')
            return fail_operator(p, where, term);
        if ((op == ':' || op == '*') && is_offset(p, set))
            return ens_formula_fail(p, where,
                                    "offset() stands between + at the outside");
        if (op != ':' && has_left)
            s = cross(p, 1, &left, set);
        else if (op != ':')
            left = *set;
        if (s != ENS_OK || (op != ':' && op != '*'))
            break;
        p->at++;
        ens_formula_peek(p);
        if (op == '*' && ens_formula_at_number(p->at))
            return fail_operator(p, where, term);
        s = parse_primary(p, &right);
        if (s == ENS_OK && is_offset(p, &right))
            return ens_formula_fail(p, where,
                                    "offset() stands between + at the outside");
        if (op == ':' && s == ENS_OK)
            s = cross(p, 0, set, &right);
        if (op == '*') {
            *set = right;
            has_left = 1;
        }
    }
    *set = left;
    return s;
}

/* The 0 or 1 of an intercept. */
static enum ens_status parse_intercept(struct ens_formula_parser *p, int minus)
{
    const char *where = p->at;
    double v;
    enum ens_status s = ens_formula_take_number(p, &v);
    char c;

    if (s != ENS_OK)
        return s;
    c = ens_formula_peek(p);
    if (c == '*' || c == '/' || c == '^')
        return fail_operator(p, p->at, where);
    if (v != 0 && v != 1)
        return ens_formula_fail(p, where,
                                "a number between terms must be 0 or 1");
    if (p->brackets > 0)
        return ens_formula_fail(p, where,
                                "the intercept's 0 or 1 within brackets");
    p->intercept = (v == 1) != minus;
    return ENS_OK;
}

static enum ens_status parse_one(struct ens_formula_parser *p, int minus,
                                 struct ens_formula_set *set)
{
    struct ens_formula_set product;
    const char *where;
    enum ens_status s;

    ens_formula_peek(p);
    where = p->at;
    if (ens_formula_at_group(p))
        return minus || p->brackets > 0
                   ? ens_formula_fail(p, where,
                                      "(1 | g) stands between + at the "
                                      "outside")
                   : ens_formula_group(p);
    if (*where == '-') { /* + -1 */
        p->at++;
        ens_formula_peek(p);
        if (ens_formula_at_number(p->at))
            return parse_intercept(p, !minus);
        p->at = where;
    }
    if (ens_formula_at_number(where))
        return parse_intercept(p, minus);
    s = parse_product(p, &product);
    if (s == ENS_OK && minus && is_offset(p, &product))
        return ens_formula_fail(p, where, "offset() cannot be taken away");
    return s == ENS_OK ? add(p, set, &product, minus) : s;
}

/* Up to the end, or the ')' of a bracket. */
static enum ens_status parse_terms(struct ens_formula_parser *p,
                                   struct ens_formula_set *set)
{
    char c = ens_formula_peek(p);
    enum ens_status s;

    if (c == '+' || c == '-')
        p->at++;
    for (;;) {
        s = parse_one(p, c == '-', set);
        if (s != ENS_OK)
            return s;
        c = ens_formula_peek(p);
        if (c == (p->brackets > 0 ? ')' : '\0'))
            return ENS_OK;
        if (c == '|')
            return ens_formula_fail(p, p->at,
                                    "a group is (1 | g): an intercept per "
                                    "level of column g");
        if (c != '+' && c != '-')
            return ens_formula_unexpected(p, p->brackets > 0
                                                 ? "an operator or ')'"
                                                 : "'+', '-' or the end");
        p->at++;
    }
}

/* -- the whole ------------------------------------------------------------- */

static enum ens_status name_term(struct ens_formula_parser *p,
                                 struct ens_formula_term *t)
{
    ens_formula_begin(p);
    for (size_t k = 0; k < t->n_parts; k++) {
        ens_buf_puts(&p->name, k ? ":" : "");
        ens_buf_puts(&p->name, p->f->variable[t->part[k]].expr.name);
    }
    t->name = ens_arena_strdup(p->arena, ens_buf_text(&p->name));
    return t->name && !p->name.failed
               ? ENS_OK
               : ens_fail(p->err, ENS_ENOMEMORY, "formula");
}

/* The intercept, then terms of one variable, of two ...: R's order. */
static enum ens_status order_terms(struct ens_formula_parser *p,
                                   const struct ens_formula_set *set)
{
    struct ens_formula *f = p->f;
    size_t most = 0;
    enum ens_status s = ENS_OK;

    f->term = ens_arena_alloc(p->arena, set->n + 1, sizeof(*f->term));
    if (!f->term)
        return ens_fail(p->err, ENS_ENOMEMORY, "formula");
    if (p->intercept)
        f->term[f->n_terms++] =
            (struct ens_formula_term){ENS_FORMULA_INTERCEPT, NULL, 0};
    for (size_t i = 0; i < set->n; i++)
        most = set->item[i].n_parts > most ? set->item[i].n_parts : most;
    for (size_t order = 1; order <= most; order++)
        for (size_t i = 0; s == ENS_OK && i < set->n; i++) {
            struct ens_formula_term *t = &f->term[f->n_terms];

            if (set->item[i].n_parts != order ||
                f->variable[set->item[i].part[0]].is_offset)
                continue;
            *t = set->item[i];
            s = name_term(p, t);
            f->n_terms++;
            if (s == ENS_OK && p->intercept &&
                strcmp(t->name, ENS_FORMULA_INTERCEPT) == 0)
                return ens_formula_fail(
                    p, p->at,
                    "a column named '%s' beside the intercept; write I(%s)",
                    t->name, t->name);
        }
    return s;
}

static enum ens_status parse_all(struct ens_formula_parser *p)
{
    struct ens_formula *f = p->f;
    struct ens_formula_set set = {0};
    enum ens_status s;

    if (ens_formula_peek(p) == '~')
        return ens_formula_fail(p, p->at, "no response before '~'");
    ens_formula_begin(p);
    s = ens_formula_sum(p);
    if (s == ENS_OK)
        s = ens_formula_end(p, 0, &f->response);
    if (s == ENS_OK && ens_formula_peek(p) == '|')
        s = ens_formula_se(p);
    if (s != ENS_OK)
        return s;
    if (ens_formula_peek(p) != '~')
        return ens_formula_unexpected(p, "'~'");
    if (f->n_vars == 0)
        return ens_formula_fail(p, f->text, "the response names no column");
    p->at++;
    p->intercept = 1;
    p->n_response = f->n_vars;
    s = parse_terms(p, &set);
    if (s == ENS_OK)
        s = order_terms(p, &set);
    if (s == ENS_OK && f->n_terms == 0)
        return ens_formula_fail(p, p->at, "no term and no intercept");
    return s;
}

enum ens_status ens_formula_parse(struct ens_formula *f, const char *text,
                                  const char *const *column, size_t n,
                                  struct ens_arena *arena,
                                  struct ens_error *err)
{
    /* Each operation, column and variable takes a character at least, or
     * comes from a '.', which stands for all columns. */
    size_t dots = strchr(text, '.') ? n : 0;
    size_t cap = strlen(text) + 2 + dots;
    struct ens_formula g = {0};
    struct ens_formula_parser p = {
        .f = &g, .arena = arena, .err = err, .column = column, .n_columns = n};
    enum ens_status s;

    g.text = ens_arena_strdup(arena, text);
    g.var = ens_arena_alloc(arena, cap, sizeof(*g.var));
    g.var_at = ens_arena_alloc(arena, cap, sizeof(*g.var_at));
    g.variable = ens_arena_alloc(arena, cap, sizeof(*g.variable));
    /* twice: a proposal (fail_operator) reads a term again */
    p.op = ens_arena_alloc(arena, 2 * cap, sizeof(*p.op));
    g.group = ens_arena_alloc(arena, cap, sizeof(*g.group));
    if (!g.text || !g.group || !g.var || !g.var_at || !g.variable || !p.op)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    p.at = g.text;
    s = parse_all(&p);
    ens_buf_fini(&p.name);
    if (s == ENS_OK)
        *f = g;
    return s;
}
