#include "cli/from.h"

#include "input/options.h"

#include <string.h>

/* Cut at commas, in place. */
static size_t cut(char *text, const char **list, size_t cap)
{
    size_t n = 0;

    for (char *p = text, *next; p != NULL && n < cap; p = next) {
        next = strchr(p, ',');
        if (next != NULL)
            *next++ = '\0';
        list[n++] = p;
    }
    return n;
}

static enum ens_status read_list(const struct ens_options *o, const char *name,
                                 struct ens_arena *arena,
                                 const char *const **list, size_t *n,
                                 struct ens_error *err)
{
    const char *text = ens_options_text(o, name);
    size_t cap = text == NULL ? 0 : strlen(text) + 1;
    char *copy;
    const char **p;

    if (text == NULL)
        return ENS_OK;
    copy = ens_arena_strdup(arena, text);
    p = ens_arena_alloc(arena, cap, sizeof(*p));
    if (copy == NULL || p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *n = cut(copy, p, cap);
    *list = p;
    return ENS_OK;
}

enum ens_status ens_from_read(struct ens_input_spec *from, const char *path,
                              const struct ens_options *o,
                              struct ens_arena *arena, struct ens_error *err)
{
    struct ens_input_options *in = &from->options;
    const char *header = ens_options_text(o, "header");
    const char *text;
    enum ens_status s = ENS_OK;

    from->name = from->path = path;
    in->dtype = ens_options_text(o, "dtype");
    in->dataset = ens_options_text(o, "dataset");
    in->transpose = ens_options_has(o, "transpose");
    in->header = header == NULL || strcmp(header, "auto") == 0
                     ? -1
                     : strcmp(header, "yes") == 0;
    if ((text = ens_options_text(o, "shape")) != NULL)
        s = ens_options_shape(in, text, err);
    if (s == ENS_OK && (text = ens_options_text(o, "rows")) != NULL)
        s = ens_options_rows(in, text, err);
    if (s == ENS_OK && (text = ens_options_text(o, "delimiter")) != NULL)
        s = ens_options_delimiter(in, text, err);
    if (s == ENS_OK)
        s = read_list(o, "columns", arena, &in->columns, &in->n_columns, err);
    if (s == ENS_OK)
        s = read_list(o, "missing", arena, &in->missing, &in->n_missing, err);
    return s;
}
