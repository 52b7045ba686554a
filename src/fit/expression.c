#include "fit/parser.h"

#include "base/number.h"
#include "fit/deparse.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct function {
    const char *name;
    enum ens_formula_code code;
} functions[] = {
    {"log", ENS_OP_LOG}, {"exp", ENS_OP_EXP}, {"sqrt", ENS_OP_SQRT}};

/* Bytes of the character at s, for messages. */
static int char_bytes(const char *s)
{
    int n = 1;

    if (((unsigned char)*s & 0xc0) == 0xc0)
        while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
            n++;
    return n;
}

enum ens_status ens_formula_fail(struct ens_formula_parser *p,
                                 const char *where, const char *fmt, ...)
{
    char text[320];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return ens_fail(p->err, ENS_ESTUDY, "formula '%.120s', position %zu: %s",
                    p->f->text, (size_t)(where - p->f->text) + 1, text);
}

enum ens_status ens_formula_unexpected(struct ens_formula_parser *p,
                                       const char *expected)
{
    if (*p->at == '\0')
        return ens_formula_fail(p, p->at, "ends where %s should be", expected);
    return ens_formula_fail(p, p->at, "unexpected '%.*s', expected %s",
                            char_bytes(p->at), p->at, expected);
}

char ens_formula_peek(struct ens_formula_parser *p)
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

int ens_formula_at_number(const char *s)
{
    return is_digit(s[0]) || (s[0] == '.' && is_digit(s[1]));
}

int ens_formula_at_name(const char *s)
{
    return is_letter(s[0]) || s[0] == '`' || (s[0] == '.' && !is_digit(s[1]));
}

/* -- tokens --------------------------------------------------------------- */

/* A name; *n its bytes without backquotes. The parser stands behind it. */
enum ens_status ens_formula_take_name(struct ens_formula_parser *p,
                                      const char **name, size_t *n)
{
    const char *end;

    if (*p->at == '`') {
        *name = p->at + 1;
        end = strchr(*name, '`');
        if (!end || end == *name)
            return ens_formula_fail(p, p->at,
                                    end ? "empty name" : "'`' is not closed");
        *n = (size_t)(end - *name);
        p->at = end + 1;
        return ENS_OK;
    }
    *name = p->at;
    while (is_letter(*p->at) || is_digit(*p->at) || *p->at == '.' ||
           *p->at == '_')
        p->at++;
    *n = (size_t)(p->at - *name);
    return ENS_OK;
}

enum ens_status ens_formula_take_number(struct ens_formula_parser *p, double *v)
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
        return ens_formula_fail(p, start, "'%.*s' is not a number",
                                (int)(s - start), start);
    p->at = s;
    return ENS_OK;
}

/* -- arithmetic ------------------------------------------------------------ */

static void emit(struct ens_formula_parser *p, enum ens_formula_code code,
                 uint32_t var, double value)
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

enum ens_status ens_formula_emit_var(struct ens_formula_parser *p,
                                     const char *name, size_t n)
{
    struct ens_formula *f = p->f;
    size_t i;

    for (i = 0; i < f->n_vars; i++)
        if (strlen(f->var[i]) == n && memcmp(f->var[i], name, n) == 0)
            break;
    if (i == f->n_vars) {
        f->var[i] = ens_arena_strndup(p->arena, name, n);
        /* a name that '.' stands for is not in the text */
        f->var_at[i] = (size_t)(name - f->text) < strlen(f->text)
                           ? (size_t)(name - f->text)
                           : (size_t)(p->at - f->text);
        if (!f->var[i])
            return ens_fail(p->err, ENS_ENOMEMORY, "formula");
        f->n_vars++;
    }
    emit(p, ENS_OP_VAR, (uint32_t)i, 0);
    return ENS_OK;
}

/* "( sum )", the parser at the bracket. */
static enum ens_status parse_bracket(struct ens_formula_parser *p)
{
    const char *open = p->at;
    enum ens_status s;

    if (++p->nesting > ENS_FORMULA_MAX_NESTING)
        return ens_formula_fail(p, open, "nested more than %d deep",
                                ENS_FORMULA_MAX_NESTING);
    p->at++;
    ens_buf_puts(&p->name, "(");
    s = ens_formula_sum(p);
    if (s != ENS_OK)
        return s;
    if (ens_formula_peek(p) != ')')
        return ens_formula_unexpected(p, "')' or an operator");
    p->at++;
    ens_buf_puts(&p->name, ")");
    p->nesting--;
    return ENS_OK;
}

/* name(...), the parser at the bracket. */
static enum ens_status parse_call(struct ens_formula_parser *p,
                                  const char *name, size_t n)
{
    const struct function *fn = NULL;
    enum ens_status s;

    if (n == 1 && *name == 'I') {
        ens_buf_puts(&p->name, "I");
        return parse_bracket(p);
    }
    if (ens_formula_is_basis(name, n))
        return ens_formula_fail(
            p, name,
            "%.*s() is not arithmetic; it stands between + * :", (int)n, name);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strlen(functions[i].name) == n &&
            memcmp(functions[i].name, name, n) == 0)
            fn = &functions[i];
    if (!fn)
        return ens_formula_fail(
            p, name,
            "unknown function '%.*s' (there are log, exp, sqrt "
            "and I)",
            (int)n, name);
    ens_buf_puts(&p->name, fn->name);
    s = parse_bracket(p);
    if (s == ENS_OK)
        emit(p, fn->code, 0, 0);
    return s;
}

enum ens_status ens_formula_primary(struct ens_formula_parser *p)
{
    enum ens_status s;
    const char *name;
    double v;
    size_t n;

    if (ens_formula_peek(p) == '(')
        return parse_bracket(p);
    if (ens_formula_at_number(p->at)) {
        s = ens_formula_take_number(p, &v);
        if (s != ENS_OK)
            return s;
        ens_deparse_number(&p->name, v);
        emit(p, ENS_OP_NUMBER, 0, v);
        return ENS_OK;
    }
    if (!ens_formula_at_name(p->at))
        return ens_formula_unexpected(p, "a column, a number or '('");
    s = ens_formula_take_name(p, &name, &n);
    if (s != ENS_OK)
        return s;
    if (name[n] != '`' && ens_formula_peek(p) == '(')
        return parse_call(p, name, n);
    if (n == 1 && *name == '.' && name[n] != '`')
        return ens_formula_fail(p, name,
                                "'.' (all other columns) inside arithmetic");
    ens_deparse_name(&p->name, name, n);
    return ens_formula_emit_var(p, name, n);
}

/* unary := [+-] unary | primary [^ unary] */
static enum ens_status parse_unary(struct ens_formula_parser *p)
{
    char c = ens_formula_peek(p);
    enum ens_status s;

    if (++p->nesting > ENS_FORMULA_MAX_NESTING)
        return ens_formula_fail(p, p->at, "nested more than %d deep",
                                ENS_FORMULA_MAX_NESTING);
    if (c == '-' || c == '+') {
        p->at++;
        ens_buf_puts(&p->name, c == '-' ? "-" : "+");
        s = parse_unary(p);
        if (s == ENS_OK && c == '-')
            emit(p, ENS_OP_NEG, 0, 0);
    } else {
        s = ens_formula_primary(p);
        if (s == ENS_OK && ens_formula_peek(p) == '^') {
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

enum ens_status ens_formula_product(struct ens_formula_parser *p)
{
    enum ens_status s = parse_unary(p);

    while (s == ENS_OK && (ens_formula_peek(p) == '*' || *p->at == '/')) {
        char c = *p->at++;

        ens_buf_puts(&p->name, c == '*' ? " * " : "/");
        s = parse_unary(p);
        if (s == ENS_OK)
            emit(p, c == '*' ? ENS_OP_MUL : ENS_OP_DIV, 0, 0);
    }
    return s;
}

enum ens_status ens_formula_sum(struct ens_formula_parser *p)
{
    enum ens_status s = ens_formula_product(p);

    while (s == ENS_OK && (ens_formula_peek(p) == '+' || *p->at == '-')) {
        char c = *p->at++;

        ens_buf_puts(&p->name, c == '+' ? " + " : " - ");
        s = ens_formula_product(p);
        if (s == ENS_OK)
            emit(p, c == '+' ? ENS_OP_ADD : ENS_OP_SUB, 0, 0);
    }
    return s;
}

void ens_formula_begin(struct ens_formula_parser *p)
{
    ens_buf_clear(&p->name);
    p->stack = 0;
    p->nesting = 0;
}

enum ens_status ens_formula_end(struct ens_formula_parser *p, size_t first_op,
                                struct ens_formula_expr *e)
{
    e->op = p->op + first_op;
    e->n_ops = p->n_ops - first_op;
    e->name = ens_arena_strdup(p->arena, ens_buf_text(&p->name));
    if (!e->name || p->name.failed)
        return ens_fail(p->err, ENS_ENOMEMORY, "formula");
    return ENS_OK;
}
