#include "config/reader.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct line {
    const char *p;
    size_t n;
    uint32_t number;
};

struct reader {
    struct ens_ini *ini;
    struct ens_diag *diag;
    const char *p;
    const char *end;
    uint32_t number; /* of the line read last */
    ens_is_line_fn *is_line;
    const void *arg;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct ens_pos at(uint32_t line)
{
    return (struct ens_pos){line, NULL};
}

size_t ens_text_check(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = ens_utf8_bytes(s + i, n - i);
        unsigned char c = (unsigned char)s[i];

        if (len == 0 || c == 0x7f || (c < 0x20 && c != '\t'))
            return i;
        i += len;
    }
    return n;
}

size_t ens_text_strip(const char *s, size_t n, int *open_quote)
{
    int quoted = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (quoted && s[i] == '\\' && i + 1 < n &&
            (s[i + 1] == '"' || s[i + 1] == '\\'))
            i++;
        else if (s[i] == '"')
            quoted = !quoted;
        else if (!quoted && (s[i] == ';' || s[i] == '#') && i > 0 &&
                 is_blank(s[i - 1]))
            break;
    }
    *open_quote = quoted;
    i = i < n ? i : n;
    while (i > 0 && is_blank(s[i - 1]))
        i--;
    return i;
}

/* The next line without its end and surrounding blanks; 0 at the end. */
static int next_line(struct reader *r, struct line *l)
{
    const char *nl;
    size_t n;

    if (r->p == r->end)
        return 0;
    nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
    n = (size_t)((nl != NULL ? nl : r->end) - r->p);
    *l = (struct line){r->p, n, ++r->number};
    r->p += n + (nl != NULL);
    if (l->n > 0 && l->p[l->n - 1] == '\r')
        l->n--;
    while (l->n > 0 && is_blank(l->p[0])) {
        l->p++;
        l->n--;
    }
    while (l->n > 0 && is_blank(l->p[l->n - 1]))
        l->n--;
    return 1;
}

static int is_comment(const struct line *l)
{
    return l->n > 0 && (l->p[0] == ';' || l->p[0] == '#');
}

/* A line that has only text in it? Says so when not. */
static int check_line(struct reader *r, const struct line *l)
{
    size_t bad = ens_text_check(l->p, l->n);

    if (bad == l->n)
        return 1;
    ens_diag_add(r->diag, at(l->number),
                 "byte 0x%02x at place %zu of the line is not UTF-8 text",
                 (unsigned)(unsigned char)l->p[bad], bad + 1);
    return 0;
}

static struct ens_section *open_section(struct reader *r, const struct line *l)
{
    const char *close = memchr(l->p, ']', l->n);
    const char *end = l->p + l->n;
    const char *rest;
    char *name;
    size_t n = 0;

    if (close == NULL) {
        ens_diag_add(r->diag, at(l->number), "section without its ]");
        close = end;
    }
    for (rest = close + 1; rest < end && is_blank(*rest);)
        rest++;
    if (rest < end && *rest != ';' && *rest != '#')
        ens_diag_add(r->diag, at(l->number), "text after the ] of a section");
    name = ens_arena_alloc(r->ini->arena, l->n, 1);
    if (name == NULL) {
        r->diag->no_memory = 1;
        return NULL;
    }
    for (const char *p = l->p + 1; p < close; p++) {
        int blank = is_blank(*p);

        if (!blank || (n > 0 && name[n - 1] != ' '))
            name[n++] = blank ? ' ' : *p;
    }
    n -= n > 0 && name[n - 1] == ' ';
    name[n] = '\0';
    if (n == 0)
        ens_diag_add(r->diag, at(l->number), "section without a name");
    return ens_ini_add(r->ini, name, at(l->number));
}

/* Put one line's part of a value into b. Returns whether it goes on. */
static int take_part(struct reader *r, const struct line *l, int verbatim,
                     struct ens_buf *b)
{
    int open = 0;
    const char *p = l->p;
    size_t n = verbatim ? l->n : ens_text_strip(l->p, l->n, &open);
    int more;

    /* Only now: a comment may follow the = after one blank. */
    while (n > 0 && is_blank(*p)) {
        p++;
        n--;
    }
    if (open)
        ens_diag_add(r->diag, at(l->number), "a quote (\") is not closed");
    more = n > 0 && (p[n - 1] == '\\' || (!verbatim && p[n - 1] == ','));
    if (b->len > 0 && n > 0)
        ens_buf_put(b, " ", 1);
    if (more && p[n - 1] == '\\')
        n--;
    while (n > 0 && is_blank(p[n - 1]))
        n--;
    ens_buf_put(b, p, n);
    return more;
}

/* The value that starts with first, and the lines it continues on. */
static void take_value(struct reader *r, struct line first, int verbatim,
                       struct ens_buf *b)
{
    struct line l = first;
    int more = take_part(r, &l, verbatim, b);

    while (more) {
        const char *back = r->p;
        uint32_t number = r->number;

        if (!next_line(r, &l) || l.n == 0 || l.p[0] == '[') {
            r->p = back;
            r->number = number;
            ens_diag_add(r->diag, at(number),
                         "the value goes on after this line (trailing comma "
                         "or \\), but nothing follows");
            if (b->len > 0 && b->data[b->len - 1] == ',')
                b->len--; /* said once is enough */
            return;
        }
        if (is_comment(&l) && !verbatim)
            continue;
        if (!check_line(r, &l))
            return;
        more = take_part(r, &l, verbatim, b);
    }
}

static void add_entry(struct reader *r, struct ens_section *s,
                      const struct line *l)
{
    const char *eq = memchr(l->p, '=', l->n);
    size_t n = eq == NULL ? 0 : (size_t)(eq - l->p);
    struct ens_buf value = ENS_BUF_INIT;
    struct line rest;
    const char *key;
    int verbatim;

    while (n > 0 && is_blank(l->p[n - 1]))
        n--;
    if (n == 0) {
        ens_diag_add(r->diag, at(l->number),
                     "expected KEY = VALUE or [SECTION], found \"%.*s\"",
                     l->n > 60 ? 60 : (int)l->n, l->p);
        return;
    }
    key = ens_arena_strndup(r->ini->arena, l->p, n);
    rest = (struct line){eq + 1, (size_t)(l->p + l->n - eq - 1), l->number};
    verbatim = s != NULL && key != NULL && r->is_line != NULL &&
               r->is_line(r->arg, s->name, key);
    take_value(r, rest, verbatim, &value);
    if (s == NULL)
        ens_diag_add(r->diag, at(l->number),
                     "%.60s: a key before the first [SECTION]",
                     key != NULL ? key : "");
    else if (key == NULL || value.failed ||
             ens_section_add(r->ini, s, key, ens_buf_text(&value),
                             at(l->number)) == NULL)
        r->diag->no_memory = 1;
    ens_buf_fini(&value);
}

struct name {
    const char *text;
    struct ens_pos pos;
};

static int by_name(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    int c = strcasecmp(x->text, y->text);

    if (c == 0)
        c = strcmp(x->text, y->text);
    if (c == 0)
        c = x->pos.line < y->pos.line ? -1 : x->pos.line > y->pos.line;
    return c;
}

/* Names given twice, or differing only in case. where: "" or "[section] ". */
static void check_names(struct ens_diag *diag, struct name *name, size_t n,
                        const char *section)
{
    qsort(name, n, sizeof(*name), by_name);
    for (size_t i = 1; i < n; i++) {
        const struct name *a = &name[i - 1];
        const struct name *b = &name[i];
        int a_first = a->pos.line < b->pos.line;
        const struct name *early = a_first ? a : b;
        const struct name *late = a_first ? b : a;

        if (strcasecmp(a->text, b->text) != 0)
            continue;
        if (section == NULL)
            ens_diag_add(diag, late->pos,
                         strcmp(a->text, b->text) == 0
                             ? "[%.80s]: section given twice, [%.80s] is on "
                               "line %u"
                             : "[%.80s]: differs only in case from [%.80s] on "
                               "line %u",
                         late->text, early->text, (unsigned)early->pos.line);
        else
            ens_diag_add(diag, late->pos,
                         strcmp(a->text, b->text) == 0
                             ? "[%.80s] %.80s: key given twice, %.80s is on "
                               "line %u"
                             : "[%.80s] %.80s: differs only in case from "
                               "%.80s on line %u",
                         section, late->text, early->text,
                         (unsigned)early->pos.line);
    }
}

static void check_all_names(const struct ens_ini *ini, struct ens_diag *diag)
{
    size_t most = ini->n;
    struct name *name;

    for (size_t i = 0; i < ini->n; i++)
        most = ini->section[i].n > most ? ini->section[i].n : most;
    name = calloc(most + 1, sizeof(*name));
    if (name == NULL) {
        diag->no_memory = 1;
        return;
    }
    for (size_t i = 0; i < ini->n; i++)
        name[i] = (struct name){ini->section[i].name, ini->section[i].pos};
    check_names(diag, name, ini->n, NULL);
    for (size_t i = 0; i < ini->n; i++) {
        const struct ens_section *s = &ini->section[i];

        for (size_t k = 0; k < s->n; k++)
            name[k] = (struct name){s->entry[k].key, s->entry[k].pos};
        check_names(diag, name, s->n, s->name);
    }
    free(name);
}

void ens_ini_read(struct ens_ini *ini, struct ens_diag *diag, const void *text,
                  size_t n, ens_is_line_fn *is_line, const void *arg)
{
    static const unsigned char mark[3] = {0xef, 0xbb, 0xbf};
    struct reader r = {ini, diag, text, NULL, 0, is_line, arg};
    struct ens_section *s = NULL;
    struct line l;

    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        r.p += 3;
        n -= 3;
    }
    r.end = n > 0 ? r.p + n : r.p;
    while (next_line(&r, &l)) {
        if (l.n == 0 || is_comment(&l) || !check_line(&r, &l))
            continue;
        if (l.p[0] != '[')
            add_entry(&r, s, &l);
        else if ((s = open_section(&r, &l)) == NULL && diag->no_memory)
            break;
    }
    check_all_names(ini, diag);
}
