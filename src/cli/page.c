#include "cli/page.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 60u /* longer texts are cut */
#define GAP       2u

void ens_page_fini(struct ens_page *p)
{
    free(p->column);
    ens_buf_fini(&p->text);
    memset(p, 0, sizeof(*p));
}

int ens_page_column(struct ens_page *p, const char *name, int left)
{
    struct ens_page_column *to =
        realloc(p->column, (p->n + 1) * sizeof(*p->column));

    if (to == NULL)
        return 0;
    p->column = to;
    to[p->n].name = name;
    to[p->n].left = left;
    to[p->n].width = ens_utf8_count(name, strlen(name));
    p->n++;
    return 1;
}

void ens_page_put(struct ens_page *p, const char *text, size_t n)
{
    struct ens_page_column *column = &p->column[p->n_cells++ % p->n];
    size_t chars = 0;
    uint32_t c;
    size_t at = 0;

    while (at < n && chars < WIDTH_MAX) {
        size_t k = ens_utf8_next(text + at, n - at, &c);

        if (c < 0x20 || c == 0x7f) /* a table has one line per row */
            ens_buf_puts(&p->text, " ");
        else if (c == 0xfffd)
            ens_buf_puts(&p->text, "?");
        else
            ens_buf_put(&p->text, text + at, k);
        at += k;
        chars++;
    }
    if (at < n) {
        ens_buf_puts(&p->text, "...");
        chars += 3;
    }
    ens_buf_u8(&p->text, 0);
    if (chars > column->width)
        column->width = chars;
}

size_t ens_page_width(const struct ens_page *p)
{
    size_t width = p->n == 0 ? 0 : (p->n - 1) * GAP;

    for (size_t i = 0; i < p->n; i++)
        width += p->column[i].width;
    return width;
}

static void print_cell(const struct ens_page *p, size_t i, const char *text,
                       int indent)
{
    const struct ens_page_column *column = &p->column[i];
    size_t chars = ens_utf8_count(text, strlen(text));
    size_t pad = column->width > chars ? column->width - chars : 0;

    if (*text != '\0' || i + 1 < p->n) { /* no blanks at the end */
        printf("%*s", i > 0 ? (int)GAP : indent, "");
        if (!column->left)
            printf("%*s", (int)pad, "");
    }
    printf("%s", text);
    if (column->left && i + 1 < p->n)
        printf("%*s", (int)pad, "");
    if (i + 1 == p->n)
        printf("\n");
}

void ens_page_print(const struct ens_page *p, int indent)
{
    const char *at = (const char *)p->text.data;

    for (size_t i = 0; i < p->n; i++)
        print_cell(p, i, p->column[i].name, indent);
    for (size_t k = 0; k < p->n_cells; k++) {
        print_cell(p, k % p->n, at, indent);
        at += strlen(at) + 1;
    }
}
