#include "fit/design.h"

#include "base/buf.h"
#include "base/number.h"
#include "fit/deparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct planner {
    struct ens_design *d;
    const struct ens_formula *f;
    const struct ens_data *data;
    struct ens_arena *arena;
    struct ens_error *err;
};

static enum ens_status out_of_memory(struct planner *p)
{
    return ens_fail(p->err, ENS_ENOMEMORY, "columns of '%.120s'", p->f->text);
}

static enum ens_status fail_variable(struct planner *p, const char *name,
                                     const char *what)
{
    return ens_fail(p->err, ENS_ESTUDY, "formula '%.120s': '%.80s' %s",
                    p->f->text, name, what);
}

static const struct ens_data_column *column_of(const struct planner *p,
                                               uint32_t var)
{
    return p->data->column ? &p->data->column[p->d->column_of[var]] : NULL;
}

/* -- levels ---------------------------------------------------------------- */

struct finder { /* of the different values of a variable */
    double value[ENS_DESIGN_MAX_LEVELS + 1]; /* ascending */
    uint32_t n;
};

static void note(struct finder *s, const double *v, size_t n)
{
    for (size_t i = 0; i < n && s->n <= ENS_DESIGN_MAX_LEVELS; i++) {
        uint32_t low = 0, high = s->n;

        while (low < high) {
            uint32_t mid = (low + high) / 2;

            if (s->value[mid] < v[i])
                low = mid + 1;
            else
                high = mid;
        }
        if (isnan(v[i]) || (low < s->n && s->value[low] == v[i]))
            continue;
        memmove(&s->value[low + 1], &s->value[low],
                (s->n - low) * sizeof(s->value[0]));
        s->value[low] = v[i];
        s->n++;
    }
}

/* All values of a variable, block by block. */
static enum ens_status find_values(struct planner *p,
                                   const struct ens_formula_expr *e,
                                   struct finder *found)
{
    const struct ens_formula *f = p->f;
    size_t blocks = f->n_vars + f->depth + 1;
    double *work = malloc(blocks * ENS_FORMULA_BLOCK * sizeof(*work));
    const double **vars = malloc((f->n_vars + 1) * sizeof(*vars));
    double *out = work ? work + (blocks - 1) * ENS_FORMULA_BLOCK : NULL;

    for (size_t first = 0; work && vars && first < p->data->n;
         first += ENS_FORMULA_BLOCK) {
        size_t left = p->data->n - first;
        size_t n = left < ENS_FORMULA_BLOCK ? left : ENS_FORMULA_BLOCK;

        for (size_t k = 0; k < e->n_ops; k++)
            if (e->op[k].code == ENS_OP_VAR) {
                uint32_t var = e->op[k].var;

                vars[var] = ens_data_rows(p->data, p->d->column_of[var], first,
                                          n, work + var * ENS_FORMULA_BLOCK);
            }
        ens_formula_eval(e, vars, n, work + f->n_vars * ENS_FORMULA_BLOCK, out);
        note(found, out, n);
    }
    free(vars);
    if (!work || !vars) {
        free(work);
        return out_of_memory(p);
    }
    free(work);
    return ENS_OK;
}

static char *number_name(struct planner *p, double v)
{
    struct ens_buf b = ENS_BUF_INIT;
    char *text;

    if (v < 0)
        ens_buf_puts(&b, "-");
    if (isinf(v))
        ens_buf_puts(&b, "Inf");
    else
        ens_deparse_number(&b, fabs(v));
    text = ens_arena_strdup(p->arena, ens_buf_text(&b));
    ens_buf_fini(&b);
    return text;
}

/* Whole numbers of an integer column are named as R names integers: 100000,
 * which as doubles are 1e+05. */
static const char *level_name(struct planner *p,
                              const struct ens_data_column *c, double v)
{
    char text[ENS_NUMBER_BYTES];

    if (c && c->level)
        return v >= 0 && v < c->n_levels ? c->level[(size_t)v] : NULL;
    if (c && c->view && c->view->dtype != ENS_DT_F64 &&
        c->view->dtype != ENS_DT_F32 && c->view->dtype != ENS_DT_F16 &&
        fabs(v) < 9e15) {
        ens_number_format_i64(text, (int64_t)v);
        return ens_arena_strdup(p->arena, text);
    }
    return number_name(p, v);
}

static enum ens_status keep_levels(struct planner *p,
                                   const struct ens_formula_expr *e,
                                   struct ens_design_variable *to,
                                   struct finder *found)
{
    const struct ens_data_column *c =
        e->n_ops == 1 ? column_of(p, e->op[0].var) : NULL;
    uint32_t skip = 0;
    double *value;

    while (c && c->level && skip < found->n && found->value[skip] < 0)
        skip++; /* missing text */
    to->n_levels = found->n - skip;
    value = ens_arena_alloc(p->arena, to->n_levels + 1, sizeof(*value));
    to->level = ens_arena_alloc(p->arena, to->n_levels + 1, sizeof(*to->level));
    if (!value || !to->level)
        return out_of_memory(p);
    memcpy(value, found->value + skip, to->n_levels * sizeof(*value));
    to->value = value;
    for (uint32_t i = 0; i < to->n_levels; i++) {
        to->level[i] = level_name(p, c, value[i]);
        if (!to->level[i])
            return out_of_memory(p);
    }
    return ENS_OK;
}

/* Of a column of text whose rows are not known before they are generated. */
static void take_all_levels(const struct ens_data_column *c,
                            struct finder *found)
{
    uint32_t most = ENS_DESIGN_MAX_LEVELS + 1;

    found->n = c->n_levels < most ? c->n_levels : most;
    for (uint32_t i = 0; i < found->n; i++)
        found->value[i] = i;
}

/* Is nothing known of a column that is mentioned, or just its levels? */
static int is_generated(const struct planner *p,
                        const struct ens_formula_expr *e)
{
    for (size_t k = 0; k < e->n_ops; k++) {
        const struct ens_data_column *c;

        if (e->op[k].code != ENS_OP_VAR)
            continue;
        c = column_of(p, e->op[k].var);
        if (!c || (!c->values && !c->view))
            return 1;
    }
    return 0;
}

static enum ens_status plan_factor(struct planner *p,
                                   const struct ens_formula_expr *e,
                                   struct ens_design_variable *to)
{
    const struct ens_data_column *c =
        e->n_ops == 1 ? column_of(p, e->op[0].var) : NULL;
    int generated = is_generated(p, e);
    struct finder *found;
    enum ens_status s = ENS_OK;

    if (generated && !(c && c->level))
        return fail_variable(p, e->name,
                             "is a factor of generated values, whose levels "
                             "are not known beforehand");
    found = calloc(1, sizeof(*found));
    if (!found)
        return out_of_memory(p);
    if (generated)
        take_all_levels(c, found);
    else
        s = find_values(p, e, found);
    if (s == ENS_OK && found->n > ENS_DESIGN_MAX_LEVELS)
        s = fail_variable(p, e->name,
                          "is a factor of more than 1000 levels: an "
                          "identifier, or numbers with a text among them?");
    if (s == ENS_OK)
        s = keep_levels(p, e, to, found);
    if (s == ENS_OK && to->n_levels < 2)
        s = fail_variable(p, e->name, "is a factor of fewer than 2 levels");
    free(found);
    return s;
}

/* -- variables ------------------------------------------------------------- */

/* Text stands alone, or as the argument of factor(). */
static enum ens_status
check_text(struct planner *p, const struct ens_formula_expr *e, int may_be_text)
{
    for (size_t k = 0; k < e->n_ops; k++) {
        const struct ens_data_column *c;

        if (e->op[k].code != ENS_OP_VAR)
            continue;
        c = column_of(p, e->op[k].var);
        if (c && c->level && !(may_be_text && e->n_ops == 1))
            return fail_variable(p, p->f->var[e->op[k].var],
                                 "is a column of text: it can stand as a term "
                                 "of its own or with : and *");
    }
    return ENS_OK;
}

static enum ens_status plan_variable(struct planner *p, size_t i)
{
    const struct ens_formula_variable *v = &p->f->variable[i];
    struct ens_design_variable *to = &p->d->variable[i];
    const struct ens_data_column *c =
        v->expr.n_ops == 1 && v->expr.op[0].code == ENS_OP_VAR
            ? column_of(p, v->expr.op[0].var)
            : NULL;
    int may_be_text =
        v->kind == ENS_V_FACTOR || (v->kind == ENS_V_NUMBER && !v->is_offset);
    enum ens_status s = check_text(p, &v->expr, may_be_text);

    if (s != ENS_OK)
        return s;
    to->is_text = c && c->level;
    to->kind = to->is_text ? ENS_V_FACTOR : v->kind;
    p->d->has_offset |= v->is_offset;
    return to->kind == ENS_V_FACTOR && to->is_used
               ? plan_factor(p, &v->expr, to)
               : ENS_OK;
}

static enum ens_status plan_groups(struct planner *p)
{
    enum ens_status s = ENS_OK;

    p->d->n_groups = p->f->n_groups;
    p->d->group =
        ens_arena_alloc(p->arena, p->f->n_groups + 1, sizeof(*p->d->group));
    if (!p->d->group)
        return out_of_memory(p);
    for (size_t k = 0; s == ENS_OK && k < p->f->n_groups; k++) {
        p->d->group[k] =
            (struct ens_design_variable){.kind = ENS_V_FACTOR, .is_used = 1};
        s = plan_factor(p, &p->f->group[k], &p->d->group[k]);
    }
    return s;
}

/* Not those of terms that were taken away again. */
static void mark_used(struct planner *p)
{
    for (size_t i = 0; i < p->f->n_variables; i++)
        p->d->variable[i].is_used = p->f->variable[i].is_offset;
    for (size_t j = 0; j < p->f->n_terms; j++)
        for (size_t k = 0; k < p->f->term[j].n_parts; k++)
            p->d->variable[p->f->term[j].part[k]].is_used = 1;
}

/* -- columns --------------------------------------------------------------- */

/* Do all variables of t but `without` stand in term u? */
static int holds(const struct ens_formula_term *u,
                 const struct ens_formula_term *t, uint32_t without)
{
    size_t k = 0;

    for (size_t i = 0; i < t->n_parts; i++) {
        if (t->part[i] == without)
            continue;
        while (k < u->n_parts && u->part[k] < t->part[i])
            k++;
        if (k == u->n_parts || u->part[k] != t->part[i])
            return 0;
    }
    return 1;
}

/* R's TermCode: contrasts when the rest of the term stands before it. Without
 * an intercept the first factor of the first term that has one is coded in
 * full. */
static int is_contrast(const struct ens_formula *f, size_t term, uint32_t part,
                       int is_first_factor)
{
    const struct ens_formula_term *t = &f->term[term];
    int has_intercept = f->term[0].n_parts == 0;

    if (!has_intercept && is_first_factor)
        return 0;
    if (t->n_parts == 1)
        return 1;
    for (size_t u = 0; u < term; u++)
        if (f->term[u].n_parts > 0 && holds(&f->term[u], t, part))
            return 1;
    return 0;
}

struct code { /* of a variable in a term: columns first .. first + n - 1 */
    uint32_t first, n;
};

static enum ens_status add_column(struct planner *p,
                                  const struct ens_formula_term *t,
                                  const struct code *code, size_t number)
{
    struct ens_design_column *c = &p->d->column[p->d->n_columns];
    struct ens_design_part *part =
        ens_arena_alloc(p->arena, t->n_parts + 1, sizeof(*part));
    struct ens_buf name = ENS_BUF_INIT;

    for (size_t k = 0; part && k < t->n_parts; k++) {
        const struct ens_design_variable *v = &p->d->variable[t->part[k]];

        part[k].variable = t->part[k];
        part[k].index = code[k].first + (uint32_t)(number % code[k].n);
        number /= code[k].n;
        ens_buf_printf(&name, "%s%s", k ? ":" : "",
                       p->f->variable[t->part[k]].expr.name);
        if (v->kind == ENS_V_FACTOR)
            ens_buf_puts(&name, v->level[part[k].index]);
        else if (v->kind != ENS_V_NUMBER && code[k].n > 1) /* as R does */
            ens_buf_printf(&name, "%u", part[k].index + 1);
    }
    c->name = t->n_parts == 0 ? ENS_FORMULA_INTERCEPT
                              : ens_arena_strdup(p->arena, ens_buf_text(&name));
    c->part = part;
    c->n_parts = t->n_parts;
    ens_buf_fini(&name);
    if (!part || !c->name)
        return out_of_memory(p);
    p->d->n_columns++;
    return ENS_OK;
}

/* Columns of each term's variables; returns their product, 0: too many. */
static size_t code_term(const struct planner *p, size_t term, int *seen_factor,
                        struct code *code)
{
    const struct ens_formula_term *t = &p->f->term[term];
    size_t n = 1;

    for (size_t k = 0; k < t->n_parts; k++) {
        const struct ens_design_variable *v = &p->d->variable[t->part[k]];

        code[k] = (struct code){0, 1};
        if (v->kind == ENS_V_FACTOR) {
            code[k].first =
                (uint32_t)is_contrast(p->f, term, t->part[k], !*seen_factor);
            code[k].n = v->n_levels - code[k].first;
            *seen_factor = 1;
        } else if (v->kind != ENS_V_NUMBER) {
            code[k].n = p->f->variable[t->part[k]].df;
        }
        n *= code[k].n;
        if (n > ENS_DESIGN_MAX_COLUMNS)
            return 0;
    }
    return n;
}

static enum ens_status plan_columns(struct planner *p)
{
    struct code *code;
    enum ens_status s = ENS_OK;
    size_t cap = 0;

    p->d->column = NULL;
    /* once to count, once to keep */
    for (int pass = 0; pass < 2; pass++) {
        int seen_factor = 0;

        if (pass == 1)
            p->d->column =
                ens_arena_alloc(p->arena, cap, sizeof(*p->d->column));
        for (size_t j = 0; s == ENS_OK && j < p->f->n_terms; j++) {
            const struct ens_formula_term *t = &p->f->term[j];
            size_t n;

            code = ens_arena_alloc(p->arena, t->n_parts + 1, sizeof(*code));
            if (!code || (pass == 1 && !p->d->column))
                return out_of_memory(p);
            n = code_term(p, j, &seen_factor, code);
            cap += n;
            if (n == 0 || (pass == 0 && cap > ENS_DESIGN_MAX_COLUMNS))
                return fail_variable(p, t->name,
                                     "takes the model matrix beyond 20000 "
                                     "columns");
            for (size_t i = 0; pass == 1 && s == ENS_OK && i < n; i++)
                s = add_column(p, t, code, i);
        }
    }
    return s;
}

static int by_name(const void *a, const void *b)
{
    const struct ens_design_column *const *x = a;
    const struct ens_design_column *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* "ab" of variable a's level "b" may also be a column's name. */
static enum ens_status check_names(struct planner *p)
{
    size_t n = p->d->n_columns;
    const struct ens_design_column **list = malloc((n + 1) * sizeof(*list));
    enum ens_status s = ENS_OK;

    if (!list)
        return out_of_memory(p);
    for (size_t j = 0; j < n; j++)
        list[j] = &p->d->column[j];
    qsort(list, n, sizeof(*list), by_name);
    for (size_t j = 1; s == ENS_OK && j < n; j++)
        if (strcmp(list[j - 1]->name, list[j]->name) == 0)
            s = fail_variable(p, list[j]->name,
                              "is the name of two columns of the model "
                              "matrix; rename one in the data");
    free(list);
    return s;
}

enum ens_status ens_design_plan(struct ens_design *d,
                                const struct ens_formula *f,
                                const struct ens_data *data,
                                struct ens_arena *arena, struct ens_error *err)
{
    struct ens_design g = {.f = f};
    struct planner p = {&g, f, data, arena, err};
    enum ens_status s;

    g.column_of = ens_arena_alloc(arena, f->n_vars + 1, sizeof(*g.column_of));
    g.variable =
        ens_arena_alloc(arena, f->n_variables + 1, sizeof(*g.variable));
    if (!g.column_of || !g.variable)
        return out_of_memory(&p);
    memset(g.variable, 0, (f->n_variables + 1) * sizeof(*g.variable));
    s = ens_formula_bind(f, data->name, data->n_columns, g.column_of, err);
    if (s == ENS_OK)
        s = check_text(&p, &f->response, 0);
    mark_used(&p);
    for (size_t i = 0; s == ENS_OK && i < f->n_variables; i++)
        s = plan_variable(&p, i);
    g.has_se = f->se.n_ops > 0;
    if (s == ENS_OK && g.has_se)
        s = check_text(&p, &f->se, 0);
    if (s == ENS_OK)
        s = plan_groups(&p);
    if (s == ENS_OK)
        s = plan_columns(&p);
    if (s == ENS_OK)
        s = check_names(&p);
    if (s == ENS_OK)
        *d = g;
    return s;
}
