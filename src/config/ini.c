#include "config/reader.h"

#include <string.h>

struct ens_section *ens_ini_find(const struct ens_ini *ini, const char *name)
{
    for (size_t i = 0; i < ini->n; i++)
        if (strcmp(ini->section[i].name, name) == 0)
            return &ini->section[i];
    return NULL;
}

struct ens_entry *ens_section_find(const struct ens_section *s, const char *key)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        if (strcmp(s->entry[i].key, key) == 0)
            return &s->entry[i];
    return NULL;
}

struct ens_section *ens_ini_add(struct ens_ini *ini, const char *name,
                                struct ens_pos pos)
{
    char *kept = ens_arena_strdup(ini->arena, name);

    if (kept == NULL || ens_grow(ini->arena, &ini->section, ini->n, &ini->cap,
                                 sizeof(*ini->section)) != 0)
        return NULL;
    ini->section[ini->n] = (struct ens_section){kept, pos, 0, 0, NULL};
    return &ini->section[ini->n++];
}

struct ens_entry *ens_section_add(struct ens_ini *ini, struct ens_section *s,
                                  const char *key, const char *text,
                                  struct ens_pos pos)
{
    struct ens_entry e = {ens_arena_strdup(ini->arena, key),
                          ens_arena_strdup(ini->arena, text), pos, 0};

    if (e.key == NULL || e.text == NULL ||
        ens_grow(ini->arena, &s->entry, s->n, &s->cap, sizeof(e)) != 0)
        return NULL;
    s->entry[s->n] = e;
    return &s->entry[s->n++];
}
