/* What a study answers about itself. */
#include "config/study.h"

#include "base/bug.h"
#include "config/model.h"
#include "config/resolve.h"

#include <stdio.h>
#include <string.h>

int ens_key_order(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (*a != '\0' ? (unsigned char)*a : '=') -
           (*b != '\0' ? (unsigned char)*b : '=');
}

const struct ens_key *ens_row_find(const struct ens_row *row, const char *key)
{
    size_t low = 0;
    size_t high = row->n_keys;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = ens_key_order(key, row->sorted[mid]->s->key);

        if (c == 0)
            return strcmp(key, row->sorted[mid]->s->key) == 0 ? row->sorted[mid]
                                                              : NULL;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const char *ens_study_path(const struct ens_study *study)
{
    return study->path;
}

const char *ens_study_dir(const struct ens_study *study)
{
    return study->dir;
}

const char *ens_study_kind(const struct ens_study *study)
{
    return study->tables.kind;
}

const char *ens_study_name(const struct ens_study *study)
{
    return study->name;
}

uint64_t ens_study_seed(const struct ens_study *study)
{
    return study->seed;
}

uint32_t ens_study_replicates(const struct ens_study *study)
{
    return study->replicates;
}

const char *ens_study_results(const struct ens_study *study)
{
    return study->results;
}

size_t ens_study_n_inputs(const struct ens_study *study)
{
    return study->n_inputs;
}

const char *ens_study_input_name(const struct ens_study *study, size_t i)
{
    ENS_BUG_ON(i >= study->n_inputs);
    return study->input[i].name;
}

static const struct ens_value *value_in(const struct ens_row *row,
                                        const char *key)
{
    const struct ens_key *k = ens_row_find(row, key);

    return k == NULL ? NULL : k->value.v;
}

const struct ens_value *ens_study_input_value(const struct ens_study *study,
                                              size_t i, const char *key)
{
    ENS_BUG_ON(i >= study->n_inputs);
    return value_in(&study->input[i], key);
}

static const struct ens_row *find_in(const struct ens_row *row, size_t n,
                                     const char *section)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(row[i].section, section) == 0)
            return &row[i];
    return NULL;
}

const struct ens_value *ens_study_value(const struct ens_study *study,
                                        const char *section, const char *key)
{
    const struct ens_row *row =
        find_in(study->section, study->n_sections, section);

    return row == NULL ? NULL : value_in(row, key);
}

const char *ens_study_own_key(const struct ens_study *study,
                              const char *section, size_t i)
{
    const struct ens_tables t = ens_kind_section(&study->tables, section, NULL);
    const struct ens_row *row =
        find_in(study->section, study->n_sections, section);

    for (size_t k = 0; row != NULL && k < row->n_keys; k++)
        if (ens_tables_find(&t, row->key[k].s->key) == NULL && i-- == 0)
            return row->key[k].s->key;
    return NULL;
}

void ens_study_where(const struct ens_study *study, const char *section,
                     const char *key, char *to, size_t cap)
{
    const struct ens_row *row =
        find_in(study->section, study->n_sections, section);
    const struct ens_key *k;
    struct ens_pos pos = {0, NULL};

    if (row == NULL)
        row = find_in(study->input, study->n_inputs, section);
    for (size_t i = 0; row == NULL && i < study->n_roles; i++)
        row = find_in(study->role[i].row, study->role[i].n, section);
    k = row == NULL ? NULL : ens_row_find(row, key);
    if (k != NULL)
        pos = k->pos;
    if (pos.set != NULL)
        snprintf(to, cap, "--set %s", pos.set);
    else if (pos.line > 0)
        snprintf(to, cap, "%s:%u", study->path, (unsigned)pos.line);
    else
        snprintf(to, cap, "default");
}

void ens_cell_place(const struct ens_cell *cell, const char *role,
                    const char *key, char to[ENS_CELL_PLACE])
{
    const char *row = ens_cell_row(cell, role);
    uint64_t local;
    unsigned line =
        ens_rows_at(ens_study_rows(cell->study, role), cell->ordinal, &local)
            ->pos.line;
    char section[160];
    char where[320];

    snprintf(section, sizeof(section), "%s%s%.120s", role, *row ? " " : "",
             row);
    ens_study_where(cell->study, section, key, where, sizeof(where));
    if (strcmp(where, "default") == 0) /* set for all rows of the role */
        ens_study_where(cell->study, role, key, where, sizeof(where));
    if (strcmp(where, "default") == 0 && line > 0)
        snprintf(where, sizeof(where), "%s:%u", cell->study->path, line);
    if (strcmp(where, "default") == 0)
        snprintf(to, ENS_CELL_PLACE, "[%s]", section);
    else
        snprintf(to, ENS_CELL_PLACE, "%s: [%s]", where, section);
}
