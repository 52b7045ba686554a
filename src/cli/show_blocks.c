/* The measures of each cell as a block, for what does not fit in a line. */
#include "cli/rounded.h"
#include "cli/wide.h"

#include <stdio.h>
#include <string.h>

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

        least = row->n_used < least ? row->n_used : least;
        most = row->n_used > most ? row->n_used : most;
        missing = row->n_missing > missing ? row->n_missing : missing;
    }
    printf("  used %llu", (unsigned long long)least);
    if (most > least)
        printf(" to %llu", (unsigned long long)most);
    if (missing > 0)
        printf("  missing %s%llu", most > least ? "up to " : "",
               (unsigned long long)missing);
    printf("\n");
}

/* Rows from .. to-1 side by side. */
static int fill(struct ens_page *p, const struct ens_wide *w, size_t from,
                size_t to)
{
    int ok = ens_page_column(p, "measure", 1);

    for (size_t i = from; i < to && ok; i++)
        ok = ens_page_column(p, ens_wide_row(w, i)->key[w->n_keys], 0);
    for (size_t m = 0; ok && m < ens_wide_n_measures(w); m++) {
        const char *name = ens_wide_measure(w, m);
        int any = 0;

        for (size_t i = from; i < to; i++)
            any |= ens_wide_find(w, i, m) != NULL;
        if (!any)
            continue;
        ens_page_put(p, name, strlen(name));
        for (size_t i = from; i < to; i++) {
            const struct ens_wide_item *item = ens_wide_find(w, i, m);
            char text[ENS_ROUNDED_BYTES] = "";

            ens_page_put(p, text,
                         item ? ens_rounded_both(text, item->value, item->mcse)
                              : 0);
        }
    }
    return ok && !p->text.failed;
}

/* Parts of the cell's estimands, each as wide as the line allows. */
static int print_cell(const struct ens_wide *w, size_t from, size_t to,
                      size_t line)
{
    while (from < to) {
        struct ens_page page = ENS_PAGE_INIT;
        size_t end = to;
        int ok = fill(&page, w, from, end);

        while (ok && ens_page_width(&page) + 2 > line && end - from > 1) {
            ens_page_fini(&page);
            ok = fill(&page, w, from, --end);
        }
        if (ok)
            ens_page_print(&page, 2);
        ens_page_fini(&page);
        if (!ok)
            return 0;
        from = end;
    }
    return 1;
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
