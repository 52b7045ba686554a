#include "program/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parser {
    const char *p;
    int shell;
    struct ens_arena *arena;
    struct ens_error *err;
    struct ens_buf text;   /* of the piece that is being read */
    struct ens_buf pieces; /* struct ens_words_piece */
    int in_word;
    size_t n_words;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum ens_status out_of_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

static enum ens_status add_piece(struct parser *r, int is_value)
{
    struct ens_words_piece piece = {is_value, 0, NULL};

    if (r->text.len == 0 && !is_value)
        return ENS_OK;
    piece.text =
        ens_arena_strndup(r->arena, (const char *)r->text.data, r->text.len);
    ens_buf_put(&r->pieces, &piece, sizeof(piece));
    ens_buf_clear(&r->text);
    return piece.text == NULL || r->text.failed || r->pieces.failed
               ? out_of_memory(r->err)
               : ENS_OK;
}

/* An empty word ("") has one empty piece. */
static enum ens_status end_word(struct parser *r)
{
    struct ens_words_piece empty = {0, 0, ""};
    struct ens_words_piece *last;
    enum ens_status s = add_piece(r, 0);
    size_t n;

    if (s != ENS_OK || !r->in_word)
        return s;
    n = r->pieces.len / sizeof(empty);
    last = (struct ens_words_piece *)(void *)r->pieces.data;
    if (n == 0 || last[n - 1].ends_word) {
        ens_buf_put(&r->pieces, &empty, sizeof(empty));
        n++;
    }
    if (r->pieces.failed)
        return out_of_memory(r->err);
    last = (struct ens_words_piece *)(void *)r->pieces.data;
    last[n - 1].ends_word = 1;
    r->in_word = 0;
    r->n_words++;
    return ENS_OK;
}

/* At a brace: {{, or {NAME}. */
static enum ens_status take_brace(struct parser *r)
{
    const char *name = r->p + 1;
    size_t n = strcspn(name, "{}'\" \t");
    enum ens_status s;

    r->in_word = 1;
    if (*name == '{') {
        ens_buf_put(&r->text, "{", 1);
        r->p += 2;
        return ENS_OK;
    }
    if (n == 0 || name[n] != '}')
        return ens_fail(r->err, ENS_ESTUDY,
                        "\"%.20s\": expected {NAME}; {{ stands for a brace",
                        r->p);
    s = add_piece(r, 0);
    if (s != ENS_OK)
        return s;
    ens_buf_put(&r->text, name, n);
    r->p = name + n + 1;
    return add_piece(r, 1);
}

static enum ens_status take_quoted(struct parser *r)
{
    const char *from = r->p;
    char quote = *r->p++;
    enum ens_status s = ENS_OK;

    r->in_word = 1;
    while (s == ENS_OK && *r->p != quote) {
        if (*r->p == '\0')
            return ens_fail(r->err, ENS_ESTUDY, "%.20s: the quote does not end",
                            from);
        if (*r->p == '{') {
            s = take_brace(r);
            continue;
        }
        if (quote == '"' && *r->p == '\\' &&
            (r->p[1] == '"' || r->p[1] == '\\'))
            r->p++;
        ens_buf_put(&r->text, r->p++, 1);
    }
    r->p++;
    return s;
}

static enum ens_status take(struct parser *r)
{
    if (*r->p == '{')
        return take_brace(r);
    if (!r->shell && is_blank(*r->p)) {
        r->p++;
        return end_word(r);
    }
    if (!r->shell && (*r->p == '\'' || *r->p == '"'))
        return take_quoted(r);
    if (!r->shell && *r->p == '\\' && r->p[1] != '\0')
        r->p++;
    r->in_word = 1;
    ens_buf_put(&r->text, r->p++, 1);
    return ENS_OK;
}

static enum ens_status keep(struct parser *r, struct ens_words *c)
{
    size_t n = r->pieces.len / sizeof(*c->piece);
    struct ens_words_piece *piece =
        ens_arena_alloc(r->arena, n + 1, sizeof(*piece));

    if (piece == NULL)
        return out_of_memory(r->err);
    if (n == 0)
        return ens_fail(r->err, ENS_ESTUDY, "nothing to run");
    memcpy(piece, r->pieces.data, r->pieces.len);
    *c = (struct ens_words){r->shell, r->n_words, n, piece};
    return ENS_OK;
}

enum ens_status ens_words_parse(struct ens_words *c, const char *text,
                                int shell, struct ens_arena *arena,
                                struct ens_error *err)
{
    struct parser r = {.p = text, .shell = shell, .arena = arena, .err = err};
    enum ens_status s = ENS_OK;

    while (s == ENS_OK && *r.p != '\0')
        s = take(&r);
    if (s == ENS_OK)
        s = end_word(&r);
    if (s == ENS_OK)
        s = keep(&r, c);
    ens_buf_fini(&r.text);
    ens_buf_fini(&r.pieces);
    return s;
}

/* -- expansion ----------------------------------------------------------- */

/* 'value', a ' in it as '\'' */
static void put_quoted(struct ens_buf *to, const char *value)
{
    ens_buf_puts(to, "'");
    for (; *value != '\0'; value++)
        if (*value == '\'')
            ens_buf_puts(to, "'\\''");
        else
            ens_buf_put(to, value, 1);
    ens_buf_puts(to, "'");
}

static int is_relative(const char *text)
{
    return strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
}

enum ens_status ens_words_expand(const struct ens_words *c, const char *folder,
                                 ens_words_value_fn *value, void *arg,
                                 struct ens_buf *to, struct ens_error *err)
{
    int begins = 1;

    for (size_t i = 0; i < c->n; i++) {
        const struct ens_words_piece *p = &c->piece[i];
        const char *text = p->is_value ? value(arg, p->text) : p->text;

        if (text == NULL)
            return ens_fail(err, ENS_EDOMAIN, "{%.60s} has no value", p->text);
        if (begins && !p->is_value && !c->shell && is_relative(text)) {
            ens_buf_printf(to, "%s/", folder);
            text += strncmp(text, "./", 2) == 0 ? 2 : 0;
        }
        if (p->is_value && c->shell)
            put_quoted(to, text);
        else
            ens_buf_puts(to, text);
        begins = p->ends_word;
        if (p->ends_word)
            ens_buf_u8(to, 0);
    }
    return to->failed ? out_of_memory(err) : ENS_OK;
}

/* -- does it exist? ---------------------------------------------------------
 */

static int is_in_path(const char *name, struct ens_arena *arena)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        size_t n = strcspn(path, ":");
        const char *full =
            ens_arena_printf(arena, "%.*s/%s", (int)n, path, name);

        if (full != NULL && access(full, X_OK) == 0)
            return 1;
        path += n + (path[n] == ':');
    }
    return 0;
}

enum ens_status ens_words_check_program(const struct ens_words *c,
                                        const char *folder,
                                        struct ens_arena *arena,
                                        struct ens_error *err)
{
    const struct ens_words_piece *first = &c->piece[0];
    const char *at = first->text;

    if (c->shell || first->is_value || !first->ends_word)
        return ENS_OK;
    if (is_relative(at))
        at = ens_arena_printf(arena, "%s/%s", folder, at);
    if (at == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "path of a program");
    if (strchr(at, '/') != NULL)
        return access(at, X_OK) == 0
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EINPUT, "%s", at);
    return is_in_path(at, arena)
               ? ENS_OK
               : ens_fail(
                     err, ENS_EINPUT,
                     "no program %s in the folders of PATH; one beside the "
                     "study is ./%s",
                     at, at);
}
