/* Inside formulas: a parser at a place of its text. expression.c reads
 * arithmetic, formula.c what stands between terms. */
#ifndef ENS_FIT_PARSER_H
#define ENS_FIT_PARSER_H

#include "base/buf.h"
#include "fit/formula.h"

struct ens_formula_set { /* of terms */
    struct ens_formula_term *item;
    size_t n, cap;
};

struct ens_formula_parser {
    struct ens_formula *f;
    struct ens_arena *arena;
    struct ens_error *err;
    const char *const *column; /* of the data, for '.' */
    size_t n_columns;
    const char *at;            /* next character */
    struct ens_buf name;       /* deparsed text of the present expression */
    struct ens_formula_op *op; /* all programs, one after the other */
    size_t n_ops;
    size_t stack; /* of the present program */
    size_t nesting;
    size_t brackets;   /* open ones between terms */
    size_t n_response; /* columns that the response mentions */
    size_t n_kept;     /* terms put into sets so far, to bound the work */
    int intercept;
};

/* Errors: ENS_ESTUDY with the formula and the position. */
enum ens_status ens_formula_fail(struct ens_formula_parser *p,
                                 const char *where, const char *fmt, ...)
    ENS_PRINTF(3, 4);
enum ens_status ens_formula_unexpected(struct ens_formula_parser *p,
                                       const char *expected);

/** Next character that is not a blank; the parser stands at it. */
char ens_formula_peek(struct ens_formula_parser *p);
int ens_formula_at_number(const char *s);
int ens_formula_at_name(const char *s);
/** A name; *n its bytes without backquotes. The parser stands behind it. */
enum ens_status ens_formula_take_name(struct ens_formula_parser *p,
                                      const char **name, size_t *n);
enum ens_status ens_formula_take_number(struct ens_formula_parser *p,
                                        double *v);

/* Arithmetic: programs behind p->op, text in p->name; begin .. end. */
void ens_formula_begin(struct ens_formula_parser *p);
enum ens_status ens_formula_primary(struct ens_formula_parser *p);
enum ens_status ens_formula_product(struct ens_formula_parser *p);
enum ens_status ens_formula_sum(struct ens_formula_parser *p);
enum ens_status ens_formula_emit_var(struct ens_formula_parser *p,
                                     const char *name, size_t n);
enum ens_status ens_formula_end(struct ens_formula_parser *p, size_t first_op,
                                struct ens_formula_expr *e);

/** Is it a function that makes columns of its own (factor, poly ...)? */
int ens_formula_is_basis(const char *name, size_t n);
/** name(...), the parser at the bracket; kind and arguments into v. */
enum ens_status ens_formula_basis(struct ens_formula_parser *p,
                                  const char *name, size_t n,
                                  struct ens_formula_variable *v);

/** Does a group begin here, "(1 |"? Anything else before the bar is told when
 * the bar is met. */
int ens_formula_at_group(const struct ens_formula_parser *p);
/** "(1 | g)", the parser at the bracket. */
enum ens_status ens_formula_group(struct ens_formula_parser *p);
/** "| se(EXPR)", the parser at the bar behind the response. */
enum ens_status ens_formula_se(struct ens_formula_parser *p);

#endif
