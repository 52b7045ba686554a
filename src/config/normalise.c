/* Other spellings of the same: [inputs], other names of keys, --set. */
#include "base/bug.h"
#include "config/builtin.h"
#include "config/names.h"
#include "config/resolve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct ens_role *ens_find_role(const struct ens_study_tables *k,
                                     const char *name)
{
    for (size_t i = 0; i < k->n_roles; i++)
        if (strcmp(k->roles[i].name, name) == 0)
            return &k->roles[i];
    return NULL;
}

int ens_is_plain_section(const struct ens_study_tables *k, const char *name)
{
    size_t n = strlen(name);

    if (ens_find_role(k, name) != NULL ||
        (n > 2 && strcmp(name + n - 2, "()") == 0))
        return 0; /* the latter: arguments of a call */
    for (size_t i = 0; i < k->n_settings; i++)
        if (strcmp(k->settings[i].section, name) == 0)
            return 1;
    return 0;
}

static const char *const fixed[] = {"study", "inputs", "run", "stop"};

static int is_known(const struct ens_resolve *r, const char *name)
{
    const struct ens_study_tables *k = &r->study->tables;
    const char *blank = strchr(name, ' ');

    for (size_t i = 0; i < ENS_COUNT(fixed); i++)
        if (strcmp(fixed[i], name) == 0)
            return 1;
    if (strncmp(name, "input ", 6) == 0)
        return 1;
    if (blank == NULL)
        return ens_find_role(k, name) != NULL || ens_is_plain_section(k, name);
    for (size_t i = 0; i < k->n_roles; i++)
        if (strlen(k->roles[i].name) == (size_t)(blank - name) &&
            memcmp(k->roles[i].name, name, (size_t)(blank - name)) == 0)
            return 1;
    return 0;
}

static void add_sections(const struct ens_resolve *r, struct ens_near *near)
{
    const struct ens_study_tables *k = &r->study->tables;

    for (size_t i = 0; i < ENS_COUNT(fixed); i++)
        ens_near_add(near, fixed[i]);
    ens_near_add(near, "input NAME");
    for (size_t i = 0; i < k->n_roles; i++)
        ens_near_add(near, k->roles[i].name);
    for (size_t i = 0; i < k->n_settings; i++)
        if (ens_is_plain_section(k, k->settings[i].section))
            ens_near_add(near, k->settings[i].section);
}

static void check_sections(struct ens_resolve *r)
{
    for (size_t i = 0; i < r->ini.n && r->has_tables; i++) {
        const struct ens_section *s = &r->ini.section[i];
        char word[64];
        struct ens_near near;

        if (is_known(r, s->name))
            continue;
        /* [dta d1] is nearest to data. */
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(s->name, " "),
                 s->name);
        ens_near_init(&near, word);
        add_sections(r, &near);
        ens_diag_add(&r->diag, s->pos, "[%.80s]: unknown section; %s", s->name,
                     ens_near_text(&near));
    }
}

/* -- [inputs] ----------------------------------------------------------- */

static void check_input_names(struct ens_resolve *r,
                              const struct ens_section *added)
{
    for (size_t i = 0; i < r->ini.n; i++) {
        const struct ens_section *s = &r->ini.section[i];

        if (s != added && strcasecmp(s->name, added->name) == 0)
            ens_diag_add(&r->diag, added->pos,
                         "[inputs] %.80s: differs only in case from [%.80s] "
                         "on line %u",
                         added->name + 6, s->name, (unsigned)s->pos.line);
    }
}

static void expand_input(struct ens_resolve *r, const struct ens_entry *e)
{
    char name[256];
    struct ens_section *s;
    const struct ens_entry *path;

    if ((size_t)snprintf(name, sizeof(name), "input %s", e->key) >=
        sizeof(name)) {
        ens_diag_add(&r->diag, e->pos, "[inputs] %.80s: name too long", e->key);
        return;
    }
    s = ens_ini_find(&r->ini, name);
    path = ens_section_find(s, "path");
    if (path != NULL) {
        ens_diag_add(&r->diag, e->pos,
                     "[inputs] %.80s: path given twice, also on line %u",
                     e->key, (unsigned)path->pos.line);
        return;
    }
    if (s == NULL) {
        s = ens_ini_add(&r->ini, name, e->pos);
        if (s != NULL)
            check_input_names(r, s);
    }
    if (s == NULL ||
        ens_section_add(&r->ini, s, "path", e->text, e->pos) == NULL)
        r->diag.no_memory = 1;
}

static void expand_inputs(struct ens_resolve *r)
{
    const struct ens_section *s = ens_ini_find(&r->ini, "inputs");

    if (s == NULL)
        return;
    for (size_t i = 0, n = s->n; i < n && !r->diag.no_memory; i++) {
        struct ens_entry e = ens_ini_find(&r->ini, "inputs")->entry[i];

        expand_input(r, &e);
    }
}

/* -- other names of keys ------------------------------------------------ */

static void rename_aliases(struct ens_resolve *r)
{
    for (size_t i = 0; i < r->ini.n; i++) {
        struct ens_section *s = &r->ini.section[i];

        for (size_t k = 0; k < s->n; k++) {
            const char *key = ens_builtin_alias(s->name, s->entry[k].key);
            const struct ens_entry *other = ens_section_find(s, key ? key : "");

            if (key == NULL)
                continue;
            if (other != NULL) {
                int later = other > &s->entry[k];

                ens_diag_add(
                    &r->diag, later ? other->pos : s->entry[k].pos,
                    "[%s] %s: another name of %s, given on line %u", s->name,
                    s->entry[k].key, key,
                    (unsigned)(later ? s->entry[k].pos.line : other->pos.line));
                s->entry[k].used = 1;
            } else {
                s->entry[k].key = key;
            }
        }
    }
}

/* -- --set -------------------------------------------------------------- */

struct target {
    char section[256];
    const char *key;
};

static void consider(const char *left, const char *section, size_t *best,
                     const char **found)
{
    size_t n = strlen(section);

    if (n > *best && strncmp(left, section, n) == 0 && left[n] == '.' &&
        left[n + 1] != '\0') {
        *best = n;
        *found = section;
    }
}

/* The longest section whose name and a dot begin left; NULL. */
static const char *longest_section(const struct ens_resolve *r,
                                   const char *left)
{
    const struct ens_study_tables *k = &r->study->tables;
    const char *found = NULL;
    size_t best = 0;

    for (size_t i = 0; i < r->ini.n; i++)
        consider(left, r->ini.section[i].name, &best, &found);
    for (size_t i = 0; i < ENS_COUNT(fixed); i++)
        consider(left, fixed[i], &best, &found);
    for (size_t i = 0; i < k->n_roles; i++)
        consider(left, k->roles[i].name, &best, &found);
    for (size_t i = 0; i < k->n_settings; i++)
        if (ens_is_plain_section(k, k->settings[i].section))
            consider(left, k->settings[i].section, &best, &found);
    return found;
}

static void put(struct ens_resolve *r, const char *section, const char *key,
                const char *value, struct ens_pos pos)
{
    struct ens_section *s = ens_ini_find(&r->ini, section);
    struct ens_entry *e = ens_section_find(s, key);

    if (e != NULL) {
        e->text = ens_arena_strdup(r->ini.arena, value);
        e->pos = pos;
        e = e->text != NULL ? e : NULL;
    } else {
        if (s == NULL)
            s = ens_ini_add(&r->ini, section, pos);
        if (s != NULL)
            e = ens_section_add(&r->ini, s, key, value, pos);
    }
    if (e == NULL)
        r->diag.no_memory = 1;
}

static void unknown_target(struct ens_resolve *r, const char *left,
                           struct ens_pos pos)
{
    char word[64];
    struct ens_near near;

    if (!r->has_tables)
        return; /* it may belong to the kind that is not known */
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(left, "."), left);
    ens_near_init(&near, word);
    for (size_t i = 0; i < r->ini.n; i++)
        ens_near_add(&near, r->ini.section[i].name);
    add_sections(r, &near);
    ens_diag_add(&r->diag, pos, "no section of that name; %s",
                 ens_near_text(&near));
}

static void apply(struct ens_resolve *r, const char *text)
{
    struct ens_pos pos = {0, text};
    const char *eq = strchr(text, '=');
    size_t n = eq == NULL ? 0 : (size_t)(eq - text);
    char *left = ens_arena_strndup(r->ini.arena, text, n);
    const char *section;
    const char *key;
    const char *alias;
    char input[256];

    if (left == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    while (n > 0 && left[n - 1] == ' ')
        left[--n] = '\0';
    if (n == 0 || ens_text_check(text, strlen(text)) < strlen(text)) {
        ens_diag_add(&r->diag, pos, "expected SECTION.KEY=VALUE");
        return;
    }
    section = longest_section(r, left);
    if (section == NULL) {
        unknown_target(r, left, pos);
        return;
    }
    key = left + strlen(section) + 1;
    alias = ens_builtin_alias(section, key);
    if (strcmp(section, "inputs") == 0 && strlen(key) < sizeof(input) - 8) {
        snprintf(input, sizeof(input), "input %.240s", key);
        section = input;
        key = "path";
    }
    put(r, section, alias != NULL ? alias : key, eq + 1, pos);
}

void ens_normalise(struct ens_resolve *r, const struct ens_override *set,
                   size_t n_set)
{
    expand_inputs(r);
    rename_aliases(r);
    for (size_t i = 0; i < n_set; i++)
        apply(r, set[i].text);
    check_sections(r);
}
