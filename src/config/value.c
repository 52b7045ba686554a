#include "config/value_parse.h"

#include "base/number.h"
#include "config/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct job {
    const struct ens_value_context *c;
    const struct ens_setting *s;
    struct ens_error *err;
    struct ens_buf values; /* of struct ens_value */
};

enum ens_status ens_out_of_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

static enum ens_status parse_bool(struct ens_slice t, struct ens_value *v,
                                  struct ens_error *err)
{
    static const char *const word[] = {"no",  "yes", "false", "true",
                                       "off", "on",  "0",     "1"};

    for (size_t i = 0; i < 8; i++)
        if (t.n == strlen(word[i]) && strncasecmp(t.p, word[i], t.n) == 0) {
            v->i = (int64_t)(i & 1);
            v->d = (double)v->i;
            v->text = word[i & 1];
            return ENS_OK;
        }
    return ens_fail(err, ENS_ESTUDY, "\"%.*s\" is neither yes nor no",
                    ENS_SHOW(t));
}

static enum ens_status parse_choice(const struct job *j, struct ens_value *v)
{
    struct ens_near near;
    int64_t i = 0;

    for (const char *p = j->s->choices; *p != '\0'; i++) {
        size_t n = strcspn(p, "|");

        if (n == strlen(v->text) && memcmp(p, v->text, n) == 0) {
            v->i = i;
            return ENS_OK;
        }
        p += n + (p[n] == '|');
    }
    ens_near_init(&near, v->text);
    ens_near_add_choices(&near, j->s->choices);
    return ens_fail(j->err, ENS_ESTUDY, "\"%.60s\" is unknown; %s", v->text,
                    ens_near_text(&near));
}

static enum ens_status check_input(const struct job *j, const char *name)
{
    struct ens_near near;

    if (j->c->inputs == NULL)
        return ENS_OK;
    ens_near_init(&near, name);
    for (size_t i = 0; i < j->c->n_inputs; i++) {
        if (strcmp(j->c->inputs[i], name) == 0)
            return ENS_OK;
        ens_near_add(&near, j->c->inputs[i]);
    }
    return ens_fail(j->err, ENS_ESTUDY, "no input \"%.60s\"; %s", name,
                    near.n > 0 ? ens_near_text(&near)
                               : "the study has none: add it to [inputs]");
}

/* "X[price, id]" takes columns of another input: no path. */
static int is_selection(const struct job *j, const char *text)
{
    const char *open = strchr(text, '[');

    if (open == NULL || text[strlen(text) - 1] != ']')
        return 0;
    for (size_t i = 0; i < j->c->n_inputs; i++)
        if (strlen(j->c->inputs[i]) == (size_t)(open - text) &&
            strncmp(j->c->inputs[i], text, (size_t)(open - text)) == 0)
            return 1;
    return 0;
}

static enum ens_status resolve(const struct job *j, struct ens_value *v)
{
    if (*v->text == '\0')
        return ens_fail(j->err, ENS_ESTUDY, "an empty path");
    if (*v->text == '/' || is_selection(j, v->text) ||
        strncmp(v->text, "memory:", 7) == 0) /* of an embedding program */
        return ENS_OK;
    while (strncmp(v->text, "./", 2) == 0)
        v->text += 2;
    if (strcmp(v->text, ".") == 0 || *v->text == '\0')
        v->text = j->c->dir;
    else
        v->text =
            ens_arena_printf(j->c->arena, "%s%s%s", j->c->dir,
                             strcmp(j->c->dir, "/") == 0 ? "" : "/", v->text);
    return v->text == NULL ? ens_out_of_memory(j->err) : ENS_OK;
}

static enum ens_status parse_text(const struct job *j, struct ens_slice t,
                                  struct ens_value *v)
{
    struct ens_slice content = t;

    if (j->s->type != ENS_T_LINE &&
        ens_slice_unquote(j->c->arena, t, &content) < 0)
        return ens_out_of_memory(j->err);
    v->text = ens_arena_strndup(j->c->arena, content.p, content.n);
    if (v->text == NULL)
        return ens_out_of_memory(j->err);
    if (j->s->type == ENS_T_CHOICE)
        return parse_choice(j, v);
    if (j->s->type == ENS_T_INPUT)
        return check_input(j, v->text);
    if (j->s->type == ENS_T_PATH)
        return resolve(j, v);
    if (j->s->type == ENS_T_LINE && t.p[t.n - 1] == '\\')
        return ens_fail(j->err, ENS_ESTUDY, "the line ends with a \\");
    return ENS_OK;
}

/* -- vectors ------------------------------------------------------------ */

struct vector {
    struct ens_buf d;    /* doubles */
    struct ens_buf text; /* canonical */
};

static enum ens_status add_number(void *arg, struct ens_scalar x,
                                  struct ens_error *err)
{
    struct vector *v = arg;
    char text[ENS_NUMBER_BYTES];

    if (v->d.len / sizeof(double) >= ENS_MAX_ELEMENTS)
        return ens_fail(err, ENS_ESTUDY, "more than %u numbers",
                        (unsigned)ENS_MAX_ELEMENTS);
    ens_number_format(text, x.d);
    ens_buf_printf(&v->text, "%s%s", v->d.len > 0 ? " " : "", text);
    ens_buf_put(&v->d, &x.d, sizeof(x.d));
    return ENS_OK;
}

static enum ens_status read_numbers(const struct job *j, struct ens_slice t,
                                    struct vector *vec)
{
    struct ens_setting number = *j->s;
    struct ens_slice rest = t;
    struct ens_scalar x;
    struct ens_value v;
    enum ens_status st = ENS_OK;

    number.type = ENS_T_NUM;
    while (rest.n > 0 && st == ENS_OK) {
        struct ens_slice one = {rest.p, 0};

        while (one.n < rest.n && rest.p[one.n] != ' ' && rest.p[one.n] != '\t')
            one.n++;
        rest =
            ens_slice_trim((struct ens_slice){rest.p + one.n, rest.n - one.n});
        st = ens_range_expand(&number, one, add_number, vec, j->err);
        if (st != ENS_ENOTFOUND)
            continue;
        st = ens_scalar_parse(&number, one, &x, j->err);
        if (st == ENS_OK)
            st = ens_scalar_value(j->c, &number, x, &v, j->err);
        if (st == ENS_OK)
            st = add_number(vec, x, j->err);
    }
    return st;
}

static enum ens_status parse_vector(const struct job *j, struct ens_slice t,
                                    struct ens_value *v)
{
    struct vector vec = {ENS_BUF_INIT, ENS_BUF_INIT};
    enum ens_status st = read_numbers(j, t, &vec);
    double *d;

    if (st == ENS_OK && (vec.d.failed || vec.text.failed))
        st = ens_out_of_memory(j->err);
    if (st == ENS_OK) {
        v->n_vec = vec.d.len / sizeof(double);
        d = ens_arena_alloc(j->c->arena, v->n_vec, sizeof(double));
        v->text = ens_arena_strdup(j->c->arena, ens_buf_text(&vec.text));
        if (d == NULL || v->text == NULL)
            st = ens_out_of_memory(j->err);
        else
            memcpy(d, vec.d.data, vec.d.len);
        v->vec = d;
    }
    ens_buf_fini(&vec.d);
    ens_buf_fini(&vec.text);
    return st;
}

/* -- elements ----------------------------------------------------------- */

static enum ens_status parse_one(const struct job *j, struct ens_slice t,
                                 struct ens_value *v)
{
    struct ens_scalar x;
    enum ens_status st;

    memset(v, 0, sizeof(*v));
    v->set = 1;
    if (ens_is_numeric(j->s->type)) {
        st = ens_scalar_parse(j->s, t, &x, j->err);
        return st != ENS_OK ? st : ens_scalar_value(j->c, j->s, x, v, j->err);
    }
    if (j->s->type == ENS_T_BOOL)
        return parse_bool(t, v, j->err);
    if (j->s->type == ENS_T_VECTOR)
        return parse_vector(j, t, v);
    if (j->s->type == ENS_T_CALL)
        return ens_call_parse(j->c, j->s, t, v, j->err);
    return parse_text(j, t, v);
}

static size_t count(const struct job *j)
{
    return j->values.len / sizeof(struct ens_value);
}

static enum ens_status add_value(struct job *j, const struct ens_value *v)
{
    if (count(j) >= ENS_MAX_ELEMENTS)
        return ens_fail(j->err, ENS_ESTUDY, "more than %u values",
                        (unsigned)ENS_MAX_ELEMENTS);
    ens_buf_put(&j->values, v, sizeof(*v));
    return j->values.failed ? ens_out_of_memory(j->err) : ENS_OK;
}

static enum ens_status add_scalar(void *arg, struct ens_scalar x,
                                  struct ens_error *err)
{
    struct job *j = arg;
    struct ens_value v;
    enum ens_status st = ens_scalar_value(j->c, j->s, x, &v, err);

    return st != ENS_OK ? st : add_value(j, &v);
}

static enum ens_status add_element(struct job *j, struct ens_slice t)
{
    struct ens_value v;
    enum ens_status st = ENS_ENOTFOUND;

    if (t.n == 0)
        return ens_fail(j->err, ENS_ESTUDY, "nothing between two commas");
    if (ens_is_numeric(j->s->type))
        st = ens_range_expand(j->s, t, add_scalar, j, j->err);
    if (st != ENS_ENOTFOUND)
        return st;
    st = parse_one(j, t, &v);
    return st != ENS_OK ? st : add_value(j, &v);
}

static enum ens_status parse_elements(struct job *j, struct ens_slice t)
{
    struct ens_slice piece;
    enum ens_status st = ENS_OK;
    size_t at = 0;
    int more = 1;

    if (ens_lines_are(j->s, t))
        return ens_lines_parse(j->c, t, &j->values, j->err);
    if (j->s->shape == ENS_ONE || j->s->type == ENS_T_LINE) {
        struct ens_value v;

        st = parse_one(j, t, &v);
        return st != ENS_OK ? st : add_value(j, &v);
    }
    while (st == ENS_OK && (more = ens_slice_next(t, ',', &at, &piece)) == 1)
        st = add_element(j, piece);
    if (st == ENS_OK && more < 0)
        st = ens_fail(j->err, ENS_ESTUDY,
                      "quotes or brackets do not match in \"%.*s\"",
                      ENS_SHOW(t));
    return st;
}

/* -- whole values ------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    const struct ens_value *const *x = a;
    const struct ens_value *const *y = b;

    return strcmp((*x)->text, (*y)->text);
}

/* An axis with a value twice would make two cells with one identity. */
static enum ens_status check_repeats(const struct job *j,
                                     const struct ens_value *v, size_t n)
{
    const struct ens_value **p = malloc((n + 1) * sizeof(*p));
    enum ens_status st = ENS_OK;

    if (p == NULL)
        return ens_out_of_memory(j->err);
    for (size_t i = 0; i < n; i++)
        p[i] = &v[i];
    qsort(p, n, sizeof(*p), by_text);
    for (size_t i = 1; i < n && st == ENS_OK; i++)
        if (strcmp(p[i]->text, p[i - 1]->text) == 0)
            st = ens_fail(j->err, ENS_ESTUDY, "%.60s is given twice",
                          p[i]->text);
    free(p);
    return st;
}

/* All elements become one value, its text their texts in order. */
static enum ens_status make_list(const struct job *j, struct ens_value *list,
                                 size_t n, struct ens_values *out)
{
    struct ens_value *v = ens_arena_alloc(j->c->arena, 1, sizeof(*v));
    struct ens_buf text = ENS_BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        ens_buf_puts(&text, i > 0 ? ", " : "");
        ens_element_write(j->s, list[i].text, &text);
    }
    if (v != NULL)
        v->text = ens_arena_strdup(j->c->arena, ens_buf_text(&text));
    if (v == NULL || v->text == NULL || text.failed) {
        ens_buf_fini(&text);
        return ens_out_of_memory(j->err);
    }
    ens_buf_fini(&text);
    v->set = 1;
    v->n_list = n;
    v->list = list;
    *out = (struct ens_values){1, v};
    return ENS_OK;
}

static enum ens_status finish(const struct job *j, struct ens_values *out)
{
    size_t n = count(j);
    struct ens_value *v = ens_arena_alloc(j->c->arena, n, sizeof(*v));
    enum ens_status st = ENS_OK;

    if (v == NULL)
        return ens_out_of_memory(j->err);
    memcpy(v, j->values.data, j->values.len);
    if (j->s->shape == ENS_LIST)
        return make_list(j, v, n, out);
    if (n > 1 && j->s->type != ENS_T_LINE)
        st = check_repeats(j, v, n);
    if (st == ENS_OK)
        *out = (struct ens_values){n, v};
    return st;
}

enum ens_status ens_value_parse(const struct ens_value_context *c,
                                const struct ens_setting *s, const char *text,
                                struct ens_values *out, struct ens_error *err)
{
    static const struct ens_value unset = {.text = ""};
    struct job j = {c, s, err, ENS_BUF_INIT};
    struct ens_slice t = ens_slice_trim((struct ens_slice){text, strlen(text)});
    enum ens_status st;

    if (t.n == 0) {
        if (s->def == NULL || *s->def != '\0')
            return ens_fail(err, ENS_ESTUDY, "no value");
        *out = (struct ens_values){1, &unset};
        return ENS_OK;
    }
    st = parse_elements(&j, t);
    if (st == ENS_OK)
        st = finish(&j, out);
    ens_buf_fini(&j.values);
    return st;
}

void ens_value_write(const struct ens_setting *s, const struct ens_values *v,
                     struct ens_buf *out)
{
    if (s->type == ENS_T_LINE && s->shape == ENS_AXIS && v->v[0].set) {
        ens_lines_write(v, out);
        return;
    }
    for (size_t i = 0; i < v->n; i++) {
        if (i > 0)
            ens_buf_puts(out, ", ");
        if (s->shape == ENS_LIST || !v->v[i].set)
            ens_buf_puts(out, v->v[i].text);
        else
            ens_element_write(s, v->v[i].text, out);
    }
}
