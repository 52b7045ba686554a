#include "cli/show_wide.h"

#include "base/arena.h"
#include "base/number.h"
#include "cli/page.h"
#include "cli/show_cells.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_CHARS 100u
#define ID_DIGITS      8u /* of a cell: any unambiguous beginning is taken */
#define VALUE_BYTES    512u

/* The last columns of the table; those before say which cell it is. */
enum { ESTIMAND, MEASURE, VALUE, MCSE, N_USED, N_MISSING, N_LAST };

struct item {
    size_t measure;
    double value, mcse;
};

struct wide_row {
    const char **key; /* n_keys, then the estimand */
    uint64_t n_used, n_missing;
    size_t first_item;
};

struct wide {
    const struct ens_sheet *sheet;
    size_t n_keys;
    struct ens_arena arena;
    struct ens_buf measures; /* const char *, in order of appearance */
    struct ens_buf rows;     /* struct wide_row */
    struct ens_buf items;    /* struct item, in order of rows */
    uint64_t head;
    int any_missing;
    int more;
};

static size_t count(const struct ens_buf *b, size_t size)
{
    return b->len / size;
}

static struct wide_row *row_at(const struct wide *w, size_t i)
{
    return (struct wide_row *)(void *)w->rows.data + i;
}

static size_t n_rows(const struct wide *w)
{
    return count(&w->rows, sizeof(struct wide_row));
}

static const char *measure_at(const struct wide *w, size_t i)
{
    return ((const char **)(void *)w->measures.data)[i];
}

static const char *text_of(const struct ens_datum *d, char *tmp, size_t *n,
                           const char *column)
{
    const char *text = ens_datum_text(d, tmp, n);

    if (strcmp(column, "cell") == 0 && *n > ID_DIGITS)
        *n = ID_DIGITS;
    return text;
}

static int same_row(const struct wide *w, const struct wide_row *row,
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

static int add_row(struct wide *w, const struct ens_datum *d)
{
    struct wide_row row = {
        .key = ens_arena_alloc(&w->arena, w->n_keys + 1, sizeof(const char *)),
        .n_used = UINT64_MAX,
        .first_item = count(&w->items, sizeof(struct item)),
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
static size_t find_measure(struct wide *w, const struct ens_datum *d)
{
    size_t n = count(&w->measures, sizeof(const char *));
    const char *name;

    for (size_t i = 0; i < n; i++) {
        name = measure_at(w, i);
        if (strlen(name) == d->as.text.n &&
            memcmp(name, d->as.text.p, d->as.text.n) == 0)
            return i;
    }
    name = ens_arena_strndup(&w->arena, d->as.text.p, d->as.text.n);
    if (name != NULL)
        ens_buf_put(&w->measures, &name, sizeof(name));
    return n;
}

static enum ens_status take(void *arg, const struct ens_datum *d,
                            struct ens_error *err)
{
    struct wide *w = arg;
    const struct ens_datum *last = d + w->n_keys;
    size_t n = n_rows(w);
    struct wide_row *row;
    struct item item;

    if (n == 0 || !same_row(w, row_at(w, n - 1), d)) {
        if (w->head > 0 && n == w->head) {
            w->more = 1;
            return ENS_ESTOPPED;
        }
        if (!add_row(w, d))
            return ens_fail(err, ENS_ENOMEMORY,
                            "show: out of memory; use --head");
    }
    row = row_at(w, n_rows(w) - 1);
    item.measure = find_measure(w, &last[MEASURE]);
    item.value = ens_datum_num(&last[VALUE]);
    item.mcse = ens_datum_num(&last[MCSE]);
    ens_buf_put(&w->items, &item, sizeof(item));
    if ((uint64_t)last[N_USED].as.integer < row->n_used)
        row->n_used = (uint64_t)last[N_USED].as.integer;
    if ((uint64_t)last[N_MISSING].as.integer > row->n_missing)
        row->n_missing = (uint64_t)last[N_MISSING].as.integer;
    w->any_missing |= row->n_missing > 0;
    return w->items.failed || w->measures.failed
               ? ens_fail(err, ENS_ENOMEMORY, "show: out of memory; use --head")
               : ENS_OK;
}

/* Two digits of the Monte Carlo error, and the value as far as they reach. */
static size_t print_value(char *to, const struct item *item, int with_mcse)
{
    double e = item->mcse;
    int digits = e > 0 ? 1 - (int)floor(log10(e)) : 0;
    int n;

    if (isnan(item->value))
        return 0;
    if (digits < 0)
        digits = 0;
    if (!(e > 0) || isinf(e) || digits > 12 || fabs(item->value) > 1e9)
        n = snprintf(to, VALUE_BYTES, "%.6g", item->value);
    else
        n = snprintf(to, VALUE_BYTES, "%.*f", digits, item->value);
    if (to[0] == '-' && strspn(to, "-0.") == (size_t)n) {
        n--; /* no negative zero */
        memmove(to, to + 1, (size_t)n + 1);
    }
    if (!with_mcse || isnan(e))
        return (size_t)n;
    if (digits > 12 || e > 1e9)
        digits = -1;
    n += digits < 0 || !(e > 0)
             ? snprintf(to + n, VALUE_BYTES - (size_t)n, " (%.2g)", e)
             : snprintf(to + n, VALUE_BYTES - (size_t)n, " (%.*f)", digits, e);
    return (size_t)n;
}

static void put_count(struct ens_page *p, uint64_t n)
{
    char tmp[32];
    int len = snprintf(tmp, sizeof(tmp), "%llu", (unsigned long long)n);

    ens_page_put(p, tmp, (size_t)len);
}

static void put_row(struct ens_page *p, const struct wide *w, size_t i,
                    int with_mcse)
{
    const struct wide_row *row = row_at(w, i);
    const struct item *item = (const struct item *)(void *)w->items.data;
    size_t n = count(&w->measures, sizeof(const char *));
    size_t end = i + 1 < n_rows(w) ? row_at(w, i + 1)->first_item
                                   : count(&w->items, sizeof(struct item));

    for (size_t k = 0; k <= w->n_keys; k++)
        ens_page_put(p, row->key[k], strlen(row->key[k]));
    for (size_t m = 0; m < n; m++) {
        char tmp[VALUE_BYTES];
        size_t len = 0;

        for (size_t j = row->first_item; j < end; j++)
            if (item[j].measure == m)
                len = print_value(tmp, &item[j], with_mcse);
        ens_page_put(p, tmp, len);
    }
    put_count(p, row->n_used);
    if (w->any_missing)
        put_count(p, row->n_missing);
}

static int fill(struct ens_page *p, const struct wide *w, int with_mcse)
{
    size_t n = count(&w->measures, sizeof(const char *));
    int ok = 1;

    for (size_t i = 0; i <= w->n_keys && ok; i++)
        ok = ens_page_column(p, w->sheet->column[i].name,
                             w->sheet->column[i].type == ENS_DATUM_TEXT);
    for (size_t i = 0; i < n && ok; i++)
        ok = ens_page_column(p, measure_at(w, i), 0);
    ok = ok && ens_page_column(p, "n_used", 0);
    if (w->any_missing)
        ok = ok && ens_page_column(p, "n_missing", 0);
    for (size_t i = 0; i < n_rows(w) && ok; i++)
        put_row(p, w, i, with_mcse);
    return ok && !p->text.failed;
}

static enum ens_status print(const struct wide *w, struct ens_error *err)
{
    struct ens_page page = ENS_PAGE_INIT;
    int ok = fill(&page, w, 1);
    int with_mcse = ens_page_width(&page) <= LINE_MAX_CHARS;

    if (ok && !with_mcse) {
        ens_page_fini(&page);
        ok = fill(&page, w, 0);
    }
    if (ok) {
        ens_page_print(&page, 0);
        printf(with_mcse
                   ? "\nIn brackets: Monte Carlo standard errors. All digits: "
                     "`ensrun show DIR cells`.\n"
                   : "\nWith Monte Carlo standard errors and all digits: "
                     "`ensrun show DIR cells`.\n");
        if (w->more)
            ens_show_more(n_rows(w));
    }
    ens_page_fini(&page);
    return ok ? ENS_OK : ens_fail(err, ENS_ENOMEMORY, "show: out of memory");
}

enum ens_status ens_show_wide(const struct ens_sheet *sheet, uint64_t head,
                              struct ens_error *err)
{
    struct wide w = {
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
    if (s == ENS_OK && n_rows(&w) == 0)
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
