/* The measures of each cell as a block, for what does not fit in a line. */
#include "cli/rounded.h"
#include "cli/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 2

static int same_cell(const struct ens_wide *w, size_t i, size_t k)
{
    const struct ens_wide_row *a = ens_wide_row(w, i), *b = ens_wide_row(w, k);

    for (size_t j = 0; j < w->n_keys; j++)
        if (strcmp(a->key[j], b->key[j]) != 0)
            return 0;
    return 1;
}

static void print_heading(const struct ens_wide *w, size_t from, size_t to)
{
    uint64_t least = UINT64_MAX, most = 0, missing = 0;

    for (size_t j = 0; j < w->n_keys; j++)
        printf("%s%s %s", j > 0 ? "  " : "", w->sheet->column[j].name,
               ens_wide_row(w, from)->key[j]);
    for (size_t i = from; i < to; i++) {
        const struct ens_wide_row *row = ens_wide_row(w, i);

        if (row->n_used > 0 && row->n_used < least)
            least = row->n_used;
        most = row->n_used > most ? row->n_used : most;
        missing = row->n_missing > missing ? row->n_missing : missing;
    }
    printf("  used %llu", (unsigned long long)(most > 0 ? least : 0));
    if (most > least)
        printf(" to %llu", (unsigned long long)most);
    if (missing > 0)
        printf("  missing %s%llu", most > least ? "up to " : "",
               (unsigned long long)missing);
    printf("\n");
}

static size_t n_items(const struct ens_wide *w, size_t i)
{
    size_t end = i + 1 < ens_wide_n_rows(w)
                     ? ens_wide_row(w, i + 1)->first_item
                     : w->items.len / sizeof(struct ens_wide_item);

    return end - ens_wide_row(w, i)->first_item;
}

static void put_item(struct ens_page *p, const struct ens_wide *w, size_t i,
                     size_t measure)
{
    const struct ens_wide_item *item = ens_wide_find(w, i, measure);
    char text[ENS_ROUNDED_BYTES];

    ens_page_put(p, text,
                 item ? ens_rounded_both(text, item->value, item->mcse) : 0);
}

/* Rows of the list side by side, a line per measure; or, across, a line per
 * row and a column per measure. Measures that none has are left out. */
static int fill(struct ens_page *p, const struct ens_wide *w,
                const size_t *list, size_t n, int across)
{
    size_t all = ens_wide_n_measures(w);
    int ok = ens_page_column(p, across ? "estimand" : "measure", 1);

    for (size_t k = 0; !across && k < n && ok; k++)
        ok = ens_page_column(p, ens_wide_row(w, list[k])->key[w->n_keys], 0);
    for (size_t m = 0; ok && m < all; m++) {
        const char *name = ens_wide_measure(w, m);
        int any = 0;

        for (size_t k = 0; k < n; k++)
            any |= ens_wide_find(w, list[k], m) != NULL;
        if (!any)
            continue;
        if (across) {
            ok = ens_page_column(p, name, 0);
            continue;
        }
        ens_page_put(p, name, strlen(name));
        for (size_t k = 0; k < n; k++)
            put_item(p, w, list[k], m);
    }
    for (size_t k = 0; across && ok && k < n; k++) {
        const char *name = ens_wide_row(w, list[k])->key[w->n_keys];

        ens_page_put(p, name, strlen(name));
        for (size_t m = 0; m < all; m++)
            for (size_t j = 0; j < n; j++)
                if (ens_wide_find(w, list[j], m) != NULL) {
                    put_item(p, w, list[k], m);
                    break;
                }
    }
    return ok && !p->text.failed;
}

/* Parts of the list, each as wide as the line allows. */
static int print_list(const struct ens_wide *w, const size_t *list, size_t n,
                      int across, size_t line)
{
    for (size_t from = 0, end; from < n; from = end) {
        struct ens_page page = ENS_PAGE_INIT;
        int ok = fill(&page, w, list + from, n - from, across);

        for (end = n; ok && !across && end - from > 1 &&
                      ens_page_width(&page) + INDENT > line;) {
            ens_page_fini(&page);
            end--;
            ok = fill(&page, w, list + from, end - from, across);
        }
        if (ok)
            ens_page_print(&page, INDENT);
        ens_page_fini(&page);
        if (!ok)
            return 0;
    }
    return 1;
}

/* Estimands with few measures (metrics, of which there is one number) have
 * lines of their own. */
static int print_cell(const struct ens_wide *w, size_t from, size_t to,
                      size_t line)
{
    size_t *list = malloc((to - from) * sizeof(*list));
    size_t most = 0, n = 0, n_many;
    int ok = list != NULL;

    for (size_t i = from; i < to; i++)
        most = n_items(w, i) > most ? n_items(w, i) : most;
    for (size_t i = from; ok && i < to; i++)
        if (2 * n_items(w, i) >= most)
            list[n++] = i;
    n_many = n;
    for (size_t i = from; ok && i < to; i++)
        if (2 * n_items(w, i) < most)
            list[n++] = i;
    ok = ok && print_list(w, list, n_many, 0, line);
    if (ok && n > n_many) {
        printf("\n");
        ok = print_list(w, list + n_many, n - n_many, 1, line);
    }
    free(list);
    return ok;
}

int ens_show_blocks(const struct ens_wide *w, size_t line)
{
    size_t n = ens_wide_n_rows(w), end;

    for (size_t i = 0; i < n; i = end) {
        for (end = i + 1; end < n && same_cell(w, i, end); end++)
            continue;
        if (i > 0)
            printf("\n");
        print_heading(w, i, end);
        if (!print_cell(w, i, end, line))
            return 0;
    }
    return 1;
}
