#include "fit/formula.h"

#include "base/buf.h"
#include "base/bug.h"

#include <math.h>
#include <string.h>

static enum ens_status fail_column(const struct ens_formula *f, size_t var,
                                   const char *const *columns, size_t n,
                                   struct ens_error *err)
{
    struct ens_buf list = ENS_BUF_INIT;
    enum ens_status s;

    for (size_t i = 0; i < n && list.len < 200; i++)
        ens_buf_printf(&list, "%s%s", i ? ", " : "", columns[i]);
    if (n == 0)
        ens_buf_puts(&list, "it has no named columns");
    else if (list.len >= 200)
        ens_buf_puts(&list, " ...");
    s = ens_fail(err, ENS_ESTUDY,
                 "formula '%.120s', position %zu: no column '%s' (columns: %s)",
                 f->text, f->var_at[var] + 1, f->var[var], ens_buf_text(&list));
    ens_buf_fini(&list);
    return s;
}

enum ens_status ens_formula_bind(const struct ens_formula *f,
                                 const char *const *columns, size_t n,
                                 uint32_t *column_of, struct ens_error *err)
{
    for (size_t v = 0; v < f->n_vars; v++) {
        size_t i = 0;

        while (i < n && strcmp(columns[i], f->var[v]) != 0)
            i++;
        if (i == n)
            return fail_column(f, v, columns, n, err);
        if (column_of)
            column_of[v] = (uint32_t)i;
    }
    return ENS_OK;
}

/* R's R_pow: x * x at 2, where pow is not exact, and no limits of pow at
 * infinity for a negative x. */
static double power(double x, double y)
{
    if (y == 2)
        return x * x;
    if (x < 0 && (isinf(y) || (isinf(x) && y != floor(y))))
        return NAN;
    return pow(x, y);
}

static void unary(enum ens_formula_code code, size_t n, double *a)
{
    double (*fn)(double) = code == ENS_OP_LOG   ? log
                           : code == ENS_OP_EXP ? exp
                                                : sqrt;

    for (size_t i = 0; i < n; i++)
        a[i] = code == ENS_OP_NEG ? -a[i] : fn(a[i]);
}

/* a = a OP b */
static void binary(enum ens_formula_code code, size_t n, double *a,
                   const double *b)
{
    if (code == ENS_OP_ADD)
        for (size_t i = 0; i < n; i++)
            a[i] += b[i];
    else if (code == ENS_OP_SUB)
        for (size_t i = 0; i < n; i++)
            a[i] -= b[i];
    else if (code == ENS_OP_MUL)
        for (size_t i = 0; i < n; i++)
            a[i] *= b[i];
    else if (code == ENS_OP_DIV)
        for (size_t i = 0; i < n; i++)
            a[i] /= b[i];
    else
        for (size_t i = 0; i < n; i++)
            a[i] = power(a[i], b[i]);
}

void ens_formula_eval(const struct ens_formula_expr *e,
                      const double *const *vars, size_t n, double *stack,
                      double *out)
{
    double *top = stack; /* first free block */

    ENS_BUG_ON(n > ENS_FORMULA_BLOCK);
    for (size_t k = 0; k < e->n_ops; k++) {
        const struct ens_formula_op *op = &e->op[k];

        if (op->code == ENS_OP_VAR) {
            memcpy(top, vars[op->var], n * sizeof(*top));
            top += ENS_FORMULA_BLOCK;
        } else if (op->code == ENS_OP_NUMBER) {
            for (size_t i = 0; i < n; i++)
                top[i] = op->value;
            top += ENS_FORMULA_BLOCK;
        } else if (op->code <= ENS_OP_SQRT) {
            unary(op->code, n, top - ENS_FORMULA_BLOCK);
        } else {
            top -= ENS_FORMULA_BLOCK;
            binary(op->code, n, top - ENS_FORMULA_BLOCK, top);
        }
    }
    memcpy(out, stack, n * sizeof(*out));
}
