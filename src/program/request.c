#include "program/request.h"

#include "config/study.h"

#include <jansson.h>
#include <string.h>

/* A text as JSON. The study file is UTF-8 without control characters but
 * tabs, so only those and quotes need care. */
static void put_text(struct ens_buf *to, const char *text)
{
    ens_buf_puts(to, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            ens_buf_printf(to, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            ens_buf_printf(to, "\\u%04x", c);
        else
            ens_buf_put(to, text, 1);
    }
    ens_buf_puts(to, "\"");
}

static void put_member(struct ens_buf *to, int *n, const char *key)
{
    ens_buf_puts(to, (*n)++ > 0 ? ", " : "");
    put_text(to, key);
    ens_buf_puts(to, ": ");
}

/* inf has no form in JSON: a text */
static void put_value(struct ens_buf *to, enum ens_type type, const char *text)
{
    int plain = text[strspn(text, "0123456789+-.e")] == '\0';

    if ((type == ENS_T_INT || type == ENS_T_NUM) && plain)
        ens_buf_puts(to, text);
    else
        put_text(to, text);
}

static void put_values(struct ens_buf *to, const struct ens_cell *cell)
{
    enum ens_type type;
    const char *key;
    int n = 0;

    ens_buf_puts(to, "{");
    for (size_t i = 0; (key = ens_cell_key(cell, "axes", i, &type)); i++) {
        put_member(to, &n, key);
        put_value(to, type, ens_cell_value(cell, "axes", key)->text);
    }
    ens_buf_puts(to, "}");
}

static void put_input(struct ens_buf *to, const char *path,
                      const struct ens_input *in)
{
    const struct ens_view *v = &in->view;

    ens_buf_puts(to, "{\"path\": ");
    put_text(to, path);
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

static void put_inputs(struct ens_buf *to, const struct ens_host *host,
                       const struct ens_task_values *v,
                       const struct ens_result *r)
{
    const struct ens_study *study = v->cell->study;
    int n = 0;

    ens_buf_puts(to, "{");
    for (size_t i = 0; i < ens_study_n_inputs(study); i++) {
        const char *name = ens_study_input_name(study, i);
        const char *path = ens_task_values_input_path(study, name);
        const struct ens_input *in = host->input(r, name);

        if (path == NULL || in == NULL)
            continue;
        put_member(to, &n, name);
        put_input(to, path, in);
    }
    ens_buf_puts(to, "}");
}

void ens_request_put(struct ens_buf *to, const struct ens_host *host,
                     const struct ens_task_values *v,
                     const struct ens_task *task, const struct ens_result *r)
{
    ens_buf_puts(to, "{\"task\": ");
    put_text(to, v->task);
    ens_buf_printf(to, ", \"replicate\": %u, \"seed\": \"%s\", \"seed31\": %s",
                   (unsigned)task->replicate, v->seed, v->seed31);
    ens_buf_puts(to, ", \"values\": ");
    put_values(to, v->cell);
    ens_buf_puts(to, ", \"inputs\": ");
    put_inputs(to, host, v, r);
    ens_buf_puts(to, "}\n");
}

static enum ens_status check(const json_t *root, const char *task,
                             struct ens_error *err)
{
    const char *named = json_string_value(json_object_get(root, "task"));
    const json_t *error = json_object_get(root, "error");

    if (named == NULL)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: the answer to task %s has no \"task\"", task);
    if (strcmp(named, task) != 0)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: the answer to task %s is to \"%.60s\"", task,
                        named);
    if (error == NULL)
        return ENS_OK;
    if (!json_is_string(error))
        return ens_fail(err, ENS_EDOMAIN, "output: error is no text");
    return ens_fail(err, ENS_EDOMAIN, "%.400s", json_string_value(error));
}

enum ens_status ens_request_check_answer(const char *line, size_t n,
                                         const char *task,
                                         struct ens_error *err)
{
    json_error_t e;
    json_t *root = json_loadb(line, n, 0, &e);
    enum ens_status s;

    if (root == NULL)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: not one JSON object: column %d: %.120s",
                        e.column, e.text);
    s = check(root, task, err);
    json_decref(root);
    return s;
}
