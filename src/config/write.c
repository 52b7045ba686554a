/* The resolved study file, and the texts that are compared at a resume. */
#include "config/grid.h"
#include "config/model.h"
#include "config/plugin_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_key(const struct ens_key *k, struct ens_buf *out)
{
    ens_buf_printf(out, "%s =", k->s->key);
    if (k->value.n > 1 || k->value.v->set) {
        ens_buf_puts(out, " ");
        ens_value_write(k->s, &k->value, out);
    }
    ens_buf_puts(out, "\n");
}

/* Axes first and in their order, which decides that of the cells. */
static void write_row(const struct ens_row *row, const struct ens_role *role,
                      struct ens_buf *out)
{
    ens_buf_printf(out, "\n[%s]\n", row->section);
    if (row->impl != NULL)
        ens_buf_printf(out, "%s = %s\n", role->impl_key, row->impl_text);
    for (size_t i = 0, n = 1; i < row->n_axes; i += n) {
        const struct ens_grid *grid = row->axis[i]->grid;

        n = 1;
        while (grid != NULL && i + n < row->n_axes &&
               row->axis[i + n]->grid == grid)
            n++;
        if (grid != NULL)
            ens_grid_write(&row->axis[i], n, out);
        else
            write_key(row->axis[i], out);
    }
    for (size_t i = 0; i < row->n_keys; i++)
        if (row->key[i].value.n == 1)
            write_key(&row->key[i], out);
}

/* A section that was not there can only be written when all it lacks has a
 * default. */
static int can_write(const struct ens_role_rows *rows)
{
    if (rows->written)
        return 1;
    if (rows->role->impl_key != NULL)
        return 0;
    for (size_t i = 0; i < rows->row[0].n_keys; i++)
        if (rows->row[0].key[i].s->def == NULL)
            return 0;
    return 1;
}

void ens_study_write(const struct ens_study *study, struct ens_buf *out)
{
    ens_buf_puts(out, "; The study as it was run: every setting in effect.\n");
    for (size_t i = 0; i < study->n_sections; i++) {
        write_row(&study->section[i], NULL, out);
        for (size_t k = 0; i == 0 && k < study->n_inputs; k++)
            write_row(&study->input[k], NULL, out);
    }
    for (size_t i = 0; i < study->n_roles; i++)
        for (size_t k = 0; can_write(&study->role[i]) && k < study->role[i].n;
             k++)
            write_row(&study->role[i].row[k], study->role[i].role, out);
}

/* -- fingerprint -------------------------------------------------------- */

struct lines {
    struct ens_buf text; /* each ended by a NUL */
    size_t n;
};

static void add_line(struct lines *l, const char *section, const char *key,
                     const char *value)
{
    ens_buf_printf(&l->text, "%s.%s=%s\n", section, key, value);
    ens_buf_u8(&l->text, 0);
    l->n++;
}

/* What a plugin computes in tasks is of class study whatever its setting is:
 * the calls among the values that have an implementation, by their label. */
static void add_computed(struct lines *l, const struct ens_row *row,
                         const struct ens_key *key)
{
    const struct ens_value *v = key->value.v;
    int one = key->s->shape == ENS_ONE;
    struct ens_buf text = ENS_BUF_INIT;

    for (size_t i = 0; i < (one ? 1 : v->n_list); i++) {
        const struct ens_call *call = one ? &v->call : &v->list[i].call;
        const char *full = one ? v->text : v->list[i].text;

        if (call->impl == NULL)
            continue;
        full += ens_plugin_name_end(full, strlen(full)) - strlen(call->name);
        ens_buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", full);
        if (call->impl->results_version > 0)
            ens_buf_printf(&text, "@%u", (unsigned)call->impl->results_version);
    }
    if (text.len > 0)
        add_line(l, row->section, key->s->key, ens_buf_text(&text));
    ens_buf_fini(&text);
}

/* Settings of a class that are not at their default: so that a key that is
 * new in a later version changes nothing. Where files are is no setting of a
 * run: the same study is read from other folders. */
static void add_row(struct lines *l, const struct ens_row *row,
                    enum ens_class cls)
{
    for (size_t i = 0; i < row->n_keys; i++)
        if (row->key[i].s->cls == cls && row->key[i].is_default != 0 &&
            !(cls == ENS_C_RUN && row->key[i].s->type == ENS_T_PATH))
            add_line(l, row->section, row->key[i].s->key,
                     row->key[i].value.v->text);
        else if (cls == ENS_C_STUDY && row->key[i].s->type == ENS_T_CALL)
            add_computed(l, row, &row->key[i]);
}

static void add_roles(struct lines *l, const struct ens_study *study,
                      enum ens_class cls)
{
    for (size_t i = 0; i < study->n_roles; i++)
        for (size_t k = 0; k < study->role[i].n; k++) {
            const struct ens_row *row = &study->role[i].row[k];

            add_row(l, row, cls);
            if (!study->role[i].role->beside || cls != ENS_C_RUN)
                continue;
            add_row(l, row, ENS_C_CELL);
            add_row(l, row, ENS_C_DATA);
            if (row->impl != NULL)
                add_line(l, row->section, study->role[i].role->impl_key,
                         row->impl->name);
        }
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static void put_sorted(struct lines *l, struct ens_buf *out)
{
    const char **line = malloc((l->n + 1) * sizeof(*line));
    const char *p = ens_buf_text(&l->text);

    if (line == NULL || l->text.failed) {
        out->failed = 1;
    } else {
        for (size_t i = 0; i < l->n; i++) {
            line[i] = p;
            p += strlen(p) + 1;
        }
        qsort(line, l->n, sizeof(*line), by_text);
        for (size_t i = 0; i < l->n; i++)
            ens_buf_puts(out, line[i]);
    }
    free(line);
    ens_buf_fini(&l->text);
}

void ens_study_fingerprint(const struct ens_study *study, struct ens_buf *out)
{
    struct lines l = {ENS_BUF_INIT, 0};
    char number[32];

    for (size_t i = 1; i < study->n_sections; i++)
        add_row(&l, &study->section[i], ENS_C_STUDY);
    for (size_t i = 0; i < study->n_inputs; i++)
        add_row(&l, &study->input[i], ENS_C_STUDY);
    add_roles(&l, study, ENS_C_STUDY);
    if (study->tables.computed != NULL) {
        char text[1024];

        study->tables.computed(study, text, sizeof(text));
        if (text[0] != '\0')
            add_line(&l, study->tables.kind, "computed", text);
    }
    add_line(&l, "study", "kind", study->tables.kind);
    snprintf(number, sizeof(number), "%u",
             (unsigned)study->tables.results_version);
    add_line(&l, "study", "results_version", number);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)study->seed);
    add_line(&l, "study", "seed", number);
    if (study->own_streams)
        add_line(&l, "study", "streams", "independent");
    put_sorted(&l, out);
}

uint64_t ens_study_run_settings_hash(const struct ens_study *study)
{
    struct lines l = {ENS_BUF_INIT, 0};
    struct ens_buf text = ENS_BUF_INIT;
    uint64_t h;

    for (size_t i = 2; i < study->n_sections; i++) /* after study and run */
        add_row(&l, &study->section[i], ENS_C_RUN);
    add_roles(&l, study, ENS_C_RUN);
    put_sorted(&l, &text);
    h = ens_hash64(text.data, text.len);
    ens_buf_fini(&text);
    return h;
}
