#include "program/request.h"

#include "config/study.h"
#include "program/json.h"

#include <string.h>

/* inf has no form in JSON: a text */
static void put_value(struct ens_buf *to, enum ens_type type, const char *text)
{
    int plain = text[strspn(text, "0123456789+-.e")] == '\0';

    if ((type == ENS_T_INT || type == ENS_T_NUM) && plain)
        ens_buf_puts(to, text);
    else
        ens_json_text(to, text);
}

static int is_of_table(const struct ens_impl *impl, const char *key)
{
    for (size_t i = 0; impl != NULL && i < impl->n_settings; i++)
        if (strcmp(impl->settings[i].key, key) == 0)
            return 1;
    return 0;
}

static void put_values(struct ens_buf *to, const struct ens_cell *cell,
                       const char *section)
{
    const struct ens_impl *impl = ens_cell_impl(cell, section);
    enum ens_type type;
    const char *key;
    int n = 0;

    for (size_t i = 0; (key = ens_cell_key(cell, section, i, &type)); i++) {
        if (is_of_table(impl, key))
            continue;
        ens_json_key(to, &n, key);
        put_value(to, type, ens_cell_value(cell, section, key)->text);
    }
}

static void put_input(struct ens_buf *to, const char *path,
                      const struct ens_input *in)
{
    const struct ens_view *v = &in->view;

    ens_buf_puts(to, "{\"path\": ");
    ens_json_text(to, path);
    ens_buf_printf(to, ", \"rows\": %llu, \"columns\": %llu",
                   (unsigned long long)in->n_rows,
                   (unsigned long long)in->n_columns);
    if (v->data != NULL) {
        ens_buf_printf(to, ", \"dtype\": \"%s%s\", \"shape\": [",
                       v->swapped ? ">" : "<", ens_dtype_code(v->dtype));
        for (uint32_t i = 0; i < v->ndim; i++)
            ens_buf_printf(to, "%s%llu", i > 0 ? ", " : "",
                           (unsigned long long)v->shape[i]);
        ens_buf_puts(to, "]");
    }
    ens_buf_puts(to, "}");
}

void ens_request_begin(struct ens_buf *to, const char *role,
                       const char *section, const struct ens_task_values *v)
{
    ens_buf_printf(to, "{\"role\": \"%s\", \"task\": ", role);
    ens_json_text(to, v->task);
    ens_buf_printf(to,
                   ", \"replicate\": %s, \"seed\": \"%s\", \"seed31\": %s, "
                   "\"values\": {",
                   v->replicate, v->seed, v->seed31);
    if (section != NULL)
        put_values(to, v->cell, section);
    ens_buf_puts(to, "}");
}

void ens_request_inputs(struct ens_buf *to, const struct ens_host *host,
                        const struct ens_task_values *v,
                        const struct ens_result *r)
{
    const struct ens_study *study = v->cell->study;
    int n = 0;

    ens_buf_puts(to, ", \"inputs\": {");
    for (size_t i = 0; i < ens_study_n_inputs(study); i++) {
        const char *name = ens_study_input_name(study, i);
        const char *path = ens_task_values_input_path(study, name);
        const struct ens_input *in = host->input(r, name);

        if (path == NULL || in == NULL)
            continue;
        ens_json_key(to, &n, name);
        put_input(to, path, in);
    }
    ens_buf_puts(to, "}");
}

void ens_request_end(struct ens_buf *to)
{
    ens_buf_puts(to, "}\n");
}
