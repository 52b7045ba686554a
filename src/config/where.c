#include "config/where.h"

#include "config/model.h"
#include "config/value_parse.h"

#include <string.h>

int ens_condition_next(const char **at, struct ens_condition *c,
                       struct ens_error *err)
{
    struct ens_slice text = {*at, strlen(*at)};
    struct ens_slice piece;
    size_t i = 0;
    const char *eq;
    int more = ens_slice_next(text, ',', &i, &piece);

    if (more < 0)
        ens_fail(err, ENS_EUSAGE, "%.200s: quotes or brackets do not match",
                 *at);
    if (more <= 0)
        return more;
    eq = memchr(piece.p, '=', piece.n);
    if (eq == NULL || eq == piece.p) {
        ens_fail(err, ENS_EUSAGE, "\"%.*s\": expected NAME=VALUE",
                 ENS_SHOW(piece));
        return -1;
    }
    *at += i < text.n ? i : text.n;
    piece = (struct ens_slice){eq + 1, (size_t)(piece.p + piece.n - eq - 1)};
    *c = (struct ens_condition){text.p, NULL, (size_t)(eq - text.p), 0};
    text = ens_slice_trim((struct ens_slice){c->key, c->n_key});
    piece = ens_slice_trim(piece);
    *c = (struct ens_condition){text.p, piece.p, text.n, piece.n};
    return 1;
}

/* -- names ---------------------------------------------------------------- */

static int is_name(const char *name, const struct ens_condition *c)
{
    return name != NULL && strlen(name) == c->n_key &&
           memcmp(name, c->key, c->n_key) == 0;
}

static enum ens_status no_axis(const struct ens_study *st,
                               const struct ens_condition *c,
                               struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;

    for (size_t i = 0; i < st->n_columns; i++)
        ens_buf_printf(&names, "%s%s", i > 0 ? ", " : "", st->column[i].name);
    ens_fail(err, ENS_EUSAGE, "--where %.*s: no such axis; %s%.300s",
             (int)c->n_key, c->key,
             st->n_columns > 0 ? "there are " : "the study has none",
             ens_buf_text(&names));
    ens_buf_fini(&names);
    return ENS_EUSAGE;
}

static enum ens_status find_column(const struct ens_study *st,
                                   const struct ens_condition *c, size_t *at,
                                   struct ens_error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < st->n_columns; i++) {
        *at = i;
        if (is_name(st->column[i].name, c))
            return ENS_OK;
    }
    for (size_t i = 0; i < st->n_columns; i++)
        if (is_name(st->column[i].key, c)) {
            *at = i;
            found++;
        }
    if (found == 1)
        return ENS_OK;
    if (found == 0)
        return no_axis(st, c, err);
    return ens_fail(err, ENS_EUSAGE,
                    "--where %.*s: more than one role has that axis; write "
                    "ROLE_%.*s",
                    (int)c->n_key, c->key, (int)c->n_key, c->key);
}

/* -- values --------------------------------------------------------------- */

/* Text i of what rows have in the column; NULL behind the last. Values that
 * rows share come again. */
static const char *text_at(const struct ens_study *st,
                           const struct ens_axis_column *col, size_t i)
{
    const struct ens_role_rows *rows = ens_study_rows(st, col->role);

    for (size_t k = 0; k < rows->n; k++) {
        const struct ens_key *key =
            col->key != NULL ? ens_row_find(&rows->row[k], col->key) : NULL;
        size_t n = key != NULL ? key->value.n : 1;

        if (i >= n)
            i -= n;
        else if (key != NULL)
            return key->value.v[i].text;
        else
            return col->key == NULL ? rows->row[k].name : "";
    }
    return NULL;
}

/* The canonical text, when a value is taken; NULL. */
static const char *find_text(const struct ens_study *st,
                             const struct ens_axis_column *col,
                             const char *text, size_t len)
{
    const char *t;

    for (size_t i = 0; (t = text_at(st, col, i)) != NULL; i++)
        if (strlen(t) == len && memcmp(t, text, len) == 0)
            return t;
    return NULL;
}

/* As a row reads it: implementations differ in what their calls take. */
static const char *parse_text(struct ens_where *w, const struct ens_row *row,
                              const struct ens_axis_column *col,
                              const char *text)
{
    const struct ens_study_tables *t = &w->study->tables;
    struct ens_value_context ctx = {.arena = &w->arena,
                                    .dir = w->study->dir,
                                    .calls = {t->settings, NULL},
                                    .n_calls = {t->n_settings, 0},
                                    .impls = t->calls,
                                    .n_impls = t->n_calls};
    const struct ens_key *key = ens_row_find(row, col->key);
    struct ens_setting one;
    struct ens_values v;

    if (key == NULL)
        return NULL;
    if (row->impl != NULL) {
        ctx.calls[1] = row->impl->settings;
        ctx.n_calls[1] = row->impl->n_settings;
    }
    one = *key->s;
    one.shape = ENS_ONE;
    if (ens_value_parse(&ctx, &one, text, &v, NULL) != ENS_OK)
        return NULL;
    return find_text(w->study, col, v.v->text, strlen(v.v->text));
}

static const char *find_value(struct ens_where *w,
                              const struct ens_axis_column *col,
                              const struct ens_condition *c)
{
    const struct ens_role_rows *rows = ens_study_rows(w->study, col->role);
    const char *found = find_text(w->study, col, c->value, c->n_value);
    const char *text = ens_arena_strndup(&w->arena, c->value, c->n_value);

    for (size_t i = 0;
         found == NULL && text != NULL && col->key != NULL && i < rows->n; i++)
        found = parse_text(w, &rows->row[i], col, text);
    return found;
}

/* What the axis takes: each once, the first ones. */
static enum ens_status no_value(const struct ens_where *w,
                                const struct ens_axis_column *col,
                                const struct ens_condition *c,
                                struct ens_error *err)
{
    struct ens_buf list = ENS_BUF_INIT;
    const char *t;

    for (size_t i = 0; (t = text_at(w->study, col, i)) != NULL; i++) {
        size_t before = 0;

        while (before < i && strcmp(text_at(w->study, col, before), t) != 0)
            before++;
        if (before < i)
            continue;
        if (list.len > 200) {
            ens_buf_puts(&list, " ...");
            break;
        }
        ens_buf_printf(&list, "%s%.100s", list.len > 0 ? ", " : "",
                       *t != '\0' ? t : "(empty)");
    }
    ens_fail(err, ENS_EUSAGE, "--where %.*s=%.*s: no cell has it; there are %s",
             (int)c->n_key, c->key, (int)(c->n_value > 60 ? 60 : c->n_value),
             c->value, ens_buf_text(&list));
    ens_buf_fini(&list);
    return ENS_EUSAGE;
}

static enum ens_status add(struct ens_where *w, struct ens_buf *terms,
                           const struct ens_condition *c, struct ens_error *err)
{
    struct ens_where_term term;
    enum ens_status s = find_column(w->study, c, &term.column, err);

    if (s != ENS_OK)
        return s;
    term.text = find_value(w, &w->study->column[term.column], c);
    if (term.text == NULL)
        return no_value(w, &w->study->column[term.column], c, err);
    ens_buf_put(terms, &term, sizeof(term));
    w->n++;
    return ENS_OK;
}

/* Conditions that hold one by one may never hold together. */
static enum ens_status check_some(const struct ens_where *w,
                                  struct ens_error *err)
{
    for (uint64_t i = 0; i < w->study->n_cells; i++)
        if (ens_where_has(w, i))
            return ENS_OK;
    return ens_fail(err, ENS_EUSAGE,
                    "--where: no cell has all of these values together");
}

enum ens_status ens_where_init(struct ens_where *w,
                               const struct ens_study *study,
                               const char *const *text, size_t n,
                               struct ens_error *err)
{
    struct ens_buf terms = ENS_BUF_INIT;
    struct ens_condition c;
    enum ens_status s = ENS_OK;
    int more;

    memset(w, 0, sizeof(*w));
    ens_arena_init(&w->arena);
    w->study = study;
    for (size_t i = 0; i < n && s == ENS_OK; i++) {
        const char *at = text[i];

        while (s == ENS_OK && (more = ens_condition_next(&at, &c, err)) != 0)
            s = more < 0 ? ENS_EUSAGE : add(w, &terms, &c, err);
    }
    w->term = ens_arena_alloc(&w->arena, w->n + 1, sizeof(*w->term));
    if (s == ENS_OK && (terms.failed || w->term == NULL))
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK && w->n > 0) {
        memcpy(w->term, terms.data, terms.len);
        s = check_some(w, err);
    }
    ens_buf_fini(&terms);
    if (s != ENS_OK)
        ens_where_fini(w);
    return s;
}

void ens_where_fini(struct ens_where *w)
{
    ens_arena_fini(&w->arena);
    memset(w, 0, sizeof(*w));
}

int ens_where_has(const struct ens_where *w, uint64_t ordinal)
{
    struct ens_cell cell = {.study = w->study, .ordinal = ordinal};

    for (size_t i = 0; i < w->n; i++) {
        const char *text = ens_cell_axis_text(&cell, w->term[i].column);

        /* usually the very same text: rows differ in their copies */
        if (text != w->term[i].text && strcmp(text, w->term[i].text) != 0)
            return 0;
    }
    return 1;
}
