/* A table seen through a selection of columns and rows. */
#include "export/table.h"

#include "base/bug.h"
#include "base/number.h"
#include "base/utf8.h"
#include "config/where.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ens_sheet_fini(struct ens_sheet *sheet)
{
    ens_arena_fini(&sheet->arena);
    memset(sheet, 0, sizeof(*sheet));
}

static enum ens_status no_column(const struct ens_columns *c,
                                 const struct ens_table *table,
                                 const char *name, size_t n,
                                 struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;
    enum ens_status s;

    for (size_t i = 0; i < c->n; i++) {
        ens_buf_puts(&names, i == 0 ? "" : ", ");
        ens_buf_puts(&names, c->item[i].name);
    }
    s = ens_fail(err, ENS_EUSAGE, "table %s has no column %.*s; it has %s",
                 table->name, (int)n, name, ens_buf_text(&names));
    ens_buf_fini(&names);
    return s;
}

static enum ens_status find_column(const struct ens_columns *c,
                                   const struct ens_table *table,
                                   const char *name, size_t n, size_t *at,
                                   struct ens_error *err)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strlen(c->item[i].name) != n ||
            memcmp(c->item[i].name, name, n) != 0)
            continue;
        *at = i;
        return ENS_OK;
    }
    return no_column(c, table, name, n, err);
}

static size_t count_parts(const char *list)
{
    size_t n = 1;

    for (; *list != '\0'; list++)
        n += *list == ',';
    return n;
}

static enum ens_status choose(struct ens_sheet *sheet,
                              const struct ens_columns *c, const char *list,
                              struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    sheet->n = list == NULL ? c->n : count_parts(list);
    sheet->source =
        ens_arena_alloc(&sheet->arena, sheet->n + 1, sizeof(*sheet->source));
    if (sheet->source == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    for (size_t i = 0; i < sheet->n && s == ENS_OK; i++) {
        size_t n = list == NULL ? 0 : strcspn(list, ",");

        sheet->source[i] = i;
        if (list == NULL)
            continue;
        s = find_column(c, sheet->table, list, n, &sheet->source[i], err);
        list += n + 1;
    }
    return s;
}

static enum ens_status choose_rows(struct ens_sheet *sheet,
                                   const struct ens_columns *c,
                                   const char *where, struct ens_error *err)
{
    size_t most = where == NULL ? 0 : count_parts(where);
    size_t *column = ens_arena_alloc(&sheet->arena, most + 1, sizeof(*column));
    const char **text = ens_arena_alloc(&sheet->arena, most + 1, sizeof(*text));
    struct ens_condition k;
    enum ens_status s = ENS_OK;
    int more = 0;

    if (column == NULL || text == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    while (where != NULL && s == ENS_OK &&
           (more = ens_condition_next(&where, &k, err)) == 1) {
        size_t i = sheet->n_where++;

        s = find_column(c, sheet->table, k.key, k.n_key, &column[i], err);
        text[i] = ens_arena_strndup(&sheet->arena, k.value, k.n_value);
        if (text[i] == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    }
    sheet->where_column = column;
    sheet->where_text = text;
    return more < 0 ? ENS_EUSAGE : s;
}

static enum ens_status copy_columns(struct ens_sheet *sheet,
                                    const struct ens_columns *c,
                                    struct ens_error *err)
{
    struct ens_arena *a = &sheet->arena;
    struct ens_table_column *to = ens_arena_alloc(a, sheet->n + 1, sizeof(*to));

    if (to == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    for (size_t i = 0; i < sheet->n; i++) {
        const struct ens_table_column *from = &c->item[sheet->source[i]];

        to[i].name = ens_arena_strdup(a, from->name);
        to[i].type = from->type;
        to[i].unit = ens_arena_strdup(a, from->unit);
        to[i].help = ens_arena_strdup(a, from->help);
        if (to[i].name == NULL || to[i].unit == NULL || to[i].help == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    }
    sheet->column = to;
    return ENS_OK;
}

enum ens_status ens_sheet_init(struct ens_sheet *sheet,
                               const struct ens_tables *t,
                               const struct ens_table *table,
                               const struct ens_selection *sel,
                               struct ens_error *err)
{
    struct ens_columns c = {ENS_ARENA_INIT, 0, 0, NULL, 0};
    enum ens_status s;

    memset(sheet, 0, sizeof(*sheet));
    ens_arena_init(&sheet->arena);
    sheet->tables = t;
    sheet->table = table;
    sheet->head = sel->head;
    s = ens_table_declare(t, table, &c, err);
    sheet->n_all = c.n;
    if (s == ENS_OK)
        s = choose(sheet, &c, sel->columns, err);
    if (s == ENS_OK)
        s = choose_rows(sheet, &c, sel->where, err);
    if (s == ENS_OK)
        s = copy_columns(sheet, &c, err);
    ens_columns_fini(&c);
    if (s != ENS_OK)
        ens_sheet_fini(sheet);
    return s;
}

/* -- rows ------------------------------------------------------------------ */

struct pass {
    const struct ens_sheet *sheet;
    struct ens_datum *chosen;
    struct ens_row row; /* of all columns */
    uint64_t n_rows;
    ens_row_fn *fn; /* or task_fn */
    ens_sheet_task_fn *task_fn;
    void *arg;
};

/* The same text, or the same number: 1e2 finds 100. */
static int is_equal(const struct ens_datum *d, const char *want)
{
    char tmp[ENS_NUMBER_BYTES];
    size_t n;
    const char *p = ens_datum_text(d, tmp, &n);
    double v;

    if (strlen(want) == n && memcmp(want, p, n) == 0)
        return 1;
    return (d->type == ENS_DATUM_NUM || d->type == ENS_DATUM_INT) && n > 0 &&
           ens_number_parse(want, strlen(want), &v) == 0 &&
           fabs(v) < 9007199254740992.0 && ens_datum_num(d) == v;
}

static int is_wanted(const struct ens_sheet *sheet, const struct ens_datum *row)
{
    for (size_t i = 0; i < sheet->n_where; i++)
        if (!is_equal(&row[sheet->where_column[i]], sheet->where_text[i]))
            return 0;
    return 1;
}

static enum ens_status pass_row(void *arg, const struct ens_datum *row,
                                struct ens_error *err)
{
    struct pass *p = arg;
    enum ens_status s;

    if (!is_wanted(p->sheet, row))
        return ENS_OK;
    for (size_t i = 0; i < p->sheet->n; i++)
        p->chosen[i] = row[p->sheet->source[i]];
    ENS_BUG_ON(p->fn == NULL && p->row.task == NULL); /* not table tasks */
    s = p->fn != NULL ? p->fn(p->arg, p->chosen, err)
                      : p->task_fn(p->arg, p->row.task, p->chosen, err);
    p->n_rows++;
    if (s == ENS_OK && p->n_rows == p->sheet->head)
        return ENS_ESTOPPED; /* enough; not an error */
    return s;
}

static enum ens_status make_pass(struct pass *p, struct ens_error *err)
{
    const struct ens_sheet *sheet = p->sheet;
    enum ens_status s;

    p->row = (struct ens_row){.n = sheet->n_all, .fn = pass_row, .arg = p};
    p->chosen = calloc(sheet->n + 1, sizeof(*p->chosen));
    p->row.d = calloc(sheet->n_all + 1, sizeof(*p->row.d));
    if (p->chosen == NULL || p->row.d == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    else
        s = ens_table_fill(sheet->tables, sheet->table, &p->row, err);
    free(p->chosen);
    free(p->row.d);
    return s == ENS_ESTOPPED ? ENS_OK : s;
}

enum ens_status ens_sheet_rows(const struct ens_sheet *sheet, ens_row_fn *row,
                               void *arg, struct ens_error *err)
{
    struct pass p = {.sheet = sheet, .fn = row, .arg = arg};

    return make_pass(&p, err);
}

enum ens_status ens_sheet_tasks(const struct ens_sheet *sheet,
                                ens_sheet_task_fn *fn, void *arg,
                                struct ens_error *err)
{
    struct pass p = {.sheet = sheet, .task_fn = fn, .arg = arg};

    return make_pass(&p, err);
}

/* -- export ---------------------------------------------------------------- */

struct widths {
    size_t n;
    const struct ens_table_column *column;
    uint64_t n_rows;
    size_t *width;
    int all;
};

static enum ens_status measure_row(void *arg, const struct ens_datum *row,
                                   struct ens_error *err)
{
    struct widths *w = arg;

    (void)err;
    w->n_rows++;
    for (size_t i = 0; i < w->n; i++) {
        char tmp[ENS_NUMBER_BYTES];
        size_t n;
        const char *p;

        if (!w->all && w->column[i].type != ENS_DATUM_TEXT)
            continue;
        p = ens_datum_text(&row[i], tmp, &n);
        n = ens_utf8_count(p, n);
        if (n > w->width[i])
            w->width[i] = n;
    }
    return ENS_OK;
}

struct writing {
    const struct ens_exporter *x;
    void *state;
    struct ens_out *out;
};

static enum ens_status write_row(void *arg, const struct ens_datum *row,
                                 struct ens_error *err)
{
    struct writing *w = arg;

    if (w->out->error.status != ENS_OK)
        return ens_out_flush(w->out, err); /* the disk is full: stop now */
    return w->x->row(w->state, row, err);
}

static enum ens_status write_rows(const struct ens_sheet *sheet,
                                  const struct ens_exporter *x,
                                  struct ens_out *out,
                                  const struct ens_export_shape *shape,
                                  struct ens_error *err)
{
    struct writing w = {x, NULL, out};
    enum ens_status s = x->open(&w.state, out, shape, err);
    enum ens_status c;

    if (s != ENS_OK)
        return s;
    s = ens_sheet_rows(sheet, write_row, &w, err);
    c = x->close(w.state, s == ENS_OK ? err : NULL);
    return s == ENS_OK ? c : s;
}

enum ens_status ens_sheet_export(const struct ens_sheet *sheet,
                                 const struct ens_exporter *x,
                                 struct ens_out *out, struct ens_error *err)
{
    struct widths w = {.n = sheet->n,
                       .column = sheet->column,
                       .all = x->measures == ENS_MEASURES_ALL};
    struct ens_export_shape shape = {sheet->n, sheet->column, 0, NULL};
    enum ens_status s = ENS_OK;

    if (x->measures != ENS_MEASURES_NONE) {
        w.width = calloc(sheet->n + 1, sizeof(*w.width));
        s = w.width == NULL
                ? ens_fail(err, ENS_ENOMEMORY, "tables: out of memory")
                : ens_sheet_rows(sheet, measure_row, &w, err);
        shape.n_rows = w.n_rows;
        shape.width = w.width;
    }
    if (s == ENS_OK)
        s = write_rows(sheet, x, out, &shape, err);
    free(w.width);
    return s;
}
