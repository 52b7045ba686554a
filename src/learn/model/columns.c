#include "learn/model/columns.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* -- which column is which --------------------------------------------------
 */

static int has_names(const struct ens_model *m, const struct ens_input *in)
{
    return m->column[0].name[0] != '\0' && in->columns != NULL &&
           in->n_columns > 0 && in->columns[0].name[0] != '\0';
}

static enum ens_status find(const struct ens_input *in, const char *name,
                            const struct ens_column **found,
                            struct ens_error *err)
{
    *found = NULL;
    for (uint64_t j = 0; j < in->n_columns; j++) {
        if (strcmp(in->columns[j].name, name) != 0)
            continue;
        if (*found)
            return ens_fail(err, ENS_EINPUT,
                            "%s: column %s is there more than once", in->path,
                            name);
        *found = &in->columns[j];
    }
    if (*found == NULL)
        return ens_fail(err, ENS_EINPUT,
                        "%s: column %s is missing; the model was fitted on it",
                        in->path, name);
    return ENS_OK;
}

static enum ens_status find_all(struct ens_model_input *c,
                                struct ens_error *err)
{
    const struct ens_model *m = c->model;
    const struct ens_input *in = c->in;
    int by_name = has_names(m, in);
    enum ens_status s = ENS_OK;

    if (!by_name && in->n_columns != m->n_columns)
        return ens_fail(err, ENS_EINPUT,
                        "%s: %" PRIu64 " columns; the model was fitted on %u",
                        in->path, in->n_columns, m->n_columns);
    for (uint32_t j = 0; j < m->n_columns && s == ENS_OK; j++) {
        c->from[j] = in->columns ? &in->columns[j] : NULL;
        if (by_name)
            s = find(in, m->column[j].name, &c->from[j], err);
    }
    return s;
}

static const char *name_of(const struct ens_model_input *c, uint32_t j,
                           char number[16])
{
    static const char digits[] = "0123456789";
    size_t n = 15;

    if (c->model->column[j].name[0] != '\0')
        return c->model->column[j].name;
    if (c->model->n_columns == 1)
        return "X"; /* as ens_learn_source_add_input has it */
    number[n] = '\0';
    for (uint64_t v = (uint64_t)j + 1; v > 0; v /= 10)
        number[--n] = digits[v % 10];
    number[--n] = 'V';
    return number + n;
}

static enum ens_status check_types(const struct ens_model_input *c,
                                   struct ens_error *err)
{
    char number[16];

    for (uint32_t j = 0; j < c->model->n_columns; j++) {
        int is = c->from[j] != NULL && c->from[j]->levels != NULL;
        int was = c->model->column[j].level != NULL;

        if (is != was && c->in->n_rows == 0) /* nothing says what it is */
            return ens_fail(err, ENS_EINPUT, "%s: no rows", c->in->path);
        if (is != was)
            return ens_fail(err, ENS_EINPUT,
                            "%s: column %s is %s; it was %s in the training "
                            "data",
                            c->in->path, name_of(c, j, number),
                            is ? "text" : "numbers", was ? "text" : "numbers");
    }
    return ENS_OK;
}

/* -- levels of text ---------------------------------------------------------
 */

/* Levels are sorted by bytes in both. UINT32_MAX: not there. */
static uint32_t level_of(const char *const *level, uint32_t n, const char *text)
{
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(level[middle], text);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

static enum ens_status know(struct ens_model_input *c, uint32_t j,
                            struct ens_arena *arena, struct ens_error *err)
{
    const struct ens_model_column *m = &c->model->column[j];
    const struct ens_column *from = c->from[j];
    uint8_t *known;
    int all = 1;

    if (m->level == NULL)
        return ENS_OK;
    known = ens_arena_alloc(arena, (size_t)from->n_levels + 1, sizeof(*known));
    if (known == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "levels: out of memory");
    for (uint32_t k = 0; k < from->n_levels; k++) {
        known[k] =
            level_of(m->level, m->n_levels, from->levels[k]) != UINT32_MAX;
        all &= known[k];
    }
    c->known[j] = all ? NULL : known;
    return ENS_OK;
}

enum ens_status ens_model_input_open(struct ens_model_input *c,
                                     const struct ens_model *m,
                                     const struct ens_input *in,
                                     struct ens_arena *arena,
                                     struct ens_error *err)
{
    enum ens_status s;

    *c = (struct ens_model_input){.model = m, .in = in};
    c->from = ens_arena_alloc(arena, m->n_columns, sizeof(struct ens_column *));
    c->known = ens_arena_alloc(arena, m->n_columns, sizeof(*c->known));
    if (c->from == NULL || c->known == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
    s = find_all(c, err);
    if (s == ENS_OK)
        s = check_types(c, err);
    for (uint32_t j = 0; j < m->n_columns && s == ENS_OK; j++)
        s = know(c, j, arena, err);
    if (s == ENS_OK && in->view.data != NULL && !has_names(m, in))
        c->from = NULL;
    return s;
}

/* -- as a source ------------------------------------------------------------
 */

static enum ens_status add_text(const struct ens_model_input *c, uint32_t j,
                                enum ens_texts texts, struct ens_arena *arena,
                                struct ens_learn_source *s,
                                struct ens_error *err)
{
    const struct ens_model_column *m = &c->model->column[j];
    const struct ens_column *from = c->from[j];
    uint32_t first = texts == ENS_TEXTS_CODED ? 1 : 0;
    enum ens_status st = ENS_OK;

    for (uint32_t k = first; k < m->n_levels && st == ENS_OK; k++) {
        const char *name =
            ens_arena_printf(arena, "%s[%s]", m->name, m->level[k]);

        if (name == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
        st = ens_learn_source_add_level(
            s, &from->view, level_of(from->levels, from->n_levels, m->level[k]),
            name, err);
    }
    return st;
}

enum ens_status ens_model_input_source(const struct ens_model_input *c,
                                       enum ens_texts texts,
                                       struct ens_arena *arena,
                                       struct ens_learn_source *s,
                                       struct ens_error *err)
{
    const struct ens_model *m = c->model;
    enum ens_status st = ENS_OK;
    char number[16];

    ens_learn_source_init(s, c->in->n_rows, arena);
    if (c->from == NULL) {
        st = ens_learn_source_add_input(s, c->in, texts, NULL, err);
        for (uint32_t j = 0; j < m->n_columns && st == ENS_OK; j++) {
            s->column[j] = ens_arena_strdup(arena, name_of(c, j, number));
            if (s->column[j] == NULL)
                st = ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
        }
        return st;
    }
    for (uint32_t j = 0; j < m->n_columns && st == ENS_OK; j++) {
        const char *name = name_of(c, j, number);

        st = m->column[j].level != NULL
                 ? add_text(c, j, texts, arena, s, err)
                 : ens_learn_source_add_view(s, &c->from[j]->view, 0, 1, &name,
                                             NULL, err);
    }
    return st;
}

const struct ens_view *ens_model_input_view(const struct ens_model_input *c,
                                            uint32_t j)
{
    if (c->from != NULL)
        return &c->from[j]->view;
    return c->in->columns != NULL ? &c->in->columns[j].view : NULL;
}

/* -- rows that cannot be predicted ------------------------------------------
 */

#define NEW_LEVEL 0x80000000u

static void check_levels(const struct ens_model_input *c, uint32_t j,
                         uint64_t first, size_t n, uint32_t *bad)
{
    const struct ens_column *from = c->from[j];

    for (size_t i = 0; i < n; i++) {
        double code;

        ens_view_f64(&from->view, first + i, 1, &code);
        if (bad[i] == 0 && code >= 0 && !c->known[j][(size_t)code])
            bad[i] = NEW_LEVEL | (j + 1);
        else if (bad[i] == 0 && code < 0)
            bad[i] = NEW_LEVEL | (j + 1);
    }
}

size_t ens_model_input_check(const struct ens_model_input *c,
                             const struct ens_learn_source *s, uint64_t first,
                             size_t n, const double *x, uint32_t *bad)
{
    size_t all = n * s->p, k = 0, found = 0;

    memset(bad, 0, n * sizeof(*bad));
    while ((k += ens_not_finite(x + k, all - k)) < all) {
        if (bad[k / s->p] == 0)
            bad[k / s->p] = 1 + (uint32_t)(k % s->p);
        k++;
    }
    for (uint32_t j = 0; c->from != NULL && j < c->model->n_columns; j++)
        if (c->known[j] != NULL)
            check_levels(c, j, first, n, bad);
    for (size_t i = 0; i < n; i++)
        found += bad[i] != 0;
    return found;
}

static enum ens_status missing(const struct ens_model_input *c, uint64_t row,
                               const char *column, struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT,
                    "%s: row %" PRIu64 ", column %s: missing or not finite",
                    c->in->path, row + 1, column);
}

enum ens_status ens_model_input_missing(const struct ens_model_input *c,
                                        uint64_t row, uint32_t j,
                                        struct ens_error *err)
{
    char number[16];

    return missing(c, row, name_of(c, j, number), err);
}

enum ens_status ens_model_input_refuse(const struct ens_model_input *c,
                                       const struct ens_learn_source *s,
                                       uint64_t row, uint32_t bad,
                                       struct ens_error *err)
{
    const struct ens_column *from;
    double code;

    if (!(bad & NEW_LEVEL))
        return missing(c, row, s->column[bad - 1], err);
    from = c->from[(bad & ~NEW_LEVEL) - 1];
    ens_view_f64(&from->view, row, 1, &code);
    if (code < 0)
        return ens_fail(err, ENS_EINPUT,
                        "%s: row %" PRIu64 ", column %s: missing", c->in->path,
                        row + 1, from->name);
    return ens_fail(err, ENS_EINPUT,
                    "%s: row %" PRIu64 ", column %s: \"%s\" was not in the "
                    "training data",
                    c->in->path, row + 1, from->name,
                    from->levels[(size_t)code]);
}
