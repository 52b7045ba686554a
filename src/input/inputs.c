#include "input/input.h"

#include "base/bug.h"
#include "input/mapped.h"
#include "input/options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct source { /* one input of a study, read for ens_mapped_open */
    const struct ens_study *study;
    size_t i;
    size_t base;            /* X of "X[a, b]", whose keys are the defaults */
    const char *selection;  /* "[a, b]", or NULL */
    struct ens_arena arena; /* of the lists */
    struct ens_input_spec spec;
};

static void where(const struct source *from, const char *key, char *to,
                  size_t cap)
{
    char section[256];

    snprintf(section, sizeof(section), "input %s", from->spec.name);
    ens_study_where(from->study, section, key, to, cap);
}

static int is_default(const struct source *from, const char *key)
{
    char place[300];

    where(from, key, place, sizeof(place));
    return strcmp(place, "default") == 0;
}

static const struct ens_value *get_from(const struct source *from, size_t i,
                                        const char *key)
{
    const struct ens_value *v = ens_study_input_value(from->study, i, key);

    return v != NULL && v->set ? v : NULL;
}

/* The value of a key; NULL when the study does not give one. How the file is
 * read is said at its own input; a selection may add rows and transpose. A
 * resolved study writes defaults out, so "was it written" decides nothing. */
static const struct ens_value *get(const struct source *from, const char *key)
{
    const struct ens_value *own = get_from(from, from->i, key);

    if (from->base == from->i ||
        (own != NULL && strcmp(key, "rows") == 0 && own->text[0] != '\0') ||
        (own != NULL && strcmp(key, "transpose") == 0 && own->i != 0) ||
        (own != NULL && strcmp(key, "columns") == 0))
        return own;
    return get_from(from, from->base, key);
}

static const char *get_text(const struct source *from, const char *key)
{
    const struct ens_value *v = get(from, key);

    return v != NULL && v->text != NULL && v->text[0] != '\0' ? v->text : NULL;
}

/* Put the study's line before an error: that of the key, else of the path. */
static enum ens_status blame(const struct source *from, const char *key,
                             enum ens_status s, struct ens_error *err)
{
    char place[300];

    where(from, key != NULL && !is_default(from, key) ? key : "path", place,
          sizeof(place));
    return ens_wrap(err, s, "%s: [input %s]%s%s", place, from->spec.name,
                    key != NULL ? " " : "", key != NULL ? key : "");
}

static enum ens_status read_list(struct source *from, const char *key,
                                 const char *const **list, size_t *n,
                                 struct ens_error *err)
{
    const struct ens_value *v = get(from, key);
    const char **p;

    *n = 0;
    if (v == NULL)
        return ENS_OK;
    p = ens_arena_alloc(&from->arena, v->n_list + 1, sizeof(*p));
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < v->n_list; i++)
        p[(*n)++] = v->list[i].text;
    if (v->n_list == 0 && v->text != NULL && v->text[0] != '\0')
        p[(*n)++] = v->text;
    *list = p;
    return ENS_OK;
}

static enum ens_status read_shape(struct source *from, struct ens_error *err)
{
    const char *const *text = NULL;
    size_t n;
    enum ens_status s = read_list(from, "shape", &text, &n, err);

    for (size_t i = 0; i < n && s == ENS_OK; i++)
        s = ens_options_shape(&from->spec.options, text[i], err);
    return s;
}

static enum ens_status read_rows(struct source *from, struct ens_error *err)
{
    const char *text = get_text(from, "rows");

    return text == NULL ? ENS_OK
                        : ens_options_rows(&from->spec.options, text, err);
}

static enum ens_status read_delimiter(struct source *from,
                                      struct ens_error *err)
{
    const char *text = get_text(from, "delimiter");

    return text == NULL ? ENS_OK
                        : ens_options_delimiter(&from->spec.options, text, err);
}

/* "[a, b]" cut at its commas. */
static enum ens_status read_selection(struct source *from,
                                      struct ens_error *err)
{
    struct ens_input_options *o = &from->spec.options;
    size_t n = strlen(from->selection) - 2;
    char *text = ens_arena_strndup(&from->arena, from->selection + 1, n);
    const char **list = ens_arena_alloc(&from->arena, n + 1, sizeof(*list));

    if (text == NULL || list == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (char *p = text, *next; p != NULL; p = next) {
        char *end;

        next = strchr(p, ',');
        if (next != NULL)
            *next++ = '\0';
        p += strspn(p, " \t");
        for (end = p + strlen(p); end > p && end[-1] == ' '; end--)
            end[-1] = '\0';
        if (*p == '\0')
            return ens_fail(err, ENS_EINPUT, "an empty name in '%s'",
                            from->selection);
        list[o->n_columns++] = p;
    }
    o->columns = list;
    return ENS_OK;
}

static enum ens_status read_columns(struct source *from, struct ens_error *err)
{
    struct ens_input_options *o = &from->spec.options;

    if (from->selection == NULL)
        return read_list(from, "columns", &o->columns, &o->n_columns, err);
    if (get(from, "columns") != NULL)
        return ens_fail(err, ENS_EINPUT,
                        "columns are selected twice: by %s "
                        "and by `columns`",
                        from->selection);
    return read_selection(from, err);
}

static enum ens_status read_missing(struct source *from, struct ens_error *err)
{
    struct ens_input_options *o = &from->spec.options;

    return read_list(from, "missing", &o->missing, &o->n_missing, err);
}

static enum ens_status read_header(struct source *from, struct ens_error *err)
{
    const char *text = get_text(from, "header");

    (void)err;
    from->spec.options.header = text == NULL || strcmp(text, "auto") == 0 ? -1
                                : strcmp(text, "yes") == 0                ? 1
                                                                          : 0;
    return ENS_OK;
}

static enum ens_status read_dataset(struct source *from, struct ens_error *err)
{
    (void)err;
    from->spec.options.dataset = get_text(from, "dataset");
    return ENS_OK;
}

static enum ens_status read_transpose(struct source *from,
                                      struct ens_error *err)
{
    const struct ens_value *v = get(from, "transpose");

    (void)err;
    from->spec.options.transpose = v != NULL && v->i != 0;
    return ENS_OK;
}

static enum ens_status read_dtype(struct source *from, struct ens_error *err)
{
    (void)err;
    from->spec.options.dtype = get_text(from, "dtype");
    return ENS_OK;
}

/* Is it "X[a, b]" with X another input? Then the file is that of X. */
static void find_base(struct source *from, const char *path)
{
    const char *open = strchr(path, '[');

    if (open == NULL || path[strlen(path) - 1] != ']')
        return;
    for (size_t i = 0; i < ens_study_n_inputs(from->study); i++) {
        const char *name = ens_study_input_name(from->study, i);

        if (i == from->i || strlen(name) != (size_t)(open - path) ||
            strncmp(name, path, (size_t)(open - path)) != 0)
            continue;
        from->base = i;
        from->selection = open;
    }
}

static int is_memory(const char *path)
{
    return strncmp(path, ENS_MEMORY_PATH, strlen(ENS_MEMORY_PATH)) == 0;
}

static enum ens_status read_path(struct source *from, struct ens_error *err)
{
    const char *path = get_text(from, "path");
    const struct ens_value *v;

    if (path == NULL)
        return ens_fail(err, ENS_EINPUT, "no path");
    if (path[0] != '/' && !is_memory(path))
        find_base(from, path);
    if (from->selection != NULL) {
        v = ens_study_input_value(from->study, from->base, "path");
        if (v == NULL || v->text == NULL ||
            (v->text[0] != '/' && !is_memory(v->text)))
            return ens_fail(err, ENS_EINPUT,
                            "%s: expected columns of an input "
                            "that is a file",
                            path);
        path = v->text;
    }
    from->spec.path = path;
    return ENS_OK;
}

static const struct {
    const char *key;
    enum ens_status (*read)(struct source *from, struct ens_error *err);
} keys[] = {
    {"path", read_path},           {"dtype", read_dtype},
    {"shape", read_shape},         {"rows", read_rows},
    {"columns", read_columns},     {"transpose", read_transpose},
    {"delimiter", read_delimiter}, {"header", read_header},
    {"missing", read_missing},     {"dataset", read_dataset},
};

struct opening { /* what all inputs of a study have in common */
    const struct ens_study *study;
    const struct ens_memory_input *memory;
    size_t n_memory;
    ens_input_progress_fn *progress;
    void *arg;
    int may_lack; /* those that cannot be opened stay closed */
};

/* A descriptor of its own for an array of the program. */
static enum ens_status find_memory(const struct opening *o, const char *path,
                                   int *fd, struct ens_error *err)
{
    const char *name = path + strlen(ENS_MEMORY_PATH);

    for (size_t i = 0; i < o->n_memory; i++) {
        if (strcmp(o->memory[i].name, name) != 0)
            continue;
        *fd = fcntl(o->memory[i].fd, F_DUPFD_CLOEXEC, 3);
        return *fd >= 0 ? ENS_OK
                        : ens_fail_errno(err, ENS_EINPUT, "cannot open");
    }
    return ens_fail(err, ENS_EINPUT,
                    "%s: an array in the memory of the program that runs this "
                    "study: only that program can run it",
                    path);
}

static enum ens_status open_one(struct ens_mapped *m, const struct opening *o,
                                size_t i, int fd, struct ens_error *err)
{
    const struct ens_study *study = o->study;
    struct source from = {.study = study, .i = i, .base = i};
    const char *key = NULL;
    enum ens_status s = ENS_OK;

    from.spec.name = ens_study_input_name(study, i);
    for (size_t k = 0; k < ENS_COUNT(keys) && s == ENS_OK; k++) {
        key = keys[k].key;
        s = keys[k].read(&from, err);
    }
    if (s == ENS_OK)
        key = NULL; /* the rest is about the file */
    if (s == ENS_OK && fd < 0 && is_memory(from.spec.path))
        s = find_memory(o, from.spec.path, &fd, err);
    if (s == ENS_OK) {
        s = ens_mapped_open(m, &from.spec, fd, o->progress, o->arg, &key, err);
    } else if (fd >= 0) {
        close(fd);
    }
    if (s != ENS_OK)
        s = blame(&from, key, s, err);
    ens_arena_fini(&from.arena);
    return s;
}

static enum ens_status open_all(struct ens_inputs *in, const struct opening *o,
                                const int *fd, struct ens_error *err)
{
    size_t n = ens_study_n_inputs(o->study);
    struct ens_inputs r = {0, NULL};
    enum ens_status s = ENS_OK;

    r.item = calloc(n > 0 ? n : 1, sizeof(*r.item));
    if (r.item == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (; r.n < n && s == ENS_OK; r.n += s == ENS_OK ? 1 : 0) {
        r.item[r.n].fd = -1;
        s = open_one(&r.item[r.n], o, r.n, fd != NULL ? fd[r.n] : -1, err);
        if (o->may_lack)
            s = ENS_OK;
    }
    if (s == ENS_OK) {
        *in = r;
        return s;
    }
    /* the failed one has closed its own */
    for (size_t i = r.item == NULL ? 0 : r.n + 1; fd != NULL && i < n; i++)
        close(fd[i]);
    ens_inputs_close(&r);
    return s;
}

enum ens_status ens_inputs_open(struct ens_inputs *in,
                                const struct ens_study *study,
                                ens_input_progress_fn *progress, void *arg,
                                struct ens_error *err)
{
    return ens_inputs_open_with(in, study, NULL, 0, progress, arg, err);
}

enum ens_status ens_inputs_open_with(struct ens_inputs *in,
                                     const struct ens_study *study,
                                     const struct ens_memory_input *memory,
                                     size_t n_memory,
                                     ens_input_progress_fn *progress, void *arg,
                                     struct ens_error *err)
{
    const struct opening o = {study, memory, n_memory, progress, arg, 0};

    return open_all(in, &o, NULL, err);
}

enum ens_status ens_inputs_open_seen(struct ens_inputs *in,
                                     const struct ens_study *study,
                                     struct ens_error *err)
{
    const struct opening o = {.study = study, .may_lack = 1};

    return open_all(in, &o, NULL, err);
}

enum ens_status ens_inputs_open_fds(struct ens_inputs *in,
                                    const struct ens_study *study,
                                    const int *fd, size_t n,
                                    struct ens_error *err)
{
    const struct opening o = {.study = study};

    if (n == ens_study_n_inputs(study))
        return open_all(in, &o, fd, err);
    for (size_t i = 0; i < n; i++)
        close(fd[i]);
    return ens_fail(err, ENS_EPROTOCOL, "%zu files for %zu inputs", n,
                    ens_study_n_inputs(study));
}

void ens_inputs_close(struct ens_inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        ens_mapped_close(&in->item[i]);
    free(in->item);
    in->item = NULL;
    in->n = 0;
}

const struct ens_input *ens_inputs_find(const struct ens_inputs *in,
                                        const char *name)
{
    for (size_t i = 0; i < in->n; i++)
        if (strcmp(in->item[i].input.name, name) == 0)
            return &in->item[i].input;
    return NULL;
}

const struct ens_mapped *ens_inputs_at(const struct ens_inputs *in,
                                       const void *address)
{
    uintptr_t at = (uintptr_t)address;

    for (size_t i = 0; i < in->n; i++) {
        uintptr_t base = (uintptr_t)in->item[i].base;

        if (in->item[i].map_bytes > 0 && at >= base &&
            at - base < in->item[i].map_bytes)
            return &in->item[i];
    }
    return NULL;
}
