#include "kinds/superlearner/models.h"

#include "base/buf.h"

#include <string.h>

static const char magic[8] = {'E', 'N', 'S', 'M', 'O', 'D', 'L', '1'};

static size_t padded(size_t n)
{
    return (n + 15) / 16 * 16;
}

static enum ens_status put(const struct ens_sl_job *job, const void *data,
                           size_t n, struct ens_error *err)
{
    static const char zeros[16];
    const struct ens_host *host = job->st->host;
    enum ens_status s = ENS_OK;

    if (n > 0)
        s = host->artifact_part(job->result, data, n, err);
    if (s == ENS_OK && padded(n) > n)
        s = host->artifact_part(job->result, zeros, padded(n) - n, err);
    return s;
}

enum ens_status ens_sl_model_keep(const struct ens_sl_learn *learn,
                                  const struct ens_sl_case *c,
                                  struct ens_error *err)
{
    const struct ens_sl_job *job = learn->task;
    const struct ens_host *host = job->st->host;
    struct ens_buf head = ENS_BUF_INIT;
    enum ens_status s = host->artifact_begin(job->result, "model", err);

    ens_buf_put(&head, magic, sizeof(magic));
    ens_buf_u64(&head, c == NULL ? 0 : c->bytes);
    ens_buf_u64(&head, learn->model.bytes);
    ens_buf_u64(&head, c == NULL ? 0 : c->data->source.p);
    if (s == ENS_OK && head.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        s = put(job, head.data, head.len, err);
    ens_buf_fini(&head);
    if (s == ENS_OK && c != NULL)
        s = put(job, c->blob, c->bytes, err);
    if (s == ENS_OK)
        s = put(job, learn->model.data, learn->model.bytes, err);
    return s == ENS_OK ? host->artifact_end(job->result, err) : s;
}

enum ens_status ens_sl_model_read(const void *data, size_t bytes,
                                  struct ens_sl_model *model,
                                  struct ens_error *err)
{
    const char *p = data;
    struct ens_cursor c;
    uint64_t prep, own;

    if (bytes < ENS_SL_MODEL_HEAD || memcmp(p, magic, sizeof(magic)) != 0)
        return ens_fail(err, ENS_EDOMAIN, "no model of a learner");
    c = ens_cursor(p + sizeof(magic), 16);
    prep = ens_cursor_u64(&c);
    own = ens_cursor_u64(&c);
    if (prep > bytes || own > bytes ||
        ENS_SL_MODEL_HEAD + padded((size_t)prep) + padded((size_t)own) != bytes)
        return ens_fail(err, ENS_EDOMAIN, "model of a learner: damaged");
    model->prep = prep > 0 ? p + ENS_SL_MODEL_HEAD : NULL;
    model->prep_bytes = (size_t)prep;
    model->model = (struct ens_learn_model){
        p + ENS_SL_MODEL_HEAD + padded((size_t)prep), (size_t)own};
    return ENS_OK;
}
