/* Model formulas as in R: `y ~ a + b + I(EXPR)`, with `-1`, `0`, `- a`.
 *
 * Read so far: sums of columns, I(EXPR), log(EXPR), exp(EXPR), sqrt(EXPR);
 * EXPR and the response are arithmetic over columns and numbers with
 * + - * / ^ log exp sqrt and parentheses, by R's precedence (-a^2 is -(a^2),
 * 2^3^2 is 2^(3^2)). Interactions, factors, splines and offsets are refused
 * by name. Terms are named as R deparses them (`I(a * b)`, `I(dist/100)`,
 * `I(x^1e+05)`), but the intercept is "intercept"; equal names are one term.
 *
 * formula.c (text -> terms, each a postfix program) -> design.h (terms over
 * data -> model matrix).
 */
#ifndef ENS_FIT_FORMULA_H
#define ENS_FIT_FORMULA_H

#include "base/arena.h"
#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

#define ENS_FORMULA_INTERCEPT "intercept"
/* Rows evaluated at once: a stack of a few blocks stays in L1. */
#define ENS_FORMULA_BLOCK       256
#define ENS_FORMULA_MAX_NESTING 100

/* X(NAME, operands) */
#define ENS_FORMULA_OPS(X)                                                     \
    X(VAR, 0)                                                                  \
    X(NUMBER, 0)                                                               \
    X(NEG, 1)                                                                  \
    X(LOG, 1)                                                                  \
    X(EXP, 1)                                                                  \
    X(SQRT, 1)                                                                 \
    X(ADD, 2)                                                                  \
    X(SUB, 2)                                                                  \
    X(MUL, 2)                                                                  \
    X(DIV, 2)                                                                  \
    X(POW, 2)

enum ens_formula_code {
#define ENS_FORMULA_ENUM(name, operands) ENS_OP_##name,
    ENS_FORMULA_OPS(ENS_FORMULA_ENUM)
#undef ENS_FORMULA_ENUM
};

struct ens_formula_op {
    enum ens_formula_code code;
    uint32_t var; /* of VAR: index in ens_formula.var */
    double value; /* of NUMBER */
};

struct ens_formula_term {
    const char *name;
    const struct ens_formula_op *op; /* postfix; n_ops 0: the intercept */
    size_t n_ops;
};

struct ens_formula {
    const char *text;
    size_t n_vars; /* columns it mentions, in order of first mention */
    const char **var;
    size_t *var_at; /* where in text each is first mentioned */
    struct ens_formula_term response;
    size_t n_terms; /* the intercept, if any, is term 0 */
    struct ens_formula_term *term;
    size_t depth; /* deepest stack of any program */
};

/**
 * Parse a formula; everything is kept in the arena.
 * Errors:  ENS_ESTUDY "formula 'TEXT', position N: ..."; ENS_ENOMEMORY.
 */
enum ens_status ens_formula_parse(struct ens_formula *f, const char *text,
                                  struct ens_arena *arena,
                                  struct ens_error *err);

/**
 * Find the formula's columns: column_of[n_vars] gets their indices.
 * column_of may be NULL (only check). ENS_ESTUDY names the missing column
 * and those there are.
 */
enum ens_status ens_formula_bind(const struct ens_formula *f,
                                 const char *const *columns, size_t n,
                                 uint32_t *column_of, struct ens_error *err);

/**
 * Values of a term in n <= ENS_FORMULA_BLOCK rows.
 * Shapes:  vars[n_vars], each n values; stack[depth * ENS_FORMULA_BLOCK];
 *          out[n]. x^2 is x*x as in R; log of a negative number is NaN.
 */
void ens_formula_eval(const struct ens_formula_term *t,
                      const double *const *vars, size_t n, double *stack,
                      double *out);

#endif
