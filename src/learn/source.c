#include "learn/source.h"

#include "base/bug.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void ens_learn_source_init(struct ens_learn_source *s, uint64_t n_rows,
                           struct ens_arena *arena)
{
    *s = (struct ens_learn_source){.n_rows = n_rows, .arena = arena};
}

/* Room for n more items behind used of *room; those there are copied. */
static void *grow(struct ens_arena *arena, void *old, size_t used, size_t n,
                  size_t *room, size_t size)
{
    size_t want = 2 * (used + n);
    void *made;

    if (used + n <= *room)
        return old;
    made = ens_arena_alloc(arena, want, size);
    if (made == NULL)
        return NULL;
    if (used > 0)
        memcpy(made, old, used * size);
    *room = want;
    return made;
}

static enum ens_status reserve(struct ens_learn_source *s, size_t parts,
                               size_t columns, struct ens_error *err)
{
    struct ens_learn_source_part *part;
    const char **column;

    part = grow(s->arena, s->part, s->n_parts, parts, &s->room_parts,
                sizeof(*part));
    if (part == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->part = part;
    column = grow(s->arena, s->column, s->p, columns, &s->room_columns,
                  sizeof(*column));
    if (column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->column = column;
    return ENS_OK;
}

/* How a view of two dimensions is read best. */
static enum ens_part_kind kind_of(const struct ens_view *v)
{
    int64_t row = v->strides[0], column = v->strides[1];

    if (v->dtype == ENS_DT_F64 && !v->swapped &&
        (column == (int64_t)sizeof(double) || v->shape[1] == 1))
        return ENS_PART_ROWS;
    if (v->shape[1] > 8 && llabs(column) < llabs(row))
        return ENS_PART_ACROSS;
    return ENS_PART_COLUMNS;
}

static struct ens_view two_dimensions(const struct ens_view *v, uint64_t first,
                                      size_t m)
{
    struct ens_view w = *v;

    if (w.ndim == 1) {
        w.ndim = 2;
        w.strides[1] = (int64_t)ens_dtype_bytes(w.dtype);
    }
    w.shape[1] = m;
    w.data = (const char *)w.data + (int64_t)first * (m > 0 ? w.strides[1] : 0);
    return w;
}

static enum ens_status check_rows(const struct ens_learn_source *s,
                                  const char *name, uint64_t n_rows,
                                  const struct ens_rowset *map,
                                  struct ens_error *err)
{
    if (map == NULL && n_rows != s->n_rows)
        return ens_fail(err, ENS_EINPUT,
                        "%s has %" PRIu64 " rows, %" PRIu64 " are expected",
                        name, n_rows, s->n_rows);
    ENS_BUG_ON(map != NULL && map->n != s->n_rows);
    return ENS_OK;
}

static void add_part(struct ens_learn_source *s, enum ens_part_kind kind,
                     const struct ens_view *v, size_t m,
                     const struct ens_rowset *map)
{
    s->part[s->n_parts++] = (struct ens_learn_source_part){
        .kind = kind, .view = *v, .first = s->p, .m = m, .map = map};
}

static enum ens_status add_name(struct ens_learn_source *s, const char *name,
                                struct ens_error *err)
{
    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s->column[s->p++] = name;
    return ENS_OK;
}

enum ens_status ens_learn_source_add_view(struct ens_learn_source *s,
                                          const struct ens_view *view,
                                          uint64_t first, size_t m,
                                          const char *const *name,
                                          const struct ens_rowset *map,
                                          struct ens_error *err)
{
    enum ens_status st =
        check_rows(s, m > 0 ? name[0] : "an array", view->shape[0], map, err);
    struct ens_view v;

    if (st == ENS_OK)
        st = reserve(s, 1, m, err);
    if (st != ENS_OK || m == 0)
        return st;
    v = two_dimensions(view, first, m);
    add_part(s, kind_of(&v), &v, m, map);
    for (size_t j = 0; j < m && st == ENS_OK; j++)
        st = add_name(s, ens_arena_strdup(s->arena, name[j]), err);
    return st;
}

static enum ens_status
add_text(struct ens_learn_source *s, const struct ens_input *in,
         const struct ens_column *c, enum ens_texts texts,
         const struct ens_rowset *map, struct ens_error *err)
{
    uint32_t first = texts == ENS_TEXTS_CODED ? 1 : 0;
    enum ens_status st;

    if (texts == ENS_TEXTS_REFUSED)
        return ens_fail(err, ENS_EINPUT,
                        "column \"%s\" of %s is text (\"%s\" ...): leave it "
                        "out (%s[-%s]), or have the case make numbers of it "
                        "(preprocess = indicators)",
                        c->name, in->name, c->n_levels > 0 ? c->levels[0] : "",
                        in->name, c->name);
    if (c->n_levels <= first)
        return ENS_OK; /* one level says nothing */
    st = reserve(s, 1, c->n_levels, err);
    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_TEXT, &c->view, c->n_levels - first, map);
    s->part[s->n_parts - 1].level = first;
    for (uint32_t k = first; k < c->n_levels && st == ENS_OK; k++)
        st = add_name(
            s, ens_arena_printf(s->arena, "%s[%s]", c->name, c->levels[k]),
            err);
    return st;
}

enum ens_status ens_learn_source_add_level(struct ens_learn_source *s,
                                           const struct ens_view *view,
                                           uint32_t level, const char *name,
                                           struct ens_error *err)
{
    enum ens_status st = check_rows(s, name, view->shape[0], NULL, err);

    if (st == ENS_OK)
        st = reserve(s, 1, 1, err);
    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_TEXT, view, 1, NULL);
    s->part[s->n_parts - 1].level = level;
    return add_name(s, ens_arena_strdup(s->arena, name), err);
}

static const char *column_name(struct ens_learn_source *s,
                               const struct ens_input *in, uint64_t j)
{
    if (in->columns != NULL && in->columns[j].name[0] != '\0')
        return ens_arena_strdup(s->arena, in->columns[j].name);
    if (in->n_columns == 1)
        return ens_arena_strdup(s->arena, in->name);
    return ens_arena_printf(s->arena, "V%" PRIu64, j + 1);
}

static int is_complex(enum ens_dtype t)
{
    return t == ENS_DT_C64 || t == ENS_DT_C128;
}

/* Columns first .. first+n-1 of a table: numbers. */
static enum ens_status add_numbers(struct ens_learn_source *s,
                                   const struct ens_input *in, uint64_t first,
                                   size_t n, const struct ens_rowset *map,
                                   struct ens_error *err)
{
    enum ens_status st = reserve(s, 1, n, err);

    if (st != ENS_OK)
        return st;
    add_part(s, ENS_PART_COLUMNS, &in->columns[first].view, n, map);
    s->part[s->n_parts - 1].column = &in->columns[first];
    for (size_t j = 0; j < n && st == ENS_OK; j++) {
        if (is_complex(in->columns[first + j].view.dtype))
            return ens_fail(err, ENS_EINPUT, "column %s of %s: complex numbers",
                            column_name(s, in, first + j), in->name);
        st = add_name(s, column_name(s, in, first + j), err);
    }
    return st;
}

/* Level numbers are no numbers, though they may lie like a matrix. */
static int has_text(const struct ens_input *in)
{
    for (uint64_t j = 0; in->columns != NULL && j < in->n_columns; j++)
        if (in->columns[j].levels != NULL)
            return 1;
    return 0;
}

static enum ens_status add_table(struct ens_learn_source *s,
                                 const struct ens_input *in,
                                 enum ens_texts texts,
                                 const struct ens_rowset *map,
                                 struct ens_error *err)
{
    enum ens_status st = ENS_OK;
    uint64_t end;

    for (uint64_t j = 0; j < in->n_columns && st == ENS_OK; j = end) {
        end = j;
        while (end < in->n_columns && in->columns[end].levels == NULL)
            end++;
        if (end > j)
            st = add_numbers(s, in, j, (size_t)(end - j), map, err);
        else
            st = add_text(s, in, &in->columns[end++], texts, map, err);
    }
    return st;
}

enum ens_status ens_learn_source_add_input(struct ens_learn_source *s,
                                           const struct ens_input *in,
                                           enum ens_texts texts,
                                           const struct ens_rowset *map,
                                           struct ens_error *err)
{
    enum ens_status st = check_rows(s, in->name, in->n_rows, map, err);
    struct ens_view v;

    if (st != ENS_OK)
        return st;
    if (in->view.data == NULL || has_text(in))
        return add_table(s, in, texts, map, err);
    if (in->view.ndim > 2 || in->view.ndim == 0)
        return ens_fail(err, ENS_EINPUT,
                        "%s has %" PRIu32 " dimensions, rows and columns are "
                        "expected",
                        in->name, in->view.ndim);
    if (is_complex(in->view.dtype))
        return ens_fail(err, ENS_EINPUT, "%s: complex numbers", in->name);
    st = reserve(s, 1, in->n_columns, err);
    if (st != ENS_OK || in->n_columns == 0)
        return st;
    v = two_dimensions(&in->view, 0, in->n_columns);
    add_part(s, kind_of(&v), &v, in->n_columns, map);
    for (uint64_t j = 0; j < in->n_columns && st == ENS_OK; j++)
        st = add_name(s, column_name(s, in, j), err);
    return st;
}
