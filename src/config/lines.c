/* A setting of type line as an axis: `@FILE`, one value per line of a file, or
 * `@"a" "b"`, the same in place, as the resolved study has it: it stands alone
 * whatever becomes of the file. */
#include "base/file.h"
#include "config/reader.h"
#include "config/value_parse.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES ((size_t)48 << 20) /* as the resolved study: 64 MiB */
#define LINE_BYTES ((size_t)32 << 10) /* half of ENS_CANONICAL_MAX */

struct lines {
    const struct ens_value_context *c;
    const char *file; /* as written; NULL: in place */
    struct ens_buf *values;
    struct ens_error *err;
};

int ens_lines_are(const struct ens_setting *s, struct ens_slice text)
{
    return s->type == ENS_T_LINE && s->shape == ENS_AXIS && text.n > 0 &&
           text.p[0] == '@';
}

static enum ens_status add(struct lines *l, struct ens_slice text,
                           uint32_t number)
{
    struct ens_value v = {.set = 1, .file = l->file, .i = number};

    if (text.n > LINE_BYTES)
        return ens_fail(l->err, ENS_ESTUDY,
                        "%s:%u: a line of %zu bytes; at most %zu are taken",
                        l->file ? l->file : "@", (unsigned)number, text.n,
                        LINE_BYTES);
    if (l->values->len / sizeof(v) >= ENS_MAX_ELEMENTS)
        return ens_fail(l->err, ENS_ESTUDY, "%s:%u: more than %u lines",
                        l->file ? l->file : "@", (unsigned)number,
                        (unsigned)ENS_MAX_ELEMENTS);
    v.text = ens_arena_strndup(l->c->arena, text.p, text.n);
    ens_buf_put(l->values, &v, sizeof(v));
    return v.text == NULL || l->values->failed ? ens_out_of_memory(l->err)
                                               : ENS_OK;
}

/* -- a file -----------------------------------------------------------------
 */

static enum ens_status add_line(struct lines *l, struct ens_slice line,
                                uint32_t number)
{
    size_t bad;

    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    line = ens_slice_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return ENS_OK;
    bad = ens_text_check(line.p, line.n);
    if (bad < line.n)
        return ens_fail(l->err, ENS_ESTUDY,
                        "%s:%u: byte 0x%02x at place %zu of the line is not "
                        "UTF-8 text",
                        l->file, (unsigned)number,
                        (unsigned)(unsigned char)line.p[bad], bad + 1);
    return add(l, line, number);
}

static enum ens_status add_text(struct lines *l, const char *p, size_t n)
{
    const char *end = p + n;
    enum ens_status s = ENS_OK;

    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    for (uint32_t number = 1; s == ENS_OK && p < end; number++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        struct ens_slice line = {p, (size_t)((nl ? nl : end) - p)};

        s = add_line(l, line, number);
        p += line.n + (nl != NULL);
    }
    return s;
}

static enum ens_status read_file(struct lines *l, struct ens_slice name)
{
    struct ens_buf text = ENS_BUF_INIT;
    const char *path;
    enum ens_status s;

    l->file = ens_arena_strndup(l->c->arena, name.p, name.n);
    path = l->file == NULL || *l->file == '/'
               ? l->file
               : ens_arena_printf(l->c->arena, "%s/%s", l->c->dir, l->file);
    if (path == NULL)
        return ens_out_of_memory(l->err);
    s = ens_file_read(&text, path, FILE_BYTES, l->err);
    if (s == ENS_OK)
        s = add_text(l, (const char *)text.data, text.len);
    ens_buf_fini(&text);
    if (s == ENS_OK && l->values->len == 0)
        s = ens_fail(l->err, ENS_ESTUDY, "%s: no line but blank ones and #",
                     l->file);
    return s;
}

/* -- in place ----------------------------------------------------------------
 */

/* Between two lines: blanks, and the mark that the value goes on. */
static struct ens_slice skip(struct ens_slice s)
{
    while (s.n > 0 && strchr(" \t\\\n", *s.p) != NULL && *s.p != '\0') {
        s.p++;
        s.n--;
    }
    return s;
}

/* "..." at the front of *rest, which goes behind it. */
static int take_quoted(struct ens_slice *rest, struct ens_slice *one)
{
    size_t n = 1;

    while (n < rest->n && rest->p[n] != '"')
        n += rest->p[n] == '\\' ? 2 : 1;
    if (n >= rest->n || rest->p[0] != '"')
        return -1;
    *one = (struct ens_slice){rest->p, n + 1};
    *rest = skip((struct ens_slice){rest->p + n + 1, rest->n - n - 1});
    return 0;
}

static enum ens_status read_quoted(struct lines *l, struct ens_slice rest)
{
    enum ens_status s = ENS_OK;

    for (uint32_t number = 1; s == ENS_OK && rest.n > 0; number++) {
        struct ens_slice one, content;

        if (take_quoted(&rest, &one) != 0)
            return ens_fail(l->err, ENS_ESTUDY,
                            "expected a \"line\" in quotes at \"%.*s\"",
                            ENS_SHOW(rest));
        if (ens_slice_unquote(l->c->arena, one, &content) != 1)
            return ens_out_of_memory(l->err);
        s = add(l, ens_slice_trim(content), number);
    }
    return s;
}

/* -- both --------------------------------------------------------------------
 */

static int by_text(const void *a, const void *b)
{
    struct ens_value *const *x = a;
    struct ens_value *const *y = b;
    int c = strcmp((*x)->text, (*y)->text);

    return c != 0 ? c : *x < *y ? -1 : *x > *y;
}

/* Equal lines are told apart by their order: as many tasks as lines. */
static enum ens_status count_repeats(struct lines *l)
{
    struct ens_value *v = (struct ens_value *)(void *)l->values->data;
    size_t n = l->values->len / sizeof(*v);
    struct ens_value **p = malloc((n + 1) * sizeof(*p));

    if (p == NULL)
        return ens_out_of_memory(l->err);
    for (size_t i = 0; i < n; i++)
        p[i] = &v[i];
    qsort(p, n, sizeof(*p), by_text);
    for (size_t i = 1; i < n; i++)
        p[i]->repeat =
            strcmp(p[i]->text, p[i - 1]->text) == 0 ? p[i - 1]->repeat + 1 : 0;
    free(p);
    return ENS_OK;
}

enum ens_status ens_lines_parse(const struct ens_value_context *c,
                                struct ens_slice text, struct ens_buf *values,
                                struct ens_error *err)
{
    struct lines l = {c, NULL, values, err};
    struct ens_slice rest =
        ens_slice_trim((struct ens_slice){text.p + 1, text.n - 1});
    enum ens_status s;

    if (rest.n == 0)
        return ens_fail(err, ENS_ESTUDY, "the name of a file expected after @");
    s = rest.p[0] == '"' ? read_quoted(&l, rest) : read_file(&l, rest);
    return s == ENS_OK ? count_repeats(&l) : s;
}

static void put_quoted(struct ens_buf *to, const char *text)
{
    ens_buf_puts(to, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            ens_buf_u8(to, '\\');
        ens_buf_put(to, text, 1);
    }
    ens_buf_puts(to, "\"");
}

void ens_lines_write(const struct ens_values *v, struct ens_buf *out)
{
    const char *text = v->v[0].text;
    size_t n = strlen(text);

    if (v->n == 1 && *text != '@' && text[n - (n > 0)] != '\\') {
        ens_buf_puts(out, text);
        return;
    }
    ens_buf_puts(out, "@");
    for (size_t i = 0; i < v->n; i++) {
        ens_buf_puts(out, i > 0 ? " \\\n  " : "");
        put_quoted(out, v->v[i].text);
    }
}
