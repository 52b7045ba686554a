/* Tables that kinds have of their own. */
#include "export/table.h"

#include <string.h>

/* -- columns ----------------------------------------------------------------
 */

static const enum ens_datum_type datum_type[] = {
    [ENS_F64] = ENS_DATUM_NUM,
    [ENS_I64] = ENS_DATUM_INT,
    [ENS_TEXT] = ENS_DATUM_TEXT,
};

static enum ens_status take_column(void *arg, const struct ens_field *f,
                                   struct ens_error *err)
{
    struct ens_columns *c = arg;

    if (f->name == NULL || *f->name == '\0' ||
        (f->type != ENS_F64 && f->type != ENS_I64 && f->type != ENS_TEXT))
        return ens_fail(err, ENS_EPROTOCOL, "column %zu has no name or no type",
                        c->n + 1);
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->item[i].name, f->name) == 0)
            return ens_fail(err, ENS_EPROTOCOL, "column %s is there twice",
                            f->name);
    ens_columns_add(c, f->name, datum_type[f->type], f->unit, f->help);
    return ENS_OK;
}

static enum ens_status own_columns(const struct ens_tables *t,
                                   const struct ens_table_def *def,
                                   struct ens_columns *c, struct ens_error *err)
{
    enum ens_status s;

    ens_tables_in_rewind(t->in, def->facts);
    s = def->columns(t->rq.host, t->rq.plan, t->in, take_column, c, err);
    if (s == ENS_OK && c->n == 0 && !c->failed)
        s = ens_fail(err, ENS_EPROTOCOL, "no columns");
    return s == ENS_OK ? s : ens_wrap(err, s, "table %s", def->name);
}

enum ens_status ens_table_declare(const struct ens_tables *t,
                                  const struct ens_table *table,
                                  struct ens_columns *c, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    if (table->def == NULL)
        table->columns(t, c);
    else
        s = own_columns(t, table->def, c, err);
    return s == ENS_OK && c->failed
               ? ens_fail(err, ENS_ENOMEMORY, "tables: out of memory")
               : s;
}

/* -- rows ------------------------------------------------------------------ */

struct filling {
    const struct ens_columns *c;
    struct ens_row *row;
    enum ens_status s; /* not ENS_OK: no more rows, whatever the kind does */
};

static enum ens_status take_row(void *arg, const union ens_table_value *v,
                                struct ens_error *err)
{
    struct filling *f = arg;

    if (f->s != ENS_OK)
        return f->s;
    for (size_t i = 0; i < f->c->n; i++) {
        enum ens_datum_type type = f->c->item[i].type;

        if (type == ENS_DATUM_NUM)
            ens_row_num(f->row, v[i].f64);
        else if (type == ENS_DATUM_INT ? v[i].i64 == ENS_I64_MISSING
                                       : v[i].text.p == NULL)
            ens_row_none(f->row);
        else if (type == ENS_DATUM_INT)
            ens_row_int(f->row, v[i].i64);
        else
            ens_row_text(f->row, v[i].text.p, v[i].text.n);
    }
    f->s = ens_row_end(f->row, err);
    return f->s;
}

enum ens_status ens_table_fill(const struct ens_tables *t,
                               const struct ens_table *table,
                               struct ens_row *row, struct ens_error *err)
{
    const struct ens_table_def *def = table->def;
    struct ens_columns c = {ENS_ARENA_INIT, 0, 0, NULL, 0};
    struct filling f = {&c, row, ENS_OK};
    enum ens_status s;

    if (def == NULL)
        return table->rows(t, row, err);
    s = ens_table_declare(t, table, &c, err);
    if (s == ENS_OK && c.n != row->n)
        s = ens_fail(err, ENS_EPROTOCOL,
                     "table %s: %zu columns, and when asked before %zu",
                     def->name, c.n, row->n);
    if (s == ENS_OK) {
        ens_tables_in_rewind(t->in, def->facts);
        s = def->rows(t->rq.host, t->rq.plan, t->in, take_row, &f, err);
        ens_tables_in_rewind(t->in, 0);
        if (f.s != ENS_OK)
            s = f.s; /* its text is the output's */
        else if (s != ENS_OK)
            s = ens_wrap(err, s, "table %s", def->name);
    }
    ens_columns_fini(&c);
    return s;
}

/* -- which there are ------------------------------------------------------- */

const struct ens_table_def *ens_table_of_kind(const struct ens_kind *kind,
                                              const char *name)
{
    for (size_t i = 0; i < kind->n_tables; i++)
        if (strcmp(kind->tables[i].name, name) == 0)
            return &kind->tables[i];
    return NULL;
}

void ens_table_names(const struct ens_kind *kind, struct ens_buf *to)
{
    const struct ens_table *known;

    for (size_t i = 0; (known = ens_table_at(i)) != NULL; i++)
        ens_buf_printf(to, "%s%s", i == 0 ? "" : ", ", known->name);
    for (size_t i = 0; i < kind->n_tables; i++)
        ens_buf_printf(to, ", %s", kind->tables[i].name);
}

static const struct ens_table *find(const struct ens_tables *t,
                                    const char *name)
{
    const struct ens_table *table = ens_table_find(name);

    for (size_t i = 0; table == NULL && i < t->n_own; i++)
        if (strcmp(t->own[i].name, name) == 0)
            table = &t->own[i];
    return table;
}

enum ens_status ens_tables_pick(const struct ens_tables *t, const char *name,
                                const struct ens_table **table,
                                struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;
    enum ens_status s;

    *table = find(t, name);
    if (*table != NULL)
        return ENS_OK;
    ens_table_names(t->rq.plan->kind, &names);
    s = ens_fail(err, ENS_EUSAGE, "%s: no such table; there are %s", name,
                 ens_buf_text(&names));
    ens_buf_fini(&names);
    return s;
}

int ens_table_is_shown(const struct ens_table *table)
{
    return table->def != NULL && table->def->shown;
}

size_t ens_tables_n_own(const struct ens_tables *t)
{
    return t->n_own;
}

const struct ens_table *ens_tables_own(const struct ens_tables *t, size_t i)
{
    return &t->own[i];
}
