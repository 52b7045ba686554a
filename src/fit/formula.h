/* Model formulas as in R.
 *
 * Between terms: + - : * ^ (a power of a bracket or of '.'), brackets, '.' for
 * the columns that the response does not name, 1 and 0 for the intercept. A
 * term is made of variables: columns (one of text is a factor), I(EXPR),
 * log(EXPR), exp(EXPR), sqrt(EXPR), factor(EXPR), poly(EXPR, d), bs(EXPR, df =
 * ), ns(EXPR, df = ); offset(EXPR) stands beside them. EXPR and the response
 * are arithmetic over columns and numbers with + - * / ^ log exp sqrt and
 * brackets, by R's precedence (-a^2 is -(a^2), 2^3^2 is 2^(3^2)). Variables
 * are named as R deparses them (`I(a * b)`, `I(dist/100)`, `I(x^1e+05)`),
 * terms ordered as R does: by the number of their variables. The intercept is
 * named "intercept". "(1 | g)" is a group: an intercept of its own for each
 * level of column g; "y | se(EXPR)" a response of known standard errors.
 *
 * expression.c (arithmetic -> postfix programs), formula.c (text -> terms) ->
 * design.h (terms over data -> columns of a model matrix).
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
#define ENS_FORMULA_MAX_TERMS   4096

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

struct ens_formula_expr {
    const char *name;
    const struct ens_formula_op *op; /* postfix */
    size_t n_ops;
};

enum ens_variable_kind {
    ENS_V_NUMBER, /* or a column of text, when the program is one VAR */
    ENS_V_FACTOR,
    ENS_V_POLY,
    ENS_V_BS,
    ENS_V_NS
};

struct ens_formula_variable {
    struct ens_formula_expr expr; /* the name has the function around it */
    enum ens_variable_kind kind;
    unsigned df;     /* of POLY the degree: its columns */
    unsigned degree; /* of BS */
    int is_offset;
};

struct ens_formula_term {
    const char *name;     /* "a:b" */
    const uint32_t *part; /* variables, ascending */
    size_t n_parts;       /* 0: the intercept */
};

struct ens_formula {
    const char *text;
    size_t n_vars; /* columns it mentions, in order of first mention */
    const char **var;
    size_t *var_at; /* where in text each is first mentioned */
    struct ens_formula_expr response;
    size_t n_variables; /* in order of first mention */
    struct ens_formula_variable *variable;
    size_t n_terms; /* the intercept, if any, is term 0 */
    struct ens_formula_term *term;
    size_t n_groups; /* "(1 | g)", in the order written */
    struct ens_formula_expr *group;
    struct ens_formula_expr se; /* of "y | se(EXPR)"; n_ops 0: none */
    size_t depth;               /* deepest stack of any program */
};

/**
 * Parse a formula; everything is kept in the arena. column[n]: those of the
 * data, which '.' stands for.
 * Errors:  ENS_ESTUDY "formula 'TEXT', position N: ..."; ENS_ENOMEMORY.
 */
enum ens_status ens_formula_parse(struct ens_formula *f, const char *text,
                                  const char *const *column, size_t n,
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
 * Values of an expression in n <= ENS_FORMULA_BLOCK rows.
 * Shapes:  vars[n_vars], each n values; stack[depth * ENS_FORMULA_BLOCK];
 *          out[n]. x^2 is x*x as in R; log of a negative number is NaN.
 */
void ens_formula_eval(const struct ens_formula_expr *e,
                      const double *const *vars, size_t n, double *stack,
                      double *out);

#endif
