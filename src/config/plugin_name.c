#include "config/plugin_name.h"

#include <string.h>

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9') || c == '.';
}

/* The ':' before "NAME" or "NAME(...)" at the end; n when there is none. */
static size_t find_colon(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i + 1;

        if (text[i] != ':')
            continue;
        while (k < n && is_word(text[k]))
            k++;
        if (k > i + 1 && (k == n || (text[k] == '(' && text[n - 1] == ')')))
            return i;
    }
    return n;
}

/* Without the arguments of a call. */
static size_t name_length(const char *text, size_t n)
{
    const char *open = memchr(text, '(', n);

    return open == NULL ? n : (size_t)(open - text);
}

int ens_plugin_is_name(const char *text, size_t n)
{
    size_t len = name_length(text, n);

    return find_colon(text, n) < n || memchr(text, '/', len) != NULL ||
           (len > 3 && memcmp(text + len - 3, ".so", 3) == 0);
}

size_t ens_plugin_name_end(const char *text, size_t n)
{
    size_t i = find_colon(text, n);

    if (i == n)
        return name_length(text, n);
    for (i++; i < n && is_word(text[i]); i++)
        ;
    return i;
}

/* Such a path would have to be quoted, and names are not. */
static int is_odd(const char *path, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr("\"',\\", path[i]) != NULL ||
            (i > 0 && path[i - 1] == ' ' && strchr(";#", path[i]) != NULL))
            return 1;
    return 0;
}

enum ens_status ens_plugin_name_read(struct ens_plugin_name *p,
                                     struct ens_arena *arena, const char *dir,
                                     const char *text, size_t n,
                                     struct ens_error *err)
{
    size_t colon = find_colon(text, n);
    const char *slash = strcmp(dir, "/") == 0 ? "" : "/";
    struct ens_plugin_name r;

    if (colon == n || colon == 0 || text[colon - 1] == '/')
        return ens_fail(
            err, ENS_ESTUDY,
            "\"%.*s\": expected FILE.so:NAME (`ensrun kinds FILE.so` "
            "lists the names)",
            n > 200 ? 200 : (int)n, text);
    while (colon > 2 && memcmp(text, "./", 2) == 0) {
        text += 2;
        colon -= 2;
        n -= 2;
    }
    r.path = *text == '/' ? ens_arena_strndup(arena, text, colon)
                          : ens_arena_printf(arena, "%s%s%.*s", dir, slash,
                                             (int)colon, text);
    r.name = ens_arena_strndup(arena, text + colon + 1, n - colon - 1);
    if (r.path == NULL || r.name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (is_odd(r.path, strlen(r.path)))
        return ens_fail(err, ENS_ESTUDY,
                        "%s: the path of a plugin cannot hold quotes, commas, "
                        "\\, \" ;\" or \" #\"",
                        r.path);
    r.full = ens_arena_printf(arena, "%s:%s", r.path, r.name);
    if (r.full == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r.label = strrchr(r.path, '/') + 1 - r.path + r.full;
    *p = r;
    return ENS_OK;
}
