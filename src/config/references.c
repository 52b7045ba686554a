/* Settings that name a row of a role that makes no cells: what that row says
 * is part of the cell of who names it. */
#include "base/hash.h"
#include "base/number.h"
#include "config/names.h"
#include "config/resolve.h"

#include <string.h>

static int is_numbered(const char *name)
{
    size_t n = strspn(name, "0123456789");

    return n > 0 && n < 10 && name[n] == '\0' && *name != '0';
}

/* A row of a numbered role that no section describes has the defaults: the
 * last one. */
static const struct ens_row *find_row(const struct ens_role_rows *rows,
                                      const char *name)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->row[i].name, name) == 0)
            return &rows->row[i];
    return rows->role->numbered && is_numbered(name) ? &rows->row[rows->n - 1]
                                                     : NULL;
}

/* All it says that decides cells, but what is at its default. */
static const char *hash_row(struct ens_resolve *r,
                            const struct ens_role_rows *rows,
                            const struct ens_row *row, const char *name)
{
    struct ens_buf b = ENS_BUF_INIT;
    int by_name = rows->role->numbered || rows->role->by_name;
    char hex[2][ENS_HEX64_BYTES] = {"", ""};
    struct ens_hash128 h;

    if (row->impl != NULL)
        ens_buf_printf(&b, "%s=%s@%u\n", rows->role->impl_key, row->impl->name,
                       (unsigned)row->impl->results_version);
    for (size_t i = 0; i < row->n_keys; i++) {
        const struct ens_key *key = row->sorted[i];

        if (ens_key_in_part(rows->role, key, 0) && key->is_default != 0)
            ens_buf_printf(&b, "%s=%s\n", key->s->key, key->value.v->text);
    }
    r->diag.no_memory |= b.failed;
    if (b.len > 0) {
        h = ens_hash128(b.data, b.len);
        ens_hex64(hex[0], h.low);
        ens_hex64(hex[1], h.high);
    }
    ens_buf_fini(&b);
    return ens_arena_printf(&r->study->arena, "%s%s%s%s", by_name ? name : "",
                            by_name && *hex[0] ? ":" : "", hex[0], hex[1]);
}

static void unknown_row(struct ens_resolve *r, const struct ens_row *from,
                        const struct ens_key *key,
                        const struct ens_role_rows *rows, const char *name)
{
    struct ens_near near;

    ens_near_init(&near, name);
    for (size_t i = 0; i < rows->n; i++)
        if (rows->row[i].name[0] != '\0')
            ens_near_add(&near, rows->row[i].name);
    if (rows->role->numbered)
        ens_diag_add(&r->diag, key->pos,
                     "[%.80s] %s: \"%.60s\" is no number from 1", from->section,
                     key->s->key, name);
    else if (!rows->named)
        ens_diag_add(&r->diag, key->pos,
                     "[%.80s] %s: there is no [%s %.60s]; add that section",
                     from->section, key->s->key, rows->role->name, name);
    else
        ens_diag_add(&r->diag, key->pos, "[%.80s] %s: no [%s %.60s]; %s",
                     from->section, key->s->key, rows->role->name, name,
                     ens_near_text(&near));
}

static void refer(struct ens_resolve *r, const struct ens_row *from,
                  struct ens_key *key)
{
    const struct ens_role_rows *rows =
        ens_study_rows(r->study, key->s->choices);

    for (size_t i = 0; i < key->value.n; i++) {
        struct ens_value *v = (struct ens_value *)&key->value.v[i];
        const struct ens_row *row;

        if (v->text[0] == '\0')
            continue;
        row = find_row(rows, v->text);
        if (row == NULL) {
            unknown_row(r, from, key, rows, v->text);
            continue;
        }
        v->hashed = hash_row(r, rows, row, v->text);
        r->diag.no_memory |= v->hashed == NULL;
        if (key->is_default == i && v->hashed != NULL &&
            strcmp(v->hashed, v->text) != 0)
            key->is_default = ENS_NO_DEFAULT; /* not what no section says */
    }
}

void ens_resolve_references(struct ens_resolve *r)
{
    struct ens_study *st = r->study;

    for (size_t i = 0; i < st->n_roles; i++)
        for (size_t k = 0; k < st->role[i].n; k++)
            for (size_t j = 0; j < st->role[i].row[k].n_keys; j++)
                if (st->role[i].row[k].key[j].s->type == ENS_T_ROW)
                    refer(r, &st->role[i].row[k], &st->role[i].row[k].key[j]);
}

/* -- for the kind ------------------------------------------------------- */

const char *ens_study_row(const struct ens_study *study, const char *role,
                          size_t i)
{
    const struct ens_role_rows *rows = ens_study_rows(study, role);
    size_t n = rows == NULL ? 0 : rows->n;

    if (n > 0 && rows->role->numbered)
        n = rows->named ? n - 1 : 0;
    return i < n ? rows->row[i].name : NULL;
}

const struct ens_value *ens_study_row_value(const struct ens_study *study,
                                            const char *role, const char *row,
                                            const char *key)
{
    const struct ens_role_rows *rows = ens_study_rows(study, role);
    const struct ens_row *at = rows == NULL ? NULL : find_row(rows, row);
    const struct ens_key *k = at == NULL ? NULL : ens_row_find(at, key);

    return k == NULL ? NULL : k->value.v;
}

/* Value of a key in the k-th combination of its row. */
static const struct ens_value *pick(const struct ens_key *key, size_t k)
{
    if (key->value.n == 1)
        return key->value.v;
    return &key->value.v[key->grid != NULL ? key->pick[k] : k];
}

int ens_study_pair(const struct ens_study *study, const char *role, size_t row,
                   const char *const key[2], size_t i,
                   const struct ens_value *v[2])
{
    const struct ens_role_rows *rows = ens_study_rows(study, role);
    const struct ens_key *k[2];
    size_t n[2];

    for (int j = 0; j < 2; j++) {
        k[j] = rows == NULL || row >= rows->n
                   ? NULL
                   : ens_row_find(&rows->row[row], key[j]);
        if (k[j] == NULL)
            return 0;
        n[j] = ens_key_places(k[j]);
    }
    if (k[0]->grid != NULL && k[0]->grid == k[1]->grid) { /* vary together */
        v[0] = pick(k[0], i < n[0] ? i : 0);
        v[1] = pick(k[1], i < n[0] ? i : 0);
        return i < n[0];
    }
    v[0] = pick(k[0], i / n[1] < n[0] ? i / n[1] : 0);
    v[1] = pick(k[1], i % n[1]);
    return i / n[1] < n[0];
}

const struct ens_impl *ens_study_row_impl(const struct ens_study *study,
                                          const char *role, const char *row)
{
    const struct ens_role_rows *rows = ens_study_rows(study, role);
    const struct ens_row *at = rows == NULL ? NULL : find_row(rows, row);

    return at == NULL ? NULL : at->impl;
}
