#include "cli/show_cells.h"

#include "base/number.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/page.h"
#include "cli/rounded.h"
#include "cli/show_wide.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CELLS_ROWS 100u
#define NUM_DIGITS 6 /* as many as a reader wants; `export` has them all */

struct show {
    struct ens_page page;
    uint64_t n_rows;
    uint64_t head; /* 0: all */
    int more;
    size_t value, mcse; /* columns of the table cells; SIZE_MAX: not shown */
};

/* The digits that mean something, of a value by its error. */
static const char *rounded(const struct show *w, const struct ens_datum *row,
                           size_t i, char to[ENS_ROUNDED_BYTES], size_t *n)
{
    double error = w->mcse == SIZE_MAX ? NAN : ens_datum_num(&row[w->mcse]);

    if (i == w->mcse)
        *n = ens_rounded_error(to, error);
    else if (i == w->value && w->mcse != SIZE_MAX)
        *n = ens_rounded_value(to, ens_datum_num(&row[i]), error);
    else
        *n = (size_t)snprintf(to, ENS_ROUNDED_BYTES, "%.*g", NUM_DIGITS,
                              row[i].as.num);
    return to;
}

static enum ens_status show_row(void *arg, const struct ens_datum *row,
                                struct ens_error *err)
{
    struct show *w = arg;

    if (w->head > 0 && w->n_rows == w->head) {
        w->more = 1;
        return ENS_ESTOPPED;
    }
    w->n_rows++;
    for (size_t i = 0; i < w->page.n; i++) {
        char tmp[ENS_ROUNDED_BYTES];
        size_t n;
        const char *text = ens_datum_text(&row[i], tmp, &n);

        if (row[i].type == ENS_DATUM_NUM && n > NUM_DIGITS + 1)
            text = rounded(w, row, i, tmp, &n);
        ens_page_put(&w->page, text, n);
    }
    return w->page.text.failed
               ? ens_fail(err, ENS_ENOMEMORY, "show: out of memory; use --head")
               : ENS_OK;
}

void ens_show_more(uint64_t n_rows)
{
    fflush(stdout);
    fprintf(stderr,
            "ensrun: the first %llu rows; --head 0 shows all, `ensrun "
            "export` writes them\n",
            (unsigned long long)n_rows);
}

/* heading (or NULL): printed above, and then nothing when there are no rows. */
static enum ens_status show_sheet(const struct ens_sheet *sheet, uint64_t head,
                                  const char *heading, struct ens_error *err)
{
    struct show w = {.page = ENS_PAGE_INIT,
                     .head = head,
                     .value = SIZE_MAX,
                     .mcse = SIZE_MAX};
    int is_cells = strcmp(ens_table_name(sheet->table), "cells") == 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; is_cells && i < sheet->n; i++) {
        if (strcmp(sheet->column[i].name, "value") == 0)
            w.value = i;
        if (strcmp(sheet->column[i].name, "mcse") == 0)
            w.mcse = i;
    }

    for (size_t i = 0; i < sheet->n && s == ENS_OK; i++)
        if (!ens_page_column(&w.page, sheet->column[i].name,
                             sheet->column[i].type == ENS_DATUM_TEXT))
            s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        s = ens_sheet_rows(sheet, show_row, &w, err);
    if (s == ENS_OK && (heading == NULL || w.n_rows > 0)) {
        printf("%s", heading != NULL ? heading : "");
        ens_page_print(&w.page, 0);
        if (w.more)
            ens_show_more(w.n_rows);
    }
    ens_page_fini(&w.page);
    return s;
}

static enum ens_status show_one(const struct ens_tables *t,
                                const struct ens_table *table,
                                const struct ens_selection *sel,
                                const char *heading, struct ens_error *err)
{
    struct ens_selection all = {sel->columns, sel->where, 0};
    struct ens_sheet sheet;
    enum ens_status s = ens_sheet_init(&sheet, t, table, &all, err);

    if (s != ENS_OK)
        return s;
    s = show_sheet(&sheet, sel->head, heading, err);
    ens_sheet_fini(&sheet);
    return s;
}

static enum ens_status show_measures(const struct ens_tables *t,
                                     const struct ens_selection *sel,
                                     struct ens_error *err)
{
    struct ens_selection all = {NULL, sel->where, 0};
    struct ens_sheet sheet;
    enum ens_status s =
        ens_sheet_init(&sheet, t, ens_table_find("cells"), &all, err);

    if (s != ENS_OK)
        return s;
    s = ens_show_wide(&sheet, sel->head, err);
    ens_sheet_fini(&sheet);
    return s;
}

/* The kind's tables that are shown and have rows, each under a line that says
 * what it is. */
static enum ens_status show_end(const struct ens_tables *t,
                                const struct ens_selection *sel,
                                struct ens_error *err)
{
    const struct ens_selection all = {NULL, sel->where, sel->head};
    size_t n = ens_tables_n_own(t), n_shown = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < n && s == ENS_OK; i++) {
        const struct ens_table *table = ens_tables_own(t, i);
        char heading[512];

        if (!ens_table_is_shown(table))
            continue;
        snprintf(heading, sizeof(heading), "%s%s: %s\n",
                 n_shown++ > 0 ? "\n" : "", ens_table_name(table),
                 ens_table_help(table));
        s = show_one(t, table, &all, heading, err);
    }
    return n_shown == 0 && s == ENS_OK ? show_measures(t, sel, err) : s;
}

enum ens_status ens_show_table(struct ens_results *r, const char *name,
                               const struct ens_selection *sel,
                               struct ens_error *err)
{
    const struct ens_table *table;
    struct ens_tables *t;
    enum ens_status s = ens_results_index(r, err);

    if (s == ENS_OK)
        s = ens_results_tables(r, &t, err);
    if (s != ENS_OK)
        return s;
    if (name == NULL)
        s = show_end(t, sel, err);
    else if ((s = ens_tables_pick(t, name, &table, err)) == ENS_OK)
        s = show_one(t, table, sel, NULL, err);
    ens_tables_close(t);
    return s;
}

void ens_show_end(const char *dir)
{
    struct ens_selection sel = {NULL, NULL, CELLS_ROWS};
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_results r;
    enum ens_status s =
        ens_results_open(&r, dir, ENS_RESULTS_FAST, &errors, &err);

    if (s == ENS_OK) {
        s = ens_show_table(&r, NULL, &sel, &err);
        ens_results_close(&r);
    }
    if (s != ENS_OK)
        ens_cli_fail_lines(s, &errors, &err);
    ens_buf_fini(&errors);
}
