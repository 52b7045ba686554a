/* A grid's text: from a CSV file, from the study file itself, or drawn. */
#include "base/bug.h"
#include "base/csv_scan.h"
#include "base/file.h"
#include "config/grid.h"
#include "config/value_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES ((size_t)64 << 20)
#define BOM            "\xef\xbb\xbf"

struct reading {
    struct ens_resolve *r;
    const char *section;
    struct ens_grid *g;
    struct ens_buf text; /* const char *: all fields so far */
    struct ens_buf line; /* uint32_t: of records */
    size_t n_fields;     /* of the present record */
    int bad;             /* an error was told */
    struct ens_csv_scan scan;
};

static void fail(struct reading *d, const char *text)
{
    if (d->g->file != NULL)
        ens_diag_add(&d->r->diag, d->g->pos, "[%.80s] grid: %.200s: %s",
                     d->section, d->g->file, text);
    else
        ens_diag_add(&d->r->diag, d->g->pos, "[%.80s] grid: %s", d->section,
                     text);
    d->bad = 1;
}

static size_t n_records(const struct reading *d)
{
    return d->line.len / sizeof(uint32_t);
}

static enum ens_status add_field(void *arg, const char *s, size_t n,
                                 struct ens_error *err)
{
    struct reading *d = arg;
    const char *text = ens_arena_strndup(d->r->context.arena, s, n);

    if (text == NULL)
        return ens_out_of_memory(err);
    if (ens_text_check(s, n) < n)
        return ens_fail(err, ENS_ESTUDY,
                        "line %u: field %zu: a control character, or not UTF-8",
                        (unsigned)d->scan.record_line, d->n_fields + 1);
    ens_buf_put(&d->text, &text, sizeof(text));
    d->n_fields++;
    return d->text.failed ? ens_out_of_memory(err) : ENS_OK;
}

/* The first record is the header; all others are as long. */
static enum ens_status end_record(struct reading *d, uint32_t line,
                                  struct ens_error *err)
{
    char where[48];

    snprintf(where, sizeof(where),
             d->g->file != NULL ? "line %u" : "combination %u",
             d->g->file != NULL ? (unsigned)line : (unsigned)n_records(d));
    if (n_records(d) == 0)
        d->g->n_keys = d->n_fields;
    else if (d->n_fields != d->g->n_keys)
        return ens_fail(err, ENS_ESTUDY, "%s: %zu fields, the header has %zu",
                        where, d->n_fields, d->g->n_keys);
    if (n_records(d) > ENS_MAX_ELEMENTS)
        return ens_fail(err, ENS_ESTUDY, "more than %u combinations",
                        (unsigned)ENS_MAX_ELEMENTS);
    ens_buf_put(&d->line, &line, sizeof(line));
    d->n_fields = 0;
    return d->line.failed ? ens_out_of_memory(err) : ENS_OK;
}

static enum ens_status add_record(void *arg, struct ens_error *err)
{
    struct reading *d = arg;

    return end_record(d, (uint32_t)d->scan.record_line, err);
}

static enum ens_status read_csv(struct reading *d, const char *path,
                                struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct stat st;
    const char *p;
    size_t n;
    enum ens_status s;

    if (stat(path, &st) != 0)
        return ens_fail_errno(err, ENS_ESTUDY, "cannot open %s", path);
    if (!S_ISREG(st.st_mode))
        return ens_fail(err, ENS_ESTUDY, "%s is not a file", path);
    s = ens_file_read(&b, path, FILE_MAX_BYTES, err);
    p = ens_buf_text(&b);
    n = b.len;
    if (n >= 3 && memcmp(p, BOM, 3) == 0) {
        p += 3;
        n -= 3;
    }
    if (s == ENS_OK) {
        ens_csv_scan_init(&d->scan, ens_csv_sniff(p, n, 1), add_field,
                          add_record, d);
        s = ens_csv_scan_feed(&d->scan, p, n, err);
    }
    if (s == ENS_OK)
        s = ens_csv_scan_finish(&d->scan, err);
    ens_buf_fini(&b);
    return s;
}

/* "(n, slope)" */
static enum ens_status read_group(struct reading *d, struct ens_slice group,
                                  struct ens_error *err)
{
    struct ens_slice field;
    size_t at = 0;
    int more;
    enum ens_status s = ENS_OK;

    if (group.n < 2 || group.p[0] != '(' || group.p[group.n - 1] != ')')
        return ens_fail(err, ENS_ESTUDY,
                        "\"%.*s\": expected @FILE, or (KEY, ...), (VALUE, "
                        "...), ..., or random(N, KEY = DIST(...), ...)",
                        ENS_SHOW(group));
    group = (struct ens_slice){group.p + 1, group.n - 2};
    while (s == ENS_OK && (more = ens_slice_next(group, ',', &at, &field)) > 0)
        s = add_field(d, field.p, field.n, err);
    return s == ENS_OK ? end_record(d, 0, err) : s;
}

static enum ens_status read_inline(struct reading *d, struct ens_slice text,
                                   struct ens_error *err)
{
    struct ens_slice group;
    size_t at = 0;
    int more = 0;
    enum ens_status s = ENS_OK;

    while (s == ENS_OK && (more = ens_slice_next(text, ',', &at, &group)) > 0)
        s = read_group(d, group, err);
    if (s == ENS_OK && more < 0)
        s = ens_fail(err, ENS_ESTUDY, "quotes or brackets do not match");
    return s;
}

static enum ens_status read_random(struct reading *d, struct ens_slice args,
                                   struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s =
        ens_grid_draw(d->r->context.arena, args, d->r->study->seed, &b, err);

    d->g->is_random = 1;
    if (s == ENS_OK)
        s = read_inline(d, (struct ens_slice){(const char *)b.data, b.len},
                        err);
    ens_buf_fini(&b);
    return s;
}

static int check_header(struct reading *d)
{
    struct ens_grid *g = d->g;
    char text[256];

    if (g->n_keys == 0 || g->n == 0)
        fail(d, g->n_keys == 0
                    ? "is empty; expected a header of keys and then a line "
                      "per combination"
                    : "has a header and no combinations");
    for (size_t i = 0; i < g->n_keys && !d->bad; i++) {
        snprintf(text, sizeof(text), "%.80s: column %zu has no name",
                 i > 0 ? g->key[i - 1] : "header", i + 1);
        if (*g->key[i] == '\0')
            ens_grid_error(d->r, d->section, g, 0, text);
        d->bad |= *g->key[i] == '\0';
        snprintf(text, sizeof(text), "%.80s: is there twice", g->key[i]);
        for (size_t k = 0; k < i && !d->bad; k++)
            if (strcmp(g->key[k], g->key[i]) == 0) {
                ens_grid_error(d->r, d->section, g, 0, text);
                d->bad = 1;
            }
    }
    return !d->bad;
}

/* Move what was collected into the grid. */
static int keep(struct reading *d)
{
    struct ens_arena *a = d->r->context.arena;
    struct ens_grid *g = d->g;
    size_t n = d->text.len / sizeof(const char *);

    g->n = n_records(d) > 0 ? n_records(d) - 1 : 0;
    g->key = ens_arena_alloc(a, n + 1, sizeof(*g->key));
    g->line = ens_arena_alloc(a, n_records(d) + 1, sizeof(*g->line));
    if (g->key == NULL || g->line == NULL) {
        d->r->diag.no_memory = 1;
        return 0;
    }
    if (n > 0) {
        memcpy(g->key, d->text.data, d->text.len);
        memcpy(g->line, d->line.data, d->line.len);
    }
    g->text = g->key + g->n_keys;
    return check_header(d);
}

/* The path behind an @; NULL when there is none. */
static const char *file_of(struct ens_resolve *r, struct ens_slice text)
{
    struct ens_slice s = text;

    ens_slice_unquote(r->context.arena, text, &s);
    if (s.n == 0 || s.p[0] != '@')
        return NULL;
    text = ens_slice_trim((struct ens_slice){s.p + 1, s.n - 1});
    ens_slice_unquote(r->context.arena, text, &text);
    return ens_arena_strndup(r->context.arena, text.p, text.n);
}

static enum ens_status read_text(struct reading *d, struct ens_slice text,
                                 struct ens_error *err)
{
    const char *dir = d->r->context.dir;
    const char *path;
    struct ens_slice args;

    if (ens_grid_is_random(text, &args))
        return read_random(d, args, err);
    d->g->file = file_of(d->r, text);
    if (d->g->file == NULL)
        return read_inline(d, text, err);
    if (*d->g->file == '\0') {
        d->g->file = NULL;
        return ens_fail(err, ENS_ESTUDY, "no file is named behind the @");
    }
    path = *d->g->file == '/'
               ? d->g->file
               : ens_arena_printf(d->r->context.arena, "%s/%s",
                                  strcmp(dir, "/") == 0 ? "" : dir, d->g->file);
    return path == NULL ? ens_out_of_memory(err) : read_csv(d, path, err);
}

struct ens_grid *ens_grid_read(struct ens_resolve *r, const char *section,
                               struct ens_entry *e)
{
    struct ens_slice text = {e->text, strlen(e->text)};
    struct reading *d = calloc(1, sizeof(*d));
    struct ens_grid *g = ens_arena_alloc(r->context.arena, 1, sizeof(*g));
    struct ens_error err;
    enum ens_status s;
    int good;

    e->used = 1;
    text = ens_slice_trim(text);
    if (text.n == 0 || d == NULL || g == NULL) {
        r->diag.no_memory |= d == NULL || g == NULL;
        free(d);
        return NULL;
    }
    d->r = r;
    d->section = section;
    d->g = g;
    g->pos = e->pos;
    s = read_text(d, text, &err);
    if (s == ENS_ENOMEMORY)
        r->diag.no_memory = 1;
    else if (s != ENS_OK)
        fail(d, err.text);
    good = s == ENS_OK && keep(d);
    ens_buf_fini(&d->text);
    ens_buf_fini(&d->line);
    free(d);
    return good ? g : NULL;
}
