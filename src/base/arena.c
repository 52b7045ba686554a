#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 * 1024)
#define KEEP_BYTES  ((size_t)1024 * 1024)

struct ens_arena_chunk {
    struct ens_arena_chunk *next;
    size_t size; /* of data */
    _Alignas(16) unsigned char data[];
};

void ens_arena_init(struct ens_arena *a)
{
    memset(a, 0, sizeof(*a));
}

static void free_chain(struct ens_arena_chunk *c)
{
    while (c != NULL) {
        struct ens_arena_chunk *next = c->next;

        free(c);
        c = next;
    }
}

void ens_arena_fini(struct ens_arena *a)
{
    free_chain(a->first);
    memset(a, 0, sizeof(*a));
}

void ens_arena_reset(struct ens_arena *a)
{
    size_t kept = 0;
    struct ens_arena_chunk **p = &a->first;

    while (*p != NULL && kept + (*p)->size <= KEEP_BYTES) {
        kept += (*p)->size;
        p = &(*p)->next;
    }
    free_chain(*p);
    *p = NULL;
    a->cur = a->first;
    a->used = 0;
}

static struct ens_arena_chunk *new_chunk(size_t need)
{
    size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    struct ens_arena_chunk *c;

    if (size > SIZE_MAX - sizeof(*c))
        return NULL;
    c = malloc(sizeof(*c) + size);
    if (c != NULL) {
        c->next = NULL;
        c->size = size;
    }
    return c;
}

/* Make a->cur a chunk with room for need bytes. */
static int make_room(struct ens_arena *a, size_t need)
{
    struct ens_arena_chunk *c;

    while (a->cur != NULL && a->cur->next != NULL) {
        a->cur = a->cur->next;
        a->used = 0;
        if (a->cur->size >= need)
            return 0;
    }
    c = new_chunk(need);
    if (c == NULL)
        return -1;
    if (a->cur == NULL)
        a->first = c;
    else
        a->cur->next = c;
    a->cur = c;
    a->used = 0;
    return 0;
}

void *ens_arena_alloc(struct ens_arena *a, size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - 15)
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    if (a->cur == NULL || a->cur->size - a->used < bytes)
        if (make_room(a, bytes) != 0)
            return NULL;
    p = a->cur->data + a->used;
    a->used += bytes;
    return memset(p, 0, bytes);
}

char *ens_arena_strndup(struct ens_arena *a, const char *s, size_t n)
{
    char *p = n == SIZE_MAX ? NULL : ens_arena_alloc(a, n + 1, 1);

    if (p != NULL && n > 0)
        memcpy(p, s, n);
    return p;
}

char *ens_arena_strdup(struct ens_arena *a, const char *s)
{
    return ens_arena_strndup(a, s, strlen(s));
}

char *ens_arena_printf(struct ens_arena *a, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *p;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = n < 0 ? NULL : ens_arena_alloc(a, (size_t)n + 1, 1);
    if (p == NULL)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
