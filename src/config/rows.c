/* The rows of roles: [ROLE NAME] with the defaults of [ROLE]. */
#include "config/grid.h"
#include "config/names.h"
#include "config/plugin_name.h"
#include "config/resolve.h"

#include <string.h>

static const struct ens_impl *find_impl(const struct ens_role *role,
                                        const char *name)
{
    for (size_t i = 0; i < role->n_impls; i++)
        if (strcmp(role->impls[i].name, name) == 0)
            return &role->impls[i];
    return NULL;
}

static const char *suggest_impl(const struct ens_role *role, const char *name,
                                struct ens_near *near)
{
    ens_near_init(near, name);
    for (size_t i = 0; i < role->n_impls; i++)
        ens_near_add(near, role->impls[i].name);
    return ens_near_text(near);
}

/* "FILE:NAME": a copy whose name is the label. */
static void take_plugin(struct ens_resolve *r, struct ens_row *row,
                        const struct ens_role *role, const struct ens_entry *e)
{
    const struct ens_study_kinds *k = r->kinds;
    struct ens_arena *arena = &r->study->arena;
    struct ens_impl *own = ens_arena_alloc(arena, 1, sizeof(*own));
    const struct ens_impl *impl;
    struct ens_plugin_name p;
    struct ens_error err;
    enum ens_status s = ens_plugin_name_read(&p, arena, r->study->dir, e->text,
                                             strlen(e->text), &err);

    if (s == ENS_OK)
        s = k->plugins->impl(k->arg, p.path, role->impl_key, p.name, &impl,
                             &err);
    row->impl_text = e->text; /* named, known or not */
    if (s == ENS_ENOMEMORY || own == NULL) {
        r->diag.no_memory = 1;
    } else if (s != ENS_OK) {
        ens_diag_add(&r->diag, e->pos, "[%.80s] %s: %s", row->section,
                     role->impl_key, err.text);
    } else {
        *own = *impl;
        own->name = p.label;
        row->impl = own;
        row->impl_text = p.full;
    }
}

static void choose_impl(struct ens_resolve *r, struct ens_row *row,
                        const struct ens_role *role, struct ens_section *own,
                        struct ens_section *defaults)
{
    struct ens_entry *d = ens_section_find(defaults, role->impl_key);
    struct ens_entry *e = ens_section_find(own, role->impl_key);
    const char *name = row->name;
    struct ens_near near;

    if (d != NULL)
        d->used = 1;
    if (e != NULL)
        e->used = 1;
    e = e != NULL ? e : d;
    if (*name == '\0' && role->impl_default != NULL)
        name = role->impl_default;
    name = e != NULL ? e->text : name;
    row->impl = find_impl(role, name);
    if (row->impl != NULL)
        row->impl_text = row->impl->name;
    if (row->impl != NULL || own == NULL)
        return;
    if (e != NULL && r->kinds->plugins != NULL &&
        ens_plugin_is_name(name, strlen(name))) {
        take_plugin(r, row, role, e);
        return;
    }
    if (e != NULL)
        ens_diag_add(&r->diag, e->pos, "[%.80s] %s: \"%.60s\" is unknown; %s",
                     row->section, role->impl_key, name,
                     suggest_impl(role, name, &near));
    else
        ens_diag_add(&r->diag, row->pos, "[%.80s] %s: missing; %s",
                     row->section, role->impl_key,
                     suggest_impl(role, name, &near));
}

static int is_of(const struct ens_role *role, const struct ens_setting *s)
{
    return strcmp(s->section, role->name) == 0 ||
           (role->settings_of != NULL &&
            strcmp(s->section, role->settings_of) == 0);
}

/* Which implementation has this key? NULL: none. */
static const struct ens_impl *impl_with(const struct ens_role *role,
                                        const char *key)
{
    for (size_t i = 0; i < role->n_impls; i++)
        for (size_t k = 0; k < role->impls[i].n_settings; k++)
            if (is_of(role, &role->impls[i].settings[k]) &&
                ((!ens_setting_is_pattern(&role->impls[i].settings[k]) &&
                  strcmp(role->impls[i].settings[k].key, key) == 0) ||
                 ens_setting_matches(&role->impls[i].settings[k], key)))
                return &role->impls[i];
    return NULL;
}

/* What can be said better of unknown keys than their nearest name. */
static void explain_unknown(struct ens_resolve *r, const struct ens_role *role,
                            struct ens_section *s, const struct ens_row *row)
{
    for (size_t i = 0; s != NULL && i < s->n; i++) {
        struct ens_entry *e = &s->entry[i];
        const struct ens_impl *has = e->used ? NULL : impl_with(role, e->key);

        if (has != NULL && row != NULL && row->impl != NULL)
            ens_diag_add(&r->diag, e->pos,
                         "[%.80s] %s: is a setting of %s %s, not of %s",
                         s->name, e->key, role->impl_key, has->name,
                         row->impl->name);
        else if (has != NULL && row == NULL)
            ens_diag_add(&r->diag, e->pos,
                         "[%.80s] %s: no row has this setting of %s %s",
                         s->name, e->key, role->impl_key, has->name);
        else if (has == NULL || row->impl != NULL)
            continue;
        e->used = 1;
    }
}

/* Any may be a setting of a plugin that could not be read: that was told. */
static void excuse_keys(struct ens_section *s)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        s->entry[i].used = 1;
}

/* The row's own, or that of the defaults, which was read already. */
static void choose_grid(struct ens_resolve *r, struct ens_row *row,
                        struct ens_section *own, struct ens_section *defaults)
{
    struct ens_entry *e = ens_section_find(own, "grid");
    const struct ens_entry *d = ens_section_find(defaults, "grid");

    row->grid = e == NULL ? r->default_grid : ens_grid_read(r, row->section, e);
    if (e != NULL)
        d = e;
    r->grid_is_bad = row->grid == NULL && d != NULL && *d->text != '\0';
}

/* A row that makes no cells. */
static void refuse_axes(struct ens_resolve *r, const struct ens_row *row)
{
    for (size_t i = 0; i < row->n_axes; i++)
        ens_diag_add(&r->diag, row->axis[i]->pos, "[%.80s] %s: takes one value",
                     row->section, row->axis[i]->s->key);
}

/* own NULL: a role without any section. */
static void fill_row(struct ens_resolve *r, struct ens_row *row,
                     const struct ens_role *role, struct ens_section *own,
                     struct ens_section *defaults)
{
    struct ens_study *st = r->study;
    struct ens_tables t;

    row->section = own != NULL ? own->name : role->name;
    row->name = "";
    if (own != NULL) {
        row->pos = own->pos;
        if (own->name[strlen(role->name)] == ' ')
            row->name = own->name + strlen(role->name) + 1;
    }
    if (role->impl_key != NULL)
        choose_impl(r, row, role, own, defaults);
    choose_grid(r, row, own, defaults);
    t = ens_kind_section(&st->tables, role->name, row->impl);
    t.also = role->settings_of;
    if (role->open || (row->impl != NULL && row->impl->open))
        ens_open_keys(r, role, row->grid, own, defaults, &t);
    else
        ens_pattern_keys(r, row->grid, own, defaults, &t);
    r->context.calls[1] = t.item[1];
    r->context.n_calls[1] = t.n[1];
    ens_row_fill(r, row, &t, own, defaults, own == NULL || r->grid_is_bad);
    if (role->beside)
        refuse_axes(r, row);
    r->context.n_calls[1] = 0;
    if (row->impl == NULL && row->impl_text != NULL) {
        excuse_keys(own);
        excuse_keys(defaults);
    }
    explain_unknown(r, role, own, row);
    ens_section_unknown(r, own, &t, role->impl_key);
}

static size_t is_row_of(const char *section, const char *role)
{
    size_t n = strlen(role);

    return strncmp(section, role, n) == 0 && section[n] == ' ';
}

/* Defaults that no row could take: any implementation's name may be meant. */
static void check_defaults(struct ens_resolve *r, const struct ens_role *role,
                           struct ens_section *defaults)
{
    struct ens_tables t = ens_kind_section(&r->study->tables, role->name, NULL);

    explain_unknown(r, role, defaults, NULL);
    ens_section_unknown(r, defaults, &t, role->impl_key);
}

static void resolve_role(struct ens_resolve *r, struct ens_role_rows *rows)
{
    const struct ens_role *role = rows->role;
    struct ens_section *defaults = ens_ini_find(&r->ini, role->name);
    size_t n = 0;

    for (size_t i = 0; i < r->ini.n; i++)
        n += is_row_of(r->ini.section[i].name, role->name);
    r->default_grid = NULL;
    if (n > 0 && ens_section_find(defaults, "grid") != NULL)
        r->default_grid =
            ens_grid_read(r, role->name, ens_section_find(defaults, "grid"));
    rows->named = n > 0;
    rows->written = n > 0 || defaults != NULL;
    rows->row = ens_arena_alloc(&r->study->arena, n + 2, sizeof(*rows->row));
    if (rows->row == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    if (n == 0) {
        if (!rows->written && role->required)
            ens_diag_add(&r->diag, (struct ens_pos){0, NULL},
                         "[%s]: section missing", role->name);
        fill_row(r, &rows->row[rows->n++], role, defaults, NULL);
        return;
    }
    for (size_t i = 0; i < r->ini.n; i++)
        if (is_row_of(r->ini.section[i].name, role->name))
            fill_row(r, &rows->row[rows->n++], role, &r->ini.section[i],
                     defaults);
    if (role->numbered) /* of those without a section */
        fill_row(r, &rows->row[rows->n++], role, NULL, defaults);
    check_defaults(r, role, defaults);
}

void ens_resolve_roles(struct ens_resolve *r)
{
    struct ens_study *st = r->study;

    st->role =
        ens_arena_alloc(&st->arena, st->tables.n_roles + 1, sizeof(*st->role));
    if (st->role == NULL) {
        r->diag.no_memory = 1;
        return;
    }
    for (size_t i = 0; i < st->tables.n_roles; i++) {
        st->role[i].role = &st->tables.roles[i];
        resolve_role(r, &st->role[i]);
        st->n_roles++;
    }
}
