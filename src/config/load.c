/* From bytes to a study: the order of the steps. */
#include "base/file.h"
#include "config/names.h"
#include "config/plugin_name.h"
#include "config/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20)

struct source {
    const char *name;
    const void *text;
    size_t n;
    const struct ens_override *set;
    size_t n_set;
};

/* The kind as written; NULL when it is not. A pass of its own: only with the
 * kind's tables is it known which keys are taken verbatim. */
static const char *peek_kind(struct ens_resolve *r, const struct source *src)
{
    struct ens_diag ignored = {.arena = &r->study->arena, .file = ""};
    struct ens_ini ini = {.arena = &r->study->arena};
    const struct ens_section *s;
    const struct ens_entry *e;
    const char *kind = NULL;

    ens_ini_read(&ini, &ignored, src->text, src->n, NULL, NULL);
    r->diag.no_memory |= ignored.no_memory;
    s = ens_ini_find(&ini, "study");
    e = ens_section_find(s, "kind");
    if (e != NULL)
        kind = e->text;
    for (size_t i = 0; i < src->n_set; i++) {
        const char *p = src->set[i].text;

        if (strncmp(p, "study.kind", 10) != 0)
            continue;
        p += 10 + strspn(p + 10, " ");
        if (*p == '=')
            kind = p + 1 + strspn(p + 1, " ");
    }
    return kind;
}

/* What is wrong stays in r->plugin_error. */
static const struct ens_study_tables *find_plugin(struct ens_resolve *r,
                                                  const char *kind)
{
    const struct ens_study_kinds *k = r->kinds;
    const struct ens_study_tables *t;
    enum ens_status s =
        ens_plugin_name_read(&r->plugin, &r->study->arena, r->study->dir, kind,
                             strlen(kind), &r->plugin_error);

    if (s == ENS_OK)
        s = k->plugins->kind(k->arg, r->plugin.path, r->plugin.name, &t,
                             &r->plugin_error);
    return s == ENS_OK ? t : NULL;
}

static int find_tables(struct ens_resolve *r, const char *kind)
{
    const struct ens_study_tables *t = NULL;
    int is_plugin = kind != NULL && r->kinds->plugins != NULL &&
                    ens_plugin_is_name(kind, strlen(kind));

    if (is_plugin)
        t = find_plugin(r, kind);
    else if (kind != NULL)
        t = r->kinds->find(r->kinds->arg, kind);
    if (t == NULL)
        return 0;
    r->study->tables = *t;
    if (is_plugin)
        r->study->tables.kind = r->plugin.label;
    r->context.calls[0] = t->settings;
    r->context.n_calls[0] = t->n_settings;
    r->context.impls = t->calls;
    r->context.n_impls = t->n_calls;
    r->has_tables = 1;
    return 1;
}

static void unknown_kind(struct ens_resolve *r)
{
    const struct ens_section *s = ens_ini_find(&r->ini, "study");
    const struct ens_entry *e = ens_section_find(s, "kind");
    struct ens_near near;

    if (e == NULL || *e->text == '\0')
        return; /* "missing", "no value" are said by its table row */
    if (r->plugin_error.status != ENS_OK) {
        ens_diag_add(&r->diag, e->pos, "[study] kind: %s",
                     r->plugin_error.text);
        return;
    }
    ens_near_init(&near, e->text);
    for (const char *const *n = r->kinds->names; n != NULL && *n != NULL; n++)
        ens_near_add(&near, *n);
    ens_diag_add(&r->diag, e->pos, "[study] kind: \"%.60s\" is unknown; %s",
                 e->text, ens_near_text(&near));
}

static int has_line(const struct ens_setting *s, size_t n, const char *section,
                    size_t len, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (s[i].type == ENS_T_LINE && strlen(s[i].section) == len &&
            memcmp(s[i].section, section, len) == 0 &&
            strcmp(s[i].key, key) == 0)
            return 1;
    return 0;
}

static int is_line(const void *arg, const char *section, const char *key)
{
    const struct ens_study_tables *k = arg;
    size_t len = strcspn(section, " ");

    if (has_line(k->settings, k->n_settings, section, len, key))
        return 1;
    for (size_t i = 0; i < k->n_roles; i++)
        for (size_t m = 0; m < k->roles[i].n_impls; m++)
            if (has_line(k->roles[i].impls[m].settings,
                         k->roles[i].impls[m].n_settings, section, len, key))
                return 1;
    return 0;
}

static const char *text_of(const struct ens_study *st, const char *key)
{
    const struct ens_key *k = ens_row_find(&st->section[0], key);

    return k == NULL ? "" : k->value.v->text;
}

static void set_text(struct ens_resolve *r, const char *key, const char *text)
{
    const struct ens_key *k = ens_row_find(&r->study->section[0], key);
    struct ens_value *v = ens_arena_alloc(&r->study->arena, 1, sizeof(*v));

    if (k == NULL || v == NULL || text == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    v->set = 1;
    v->text = text;
    ((struct ens_key *)k)->value = (struct ens_values){1, v};
}

/* "a/quick.start.ini" -> "quick.start" */
static const char *stem(struct ens_arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(base, '.');
    size_t n = dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);

    return n == 0 ? "study" : ens_arena_strndup(a, base, n);
}

/* [study]: what is found out rather than read. */
static void take_study(struct ens_resolve *r)
{
    struct ens_study *st = r->study;
    const struct ens_key *seed = ens_row_find(&st->section[0], "seed");
    const struct ens_key *reps = ens_row_find(&st->section[0], "replicates");
    const struct ens_key *name = ens_row_find(&st->section[0], "name");
    const struct ens_key *streams = ens_row_find(&st->section[0], "streams");

    if (r->diag.no_memory || seed == NULL || reps == NULL || name == NULL ||
        streams == NULL)
        return;
    st->seed = (uint64_t)seed->value.v->i;
    st->replicates = (uint32_t)reps->value.v->i;
    st->own_streams = streams->value.v->i == 1;
    if (strchr(name->value.v->text, '/') != NULL)
        ens_diag_add(&r->diag, name->pos,
                     "[study] name: \"%.60s\" has a / (a folder is set with "
                     "results)",
                     name->value.v->text);
    if (r->plugin.full != NULL && r->has_tables)
        set_text(r, "kind", r->plugin.full);
    if (!name->value.v->set)
        set_text(r, "name", stem(&st->arena, st->path));
    st->name = text_of(st, "name");
    if (*text_of(st, "results") == '\0')
        set_text(r, "results",
                 ens_arena_printf(&st->arena, "%s/results/%s",
                                  strcmp(st->dir, "/") == 0 ? "" : st->dir,
                                  st->name));
    st->results = text_of(st, "results");
}

static void build(struct ens_resolve *r, const struct source *src)
{
    int known = find_tables(r, peek_kind(r, src));

    ens_ini_read(&r->ini, &r->diag, src->text, src->n, known ? is_line : NULL,
                 &r->study->tables);
    ens_normalise(r, src->set, src->n_set);
    if (!known)
        unknown_kind(r);
    ens_resolve_inputs(r);
    ens_resolve_sections(r);
    if (!r->diag.no_memory)
        take_study(r);
    if (known && !r->diag.no_memory)
        ens_resolve_roles(r);
    if (known && !r->diag.no_memory)
        ens_resolve_references(r);
}

/* dir ("." when NULL) as an absolute path without slashes at its end. */
static enum ens_status set_dir(struct ens_study *st, const char *dir,
                               struct ens_error *err)
{
    int here = dir == NULL || *dir == '\0' || strcmp(dir, ".") == 0;
    char *cwd = NULL;
    char *path;

    if (here || *dir != '/') {
        cwd = getcwd(NULL, 0);
        if (cwd == NULL)
            return ens_fail_errno(err, ENS_EIO, "current folder");
    }
    path = ens_arena_printf(&st->arena, "%s%s%s", cwd != NULL ? cwd : "",
                            cwd != NULL && !here ? "/" : "", here ? "" : dir);
    free(cwd);
    if (path == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    st->dir = path;
    return ENS_OK;
}

/* A study's errors are all found before any is told; numbering the cells
 * needs rows that are right. */
static enum ens_status finish(struct ens_resolve *r, struct ens_buf *errors,
                              struct ens_error *err)
{
    enum ens_status s;

    if (r->diag.n == 0 && !r->diag.no_memory) {
        s = ens_study_index(r->study, &r->diag);
        if (s == ENS_ENOMEMORY)
            r->diag.no_memory = 1;
    }
    return ens_diag_flush(&r->diag, errors, err);
}

enum ens_status ens_study_parse(struct ens_study **study, const char *name,
                                const void *text, size_t n, const char *dir,
                                const struct ens_override *set, size_t n_set,
                                const struct ens_study_kinds *kinds,
                                struct ens_buf *errors, struct ens_error *err)
{
    struct ens_study *st = calloc(1, sizeof(*st));
    struct source src = {name, text, n, set, n_set};
    struct ens_resolve r = {.study = st, .kinds = kinds};
    enum ens_status s;

    if (st == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", name);
    ens_arena_init(&st->arena);
    s = set_dir(st, dir, err);
    if (s != ENS_OK)
        goto fail;
    st->path = ens_arena_strdup(&st->arena, name);
    if (st->path == NULL) {
        s = ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", name);
        goto fail;
    }
    r.diag.arena = &st->arena;
    r.diag.file = st->path;
    r.ini.arena = &st->arena;
    r.context.arena = &st->arena;
    r.context.dir = st->dir;
    r.context.kinds = kinds;
    build(&r, &src);
    s = finish(&r, errors, err);
    if (s != ENS_OK)
        goto fail;
    *study = st;
    return ENS_OK;

fail:
    ens_study_free(st);
    return s;
}

enum ens_status ens_study_load(struct ens_study **study, const char *path,
                               const char *dir, const struct ens_override *set,
                               size_t n_set,
                               const struct ens_study_kinds *kinds,
                               struct ens_buf *errors, struct ens_error *err)
{
    const char *slash = strrchr(path, '/');
    struct ens_buf text = ENS_BUF_INIT;
    char *own = NULL;
    enum ens_status s = ens_file_read(&text, path, FILE_MAX, err);

    if (s == ENS_OK && dir == NULL && slash != NULL) {
        own = strndup(path, slash == path ? 1 : (size_t)(slash - path));
        if (own == NULL)
            s = ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", path);
    }
    if (s == ENS_OK)
        s = ens_study_parse(study, path, ens_buf_text(&text), text.len,
                            dir != NULL ? dir : own, set, n_set, kinds, errors,
                            err);
    else if (errors != NULL && err != NULL)
        ens_buf_printf(errors, "%s\n", err->text);
    free(own);
    ens_buf_fini(&text);
    return s;
}

void ens_study_free(struct ens_study *study)
{
    if (study == NULL)
        return;
    ens_arena_fini(&study->arena);
    free(study);
}
