#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 100 /* a wrong file (an image, say) must not flood a terminal */

int ens_grow(struct ens_arena *a, void *array, size_t n, size_t *cap,
             size_t size)
{
    size_t want = *cap == 0 ? 8 : *cap * 2;
    void *old;
    void *p;

    if (n < *cap)
        return 0;
    p = ens_arena_alloc(a, want, size);
    if (p == NULL)
        return -1;
    memcpy(&old, array, sizeof(old));
    if (n > 0)
        memcpy(p, old, n * size);
    memcpy(array, &p, sizeof(p));
    *cap = want;
    return 0;
}

void ens_diag_add(struct ens_diag *d, struct ens_pos pos, const char *fmt, ...)
{
    char text[1024];
    const char *kept;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    kept = ens_arena_strdup(d->arena, text);
    if (kept == NULL ||
        ens_grow(d->arena, &d->item, d->n, &d->cap, sizeof(*d->item)) != 0) {
        d->no_memory = 1;
        return;
    }
    d->item[d->n] = (struct ens_diag_item){pos, d->n, kept};
    d->n++;
}

/* In file order; what has no line comes after, --set last. */
static int by_place(const void *a, const void *b)
{
    const struct ens_diag_item *x = a;
    const struct ens_diag_item *y = b;
    uint32_t lx = x->pos.line - 1; /* 0 wraps to the end */
    uint32_t ly = y->pos.line - 1;

    if ((x->pos.set != NULL) != (y->pos.set != NULL))
        return x->pos.set != NULL ? 1 : -1;
    if (lx != ly)
        return lx < ly ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void write_item(const struct ens_diag *d, const struct ens_diag_item *i,
                       char *to, size_t cap)
{
    if (i->pos.set != NULL)
        snprintf(to, cap, "--set %.200s: %s", i->pos.set, i->text);
    else if (i->pos.line > 0)
        snprintf(to, cap, "%s:%u: %s", d->file, (unsigned)i->pos.line, i->text);
    else
        snprintf(to, cap, "%s: %s", d->file, i->text);
}

/* Was the same said before? Only neighbours and a few: a default that is
 * wrong is found once per row. */
static int is_repeated(const struct ens_diag *d, size_t i)
{
    for (size_t k = i; k > 0 && i - k < SHOWN; k--) {
        const struct ens_diag_item *o = &d->item[k - 1];

        if (o->pos.line != d->item[i].pos.line ||
            o->pos.set != d->item[i].pos.set)
            return 0;
        if (strcmp(o->text, d->item[i].text) == 0)
            return 1;
    }
    return 0;
}

enum ens_status ens_diag_flush(struct ens_diag *d, struct ens_buf *out,
                               struct ens_error *err)
{
    size_t n = 0;
    char first[1600] = "";
    char line[1600];

    if (d->no_memory)
        return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", d->file);
    if (d->n == 0)
        return ENS_OK;
    qsort(d->item, d->n, sizeof(*d->item), by_place);
    for (size_t i = 0; i < d->n; i++) {
        if (is_repeated(d, i))
            continue;
        write_item(d, &d->item[i], line, sizeof(line));
        if (n++ == 0)
            memcpy(first, line, sizeof(first));
        if (out != NULL && n <= SHOWN)
            ens_buf_printf(out, "%s\n", line);
    }
    if (out != NULL && n > SHOWN)
        ens_buf_printf(out, "%s: %zu more errors\n", d->file, n - SHOWN);
    if (n == 1)
        return ens_fail(err, ENS_ESTUDY, "%s", first);
    return ens_fail(err, ENS_ESTUDY, "%.400s (%zu more errors)", first, n - 1);
}
