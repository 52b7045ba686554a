#include "cli/show_wide.h"

#include "base/number.h"
#include "cli/rounded.h"
#include "cli/show_cells.h"
#include "cli/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_CHARS 100u /* where the terminal does not say */
#define LINE_LEAST 60u
#define MOST_PARTS 3
#define ID_DIGITS  8u /* of a cell: any unambiguous beginning is taken */

/* The last columns of the table; those before say which cell it is. */
enum { ESTIMAND, MEASURE, VALUE, MCSE, N_USED, N_MISSING, N_LAST };

static const char *text_of(const struct ens_datum *d, char *tmp, size_t *n,
                           const char *column)
{
    const char *text = ens_datum_text(d, tmp, n);

    if (strcmp(column, "cell") == 0 && *n > ID_DIGITS)
        *n = ID_DIGITS;
    return text;
}

static int same_row(const struct ens_wide *w, const struct ens_wide_row *row,
                    const struct ens_datum *d)
{
    for (size_t i = 0; i <= w->n_keys; i++) {
        char tmp[ENS_NUMBER_BYTES];
        size_t n;
        const char *text = text_of(&d[i], tmp, &n, w->sheet->column[i].name);

        if (strlen(row->key[i]) != n || memcmp(row->key[i], text, n) != 0)
            return 0;
    }
    return 1;
}

static int add_row(struct ens_wide *w, const struct ens_datum *d)
{
    struct ens_wide_row row = {
        .key = ens_arena_alloc(&w->arena, w->n_keys + 1, sizeof(const char *)),
        .first_item = w->items.len / sizeof(struct ens_wide_item),
    };

    for (size_t i = 0; i <= w->n_keys && row.key != NULL; i++) {
        char tmp[ENS_NUMBER_BYTES];
        size_t n;
        const char *text = text_of(&d[i], tmp, &n, w->sheet->column[i].name);

        row.key[i] = ens_arena_strndup(&w->arena, text, n);
        if (row.key[i] == NULL)
            return 0;
    }
    if (row.key != NULL)
        ens_buf_put(&w->rows, &row, sizeof(row));
    return row.key != NULL && !w->rows.failed;
}

/* Its position, the number of measures when out of memory. */
static size_t find_measure(struct ens_wide *w, const struct ens_datum *d)
{
    size_t n = ens_wide_n_measures(w);
    const char *name;

    for (size_t i = 0; i < n; i++) {
        name = ens_wide_measure(w, i);
        if (strlen(name) == d->as.text.n &&
            memcmp(name, d->as.text.p, d->as.text.n) == 0)
            return i;
    }
    name = ens_arena_strndup(&w->arena, d->as.text.p, d->as.text.n);
    if (name != NULL)
        ens_buf_put(&w->measures, &name, sizeof(name));
    return n;
}

/* Least of the figures that are there; empty ones are seen as they are. */
static void take_counts(struct ens_wide_row *row, uint64_t n_used,
                        uint64_t n_missing)
{
    if (n_used == 0 && row->n_used > 0)
        return;
    if (row->n_used == 0) {
        row->n_used = n_used;
        row->n_missing = n_missing;
    }
    if (n_used < row->n_used)
        row->n_used = n_used;
    if (n_missing > row->n_missing)
        row->n_missing = n_missing;
}

static enum ens_status take(void *arg, const struct ens_datum *d,
                            struct ens_error *err)
{
    struct ens_wide *w = arg;
    const struct ens_datum *last = d + w->n_keys;
    size_t n = ens_wide_n_rows(w);
    struct ens_wide_row *row;
    struct ens_wide_item item;

    if (n == 0 || !same_row(w, ens_wide_row(w, n - 1), d)) {
        if (w->head > 0 && n == w->head) {
            w->more = 1;
            return ENS_ESTOPPED;
        }
        if (!add_row(w, d))
            return ens_fail(err, ENS_ENOMEMORY,
                            "show: out of memory; use --head");
    }
    row = ens_wide_row(w, ens_wide_n_rows(w) - 1);
    item.measure = find_measure(w, &last[MEASURE]);
    item.value = ens_datum_num(&last[VALUE]);
    item.mcse = ens_datum_num(&last[MCSE]);
    ens_buf_put(&w->items, &item, sizeof(item));
    take_counts(row, (uint64_t)last[N_USED].as.integer,
                (uint64_t)last[N_MISSING].as.integer);
    w->any_missing |= row->n_missing > 0;
    return w->items.failed || w->measures.failed
               ? ens_fail(err, ENS_ENOMEMORY, "show: out of memory; use --head")
               : ENS_OK;
}

static void put_count(struct ens_page *p, uint64_t n)
{
    char tmp[32];
    int len = snprintf(tmp, sizeof(tmp), "%llu", (unsigned long long)n);

    ens_page_put(p, tmp, (size_t)len);
}

const struct ens_wide_item *ens_wide_find(const struct ens_wide *w, size_t i,
                                          size_t measure)
{
    const struct ens_wide_item *item = (const void *)w->items.data;
    size_t end = i + 1 < ens_wide_n_rows(w) ? ens_wide_row(w, i + 1)->first_item
                                            : w->items.len / sizeof(*item);

    for (size_t j = ens_wide_row(w, i)->first_item; j < end; j++)
        if (item[j].measure == measure)
            return &item[j];
    return NULL;
}

/* Measures from .. to-1 of row i, the counts behind the last of all. */
static void put_row(struct ens_page *p, const struct ens_wide *w, size_t i,
                    size_t from, size_t to)
{
    const struct ens_wide_row *row = ens_wide_row(w, i);

    for (size_t k = 0; k <= w->n_keys; k++)
        ens_page_put(p, row->key[k], strlen(row->key[k]));
    for (size_t m = from; m < to; m++) {
        const struct ens_wide_item *item = ens_wide_find(w, i, m);
        char tmp[ENS_ROUNDED_BYTES];

        ens_page_put(p, tmp,
                     item ? ens_rounded_both(tmp, item->value, item->mcse) : 0);
    }
    if (to < ens_wide_n_measures(w))
        return;
    put_count(p, row->n_used);
    if (w->any_missing)
        put_count(p, row->n_missing);
}

static int fill(struct ens_page *p, const struct ens_wide *w, size_t from,
                size_t to)
{
    int last = to == ens_wide_n_measures(w);
    int ok = 1;

    for (size_t i = 0; i <= w->n_keys && ok; i++)
        ok = ens_page_column(p, w->sheet->column[i].name,
                             w->sheet->column[i].type == ENS_DATUM_TEXT);
    for (size_t m = from; m < to && ok; m++)
        ok = ens_page_column(p, ens_wide_measure(w, m), 0);
    if (last)
        ok = ok && ens_page_column(p, "n_used", 0);
    if (last && w->any_missing)
        ok = ok && ens_page_column(p, "n_missing", 0);
    for (size_t i = 0; i < ens_wide_n_rows(w) && ok; i++)
        put_row(p, w, i, from, to);
    return ok && !p->text.failed;
}

static size_t line_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
        size.ws_col < LINE_LEAST)
        return LINE_CHARS;
    return size.ws_col;
}

/* As many measures from `from` on as the line has room for, one at least. */
static int fill_line(struct ens_page *p, const struct ens_wide *w, size_t from,
                     size_t *to, size_t line)
{
    int ok = 1;

    for (*to = ens_wide_n_measures(w); ok; --*to) {
        *p = (struct ens_page)ENS_PAGE_INIT;
        ok = fill(p, w, from, *to);
        if (ok && (ens_page_width(p) <= line || *to - from <= 1))
            return 1;
        ens_page_fini(p);
    }
    return 0;
}

/* A line per estimand in up to MOST_PARTS tables, a part of the measures in
 * each: so cells can be compared. Else a block per cell. */
static int print_parts(const struct ens_wide *w, size_t line)
{
    struct ens_page page[MOST_PARTS];
    size_t n = 0, from = 0, to;
    int ok = 1;

    while (ok && n < MOST_PARTS && from < ens_wide_n_measures(w)) {
        ok = fill_line(&page[n], w, from, &to, line);
        n += ok ? 1 : 0;
        from = to;
    }
    if (ok && from < ens_wide_n_measures(w)) {
        ok = ens_show_blocks(w, line);
    } else if (ok) {
        for (size_t i = 0; i < n; i++) {
            printf("%s", i > 0 ? "\n" : "");
            ens_page_print(&page[i], 0);
        }
    }
    for (size_t i = 0; i < n; i++)
        ens_page_fini(&page[i]);
    return ok;
}

static enum ens_status print(const struct ens_wide *w, struct ens_error *err)
{
    if (!print_parts(w, line_width()))
        return ens_fail(err, ENS_ENOMEMORY, "show: out of memory");
    printf("\nIn brackets: Monte Carlo standard errors. All digits: "
           "`ensrun export DIR --table cells`.\n");
    if (w->more)
        ens_show_more(ens_wide_n_rows(w));
    return ENS_OK;
}

enum ens_status ens_show_wide(const struct ens_sheet *sheet, uint64_t head,
                              struct ens_error *err)
{
    struct ens_wide w = {
        .sheet = sheet,
        .n_keys = sheet->n - N_LAST,
        .measures = ENS_BUF_INIT,
        .rows = ENS_BUF_INIT,
        .items = ENS_BUF_INIT,
        .head = head,
    };
    enum ens_status s;

    ens_arena_init(&w.arena);
    s = ens_sheet_rows(sheet, take, &w, err);
    if (s == ENS_OK && ens_wide_n_rows(&w) == 0)
        fprintf(stderr, "ensrun: no task has figures to show; see `ensrun show "
                        "DIR failures`, `ensrun status DIR`\n");
    else if (s == ENS_OK)
        s = print(&w, err);
    ens_buf_fini(&w.measures);
    ens_buf_fini(&w.rows);
    ens_buf_fini(&w.items);
    ens_arena_fini(&w.arena);
    return s;
}
