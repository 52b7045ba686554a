#include "fit/formula.h"

#include "base/buf.h"
#include "base/number.h"
#include "fit/deparse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Functions of formulas; those without a code are refused by name. */
static const struct function {
    const char *name;
    int arithmetic;
    enum ens_formula_code code;
} functions[] = {
    {"log", 1, ENS_OP_LOG}, {"exp", 1, ENS_OP_EXP}, {"sqrt", 1, ENS_OP_SQRT},
    {"factor", 0, 0},       {"poly", 0, 0},         {"bs", 0, 0},
    {"ns", 0, 0},           {"offset", 0, 0},
};

struct parser {
    struct ens_formula *f;
    struct ens_arena *arena;
    struct ens_error *err;
    const char *at;            /* next character */
    struct ens_buf name;       /* deparsed text of the present term */
    struct ens_formula_op *op; /* all programs, one after the other */
    size_t n_ops;
    size_t stack; /* of the present program */
    size_t nesting;
    int intercept;
};

static enum ens_status parse_sum(struct parser *p);

/* Bytes of the character at s, for messages. */
static int char_bytes(const char *s)
{
    int n = 1;

    if (((unsigned char)*s & 0xc0) == 0xc0)
        while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
            n++;
    return n;
}

static enum ens_status fail_at(struct parser *p, const char *where,
                               const char *fmt, ...) ENS_PRINTF(3, 4);

static enum ens_status fail_at(struct parser *p, const char *where,
                               const char *fmt, ...)
{
    char text[320];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return ens_fail(p->err, ENS_ESTUDY, "formula '%.120s', position %zu: %s",
                    p->f->text, (size_t)(where - p->f->text) + 1, text);
}

static enum ens_status fail_unexpected(struct parser *p, const char *expected)
{
    if (*p->at == '\0')
        return fail_at(p, p->at, "ends where %s should be", expected);
    return fail_at(p, p->at, "unexpected '%.*s', expected %s",
                   char_bytes(p->at), p->at, expected);
}

static char peek(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n')
        p->at++;
    return *p->at;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static int starts_number(const char *s)
{
    return is_digit(s[0]) || (s[0] == '.' && is_digit(s[1]));
}

static int starts_name(const char *s)
{
    return is_letter(s[0]) || s[0] == '`' || (s[0] == '.' && !is_digit(s[1]));
}

/* -- tokens --------------------------------------------------------------- */

/* A name; *n its bytes without backquotes. The parser stands behind it. */
static enum ens_status take_name(struct parser *p, const char **name, size_t *n)
{
    const char *end;

    if (*p->at == '`') {
        *name = p->at + 1;
        end = strchr(*name, '`');
        if (!end || end == *name)
            return fail_at(p, p->at, end ? "empty name" : "'`' is not closed");
        *n = (size_t)(end - *name);
        p->at = end + 1;
        return ENS_OK;
    }
    *name = p->at;
    while (is_letter(*p->at) || is_digit(*p->at) || *p->at == '.' ||
           *p->at == '_')
        p->at++;
    *n = (size_t)(p->at - *name);
    if (*n == 1 && **name == '.')
        return fail_at(p, *name,
                       "'.' (all other columns) is not supported yet; name "
                       "the columns");
    return ENS_OK;
}

static enum ens_status take_number(struct parser *p, double *v)
{
    const char *start = p->at;
    const char *s = start;

    while (is_digit(*s))
        s++;
    if (*s == '.')
        for (s++; is_digit(*s);)
            s++;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '+' || *s == '-')
            s++;
        while (is_digit(*s))
            s++;
    }
    if (ens_number_parse(start, (size_t)(s - start), v) != 0 || isinf(*v))
        return fail_at(p, start, "'%.*s' is not a number", (int)(s - start),
                       start);
    p->at = s;
    return ENS_OK;
}

/* -- arithmetic ------------------------------------------------------------ */

static void emit(struct parser *p, enum ens_formula_code code, uint32_t var,
                 double value)
{
    static const unsigned char operands[] = {
#define OPERANDS(name, operands) operands,
        ENS_FORMULA_OPS(OPERANDS)
#undef OPERANDS
    };
    struct ens_formula_op *op = &p->op[p->n_ops++];

    op->code = code;
    op->var = var;
    op->value = value;
    p->stack += 1;
    p->stack -= operands[code];
    if (p->stack > p->f->depth)
        p->f->depth = p->stack;
}

static enum ens_status emit_var(struct parser *p, const char *name, size_t n)
{
    struct ens_formula *f = p->f;
    size_t i;

    for (i = 0; i < f->n_vars; i++)
        if (strlen(f->var[i]) == n && memcmp(f->var[i], name, n) == 0)
            break;
    if (i == f->n_vars) {
        f->var[i] = ens_arena_strndup(p->arena, name, n);
        f->var_at[i] = (size_t)(name - f->text);
        if (!f->var[i])
            return ens_fail(p->err, ENS_ENOMEMORY, "formula");
        f->n_vars++;
    }
    emit(p, ENS_OP_VAR, (uint32_t)i, 0);
    return ENS_OK;
}

/* "( sum )", the parser at the bracket. */
static enum ens_status parse_bracket(struct parser *p)
{
    const char *open = p->at;
    enum ens_status s;

    if (++p->nesting > ENS_FORMULA_MAX_NESTING)
        return fail_at(p, open, "nested more than %d deep",
                       ENS_FORMULA_MAX_NESTING);
    p->at++;
    ens_buf_puts(&p->name, "(");
    s = parse_sum(p);
    if (s != ENS_OK)
        return s;
    if (peek(p) != ')')
        return fail_unexpected(p, "')' or an operator");
    p->at++;
    ens_buf_puts(&p->name, ")");
    p->nesting--;
    return ENS_OK;
}

/* name(...), the parser at the bracket. */
static enum ens_status parse_call(struct parser *p, const char *name, size_t n)
{
    const struct function *fn = NULL;
    enum ens_status s;

    if (n == 1 && *name == 'I') {
        ens_buf_puts(&p->name, "I");
        return parse_bracket(p);
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strlen(functions[i].name) == n &&
            memcmp(functions[i].name, name, n) == 0)
            fn = &functions[i];
    if (!fn)
        return fail_at(p, name,
                       "unknown function '%.*s' (there are log, exp, sqrt "
                       "and I)",
                       (int)n, name);
    if (!fn->arithmetic)
        return fail_at(p, name, "%s() is not supported yet", fn->name);
    ens_buf_puts(&p->name, fn->name);
    s = parse_bracket(p);
    if (s == ENS_OK)
        emit(p, fn->code, 0, 0);
    return s;
}

static enum ens_status parse_primary(struct parser *p)
{
    enum ens_status s;
    const char *name;
    double v;
    size_t n;

    if (peek(p) == '(')
        return parse_bracket(p);
    if (starts_number(p->at)) {
        s = take_number(p, &v);
        if (s != ENS_OK)
            return s;
        ens_deparse_number(&p->name, v);
        emit(p, ENS_OP_NUMBER, 0, v);
        return ENS_OK;
    }
    if (!starts_name(p->at))
        return fail_unexpected(p, "a column, a number or '('");
    s = take_name(p, &name, &n);
    if (s != ENS_OK)
        return s;
    if (name[n] != '`' && peek(p) == '(')
        return parse_call(p, name, n);
    ens_deparse_name(&p->name, name, n);
    return emit_var(p, name, n);
}

/* unary := [+-] unary | primary [^ unary] */
static enum ens_status parse_unary(struct parser *p)
{
    char c = peek(p);
    enum ens_status s;

    if (++p->nesting > ENS_FORMULA_MAX_NESTING)
        return fail_at(p, p->at, "nested more than %d deep",
                       ENS_FORMULA_MAX_NESTING);
    if (c == '-' || c == '+') {
        p->at++;
        ens_buf_puts(&p->name, c == '-' ? "-" : "+");
        s = parse_unary(p);
        if (s == ENS_OK && c == '-')
            emit(p, ENS_OP_NEG, 0, 0);
    } else {
        s = parse_primary(p);
        if (s == ENS_OK && peek(p) == '^') {
            p->at++;
            ens_buf_puts(&p->name, "^");
            s = parse_unary(p);
            if (s == ENS_OK)
                emit(p, ENS_OP_POW, 0, 0);
        }
    }
    p->nesting--;
    return s;
}

static enum ens_status parse_product(struct parser *p)
{
    enum ens_status s = parse_unary(p);

    while (s == ENS_OK && (peek(p) == '*' || *p->at == '/')) {
        char c = *p->at++;

        ens_buf_puts(&p->name, c == '*' ? " * " : "/");
        s = parse_unary(p);
        if (s == ENS_OK)
            emit(p, c == '*' ? ENS_OP_MUL : ENS_OP_DIV, 0, 0);
    }
    return s;
}

static enum ens_status parse_sum(struct parser *p)
{
    enum ens_status s = parse_product(p);

    while (s == ENS_OK && (peek(p) == '+' || *p->at == '-')) {
        char c = *p->at++;

        ens_buf_puts(&p->name, c == '+' ? " + " : " - ");
        s = parse_product(p);
        if (s == ENS_OK)
            emit(p, c == '+' ? ENS_OP_ADD : ENS_OP_SUB, 0, 0);
    }
    return s;
}

/* -- terms ----------------------------------------------------------------- */

static void begin_term(struct parser *p)
{
    ens_buf_clear(&p->name);
    p->stack = 0;
    p->nesting = 0;
}

static enum ens_status end_term(struct parser *p, size_t first_op,
                                struct ens_formula_term *t)
{
    t->op = p->op + first_op;
    t->n_ops = p->n_ops - first_op;
    t->name = ens_arena_strdup(p->arena, ens_buf_text(&p->name));
    if (!t->name || p->name.failed)
        return ens_fail(p->err, ENS_ENOMEMORY, "formula");
    return ENS_OK;
}

/* What stands outside I() though it may only stand inside. */
static enum ens_status fail_operator(struct parser *p, const char *term)
{
    const char *where = p->at;
    struct ens_error *err = p->err;
    char op[2] = {*where, '\0'};
    enum ens_status s;

    p->at = term;
    p->err = NULL; /* a proposal that cannot be read is just not made */
    begin_term(p);
    s = parse_product(p);
    p->err = err;
    return fail_at(p, where,
                   "'%s' between terms does not compute; for arithmetic write "
                   "I(%s)",
                   op, s == ENS_OK ? ens_buf_text(&p->name) : "dist/100");
}

static void keep_term(struct ens_formula *f, const struct ens_formula_term *t,
                      int minus)
{
    size_t i;

    for (i = 0; i < f->n_terms; i++)
        if (strcmp(f->term[i].name, t->name) == 0)
            break;
    if (!minus && i == f->n_terms) {
        f->term[f->n_terms++] = *t;
    } else if (minus && i < f->n_terms) {
        f->n_terms--;
        memmove(&f->term[i], &f->term[i + 1],
                (f->n_terms - i) * sizeof(f->term[0]));
    }
}

/* The 0 or 1 of an intercept. */
static enum ens_status parse_intercept(struct parser *p, int minus)
{
    const char *where = p->at;
    double v;
    enum ens_status s = take_number(p, &v);

    if (s != ENS_OK)
        return s;
    if (peek(p) == '*' || *p->at == '/' || *p->at == '^')
        return fail_operator(p, where);
    if (v != 0 && v != 1)
        return fail_at(p, where, "a number between terms must be 0 or 1");
    p->intercept = (v == 1) != minus;
    return ENS_OK;
}

static enum ens_status parse_term(struct parser *p, int minus)
{
    const char *where;
    size_t first_op = p->n_ops;
    struct ens_formula_term t;
    enum ens_status s;

    peek(p);
    where = p->at;
    if (starts_number(where))
        return parse_intercept(p, minus);
    if (*where == '(')
        return fail_at(p, where,
                       "parentheses around terms are not supported yet; for "
                       "arithmetic write I(...)");
    if (!starts_name(where))
        return fail_unexpected(p, "a term");
    begin_term(p);
    s = parse_primary(p);
    if (s == ENS_OK)
        s = end_term(p, first_op, &t);
    if (s != ENS_OK)
        return s;
    if (peek(p) == '*' || *p->at == '/' || *p->at == '^')
        return fail_operator(p, where);
    if (*p->at == ':')
        return fail_at(p, p->at, "interactions (':') are not supported yet");
    if (strcmp(t.name, p->f->response.name) == 0)
        return fail_at(p, where, "the response '%s' is also a term", t.name);
    keep_term(p->f, &t, minus);
    return ENS_OK;
}

static enum ens_status parse_terms(struct parser *p)
{
    char c = peek(p);
    enum ens_status s;

    if (c == '+' || c == '-')
        p->at++;
    for (;;) {
        s = parse_term(p, c == '-');
        if (s != ENS_OK)
            return s;
        c = peek(p);
        if (c == '\0')
            return ENS_OK;
        if (c != '+' && c != '-')
            return fail_unexpected(p, "'+', '-' or the end");
        p->at++;
    }
}

static enum ens_status parse_all(struct parser *p)
{
    struct ens_formula *f = p->f;
    enum ens_status s;

    if (peek(p) == '~')
        return fail_at(p, p->at, "no response before '~'");
    begin_term(p);
    s = parse_sum(p);
    if (s == ENS_OK)
        s = end_term(p, 0, &f->response);
    if (s != ENS_OK)
        return s;
    if (peek(p) != '~')
        return fail_unexpected(p, "'~'");
    if (f->n_vars == 0)
        return fail_at(p, f->text, "the response names no column");
    p->at++;
    p->intercept = 1;
    s = parse_terms(p);
    if (s != ENS_OK)
        return s;
    if (p->intercept) {
        memmove(f->term + 1, f->term, f->n_terms * sizeof(f->term[0]));
        f->term[0] = (struct ens_formula_term){ENS_FORMULA_INTERCEPT, NULL, 0};
        f->n_terms++;
    }
    if (f->n_terms == 0)
        return fail_at(p, p->at, "no term and no intercept");
    for (size_t i = (size_t)p->intercept; p->intercept && i < f->n_terms; i++)
        if (strcmp(f->term[i].name, ENS_FORMULA_INTERCEPT) == 0)
            return fail_at(p, p->at,
                           "a column named '%s' beside the intercept; write "
                           "I(%s)",
                           f->term[i].name, f->term[i].name);
    return ENS_OK;
}

enum ens_status ens_formula_parse(struct ens_formula *f, const char *text,
                                  struct ens_arena *arena,
                                  struct ens_error *err)
{
    /* Each operation, column and term takes a character at least. */
    size_t cap = strlen(text) + 2;
    struct ens_formula g = {0};
    struct parser p = {.f = &g, .arena = arena, .err = err};
    enum ens_status s;

    g.text = ens_arena_strdup(arena, text);
    g.var = ens_arena_alloc(arena, cap, sizeof(*g.var));
    g.var_at = ens_arena_alloc(arena, cap, sizeof(*g.var_at));
    g.term = ens_arena_alloc(arena, cap, sizeof(*g.term));
    /* twice: a proposal (fail_operator) reads a term again */
    p.op = ens_arena_alloc(arena, 2 * cap, sizeof(*p.op));
    if (!g.text || !g.var || !g.var_at || !g.term || !p.op)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    p.at = g.text;
    s = parse_all(&p);
    ens_buf_fini(&p.name);
    if (s == ENS_OK)
        *f = g;
    return s;
}
