/* Digests of the inputs: computed beside the first tasks, compared with what
 * earlier epochs recorded, needed before tables are written. */
#include "run/state.h"

#include <string.h>

static enum ens_status changed(struct ens_run *r, size_t i, const char *how,
                               struct ens_error *err)
{
    return ens_fail(err, ENS_ECHANGED,
                    "input %s: %s %s (%llu finished tasks would be invalid); "
                    "put it back, or use --restart to begin anew (the old "
                    "results are kept)",
                    ens_study_input_name(r->study, i), r->inputs.item[i].source,
                    how, (unsigned long long)ens_run_n_recorded(r));
}

/* A file that was touched since: its content decides, before any task runs. */
static enum ens_status check_one(struct ens_run *r, size_t i,
                                 struct ens_error *err)
{
    struct ens_folder_input *known = &r->folder.input[i];
    const struct ens_mapped *m = &r->inputs.item[i];
    struct ens_hash128 now;
    enum ens_status s;

    if (known->id.size == 0 && known->id.inode == 0)
        return ENS_OK; /* new in this study: the fingerprint says so */
    if (known->tainted)
        return changed(r, i, "was changed while tasks read it", err);
    if (ens_file_id_same(&known->id, &m->id))
        return ENS_OK;
    if (!known->has_digest)
        return changed(r, i, "was changed before its digest was known", err);
    s = ens_mapped_digest(m, &r->digest_stop, &now, err);
    if (s != ENS_OK)
        return s;
    if (now.low != known->digest.low || now.high != known->digest.high)
        return changed(r, i, "has other content than the finished tasks saw",
                       err);
    return ENS_OK;
}

enum ens_status ens_digest_check(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < r->inputs.n; i++) {
        s = check_one(r, i, err);
        r->folder.input[i].id = r->inputs.item[i].id;
    }
    return s;
}

static void work(uv_work_t *w)
{
    struct ens_run *r = w->data;

    if (!r->is_staged) /* else workers map other files */
        ens_inputs_populate(&r->inputs, &r->digest_stop);
    for (size_t i = 0; i < r->inputs.n; i++) {
        struct ens_folder_input *in = &r->folder.input[i];

        if (in->has_digest)
            continue;
        if (ens_mapped_digest(&r->inputs.item[i], &r->digest_stop, &in->digest,
                              &r->digest_error) != ENS_OK)
            return;
        in->has_digest = 1;
    }
}

static void after(uv_work_t *w, int status)
{
    struct ens_run *r = w->data;

    (void)status;
    r->digest_running = 0;
    if (r->phase >= ENS_RUN_OVER)
        return;
    if (r->digest_error.status != ENS_OK &&
        r->digest_error.status != ENS_ESTOPPED)
        ens_run_break(r, &r->digest_error);
    else if (ens_run_write_folder(r, &r->digest_error) != ENS_OK)
        ens_run_break(r, &r->digest_error);
}

enum ens_status ens_digest_begin(struct ens_run *r, struct ens_error *err)
{
    if (r->inputs.n == 0)
        return ENS_OK;
    r->digest_work.data = r;
    if (uv_queue_work(&r->loop, &r->digest_work, work, after) != 0)
        return ens_fail(err, ENS_EPROCESS, "cannot start a thread");
    r->digest_running = 1;
    return ENS_OK;
}

void ens_digest_stop(struct ens_run *r)
{
    atomic_store(&r->digest_stop, 1);
    while (r->digest_running)
        uv_run(&r->loop, UV_RUN_ONCE);
}

/* The bytes in the map are those of the digest: the file was only touched. */
static int is_same(const struct ens_mapped *m, const struct ens_file_id *now,
                   const struct ens_hash128 *digest)
{
    struct ens_hash128 h;

    if (now->size != m->id.size || m->map_bytes != m->id.size)
        return 0;
    h = ens_hash128(m->base, m->map_bytes);
    return h.low == digest->low && h.high == digest->high;
}

/* A file that is not what it was when the run began. One that was replaced
 * left our map alone, and so did any change of a table, which is read from
 * its columnar copy. One that was changed in place may have been read either
 * way: no later run may build on that, even when it is put back. */
static enum ens_status judge(struct ens_run *r, size_t i,
                             const struct ens_file_id *now,
                             struct ens_error *err)
{
    struct ens_folder_input *in = &r->folder.input[i];
    const struct ens_mapped *m = &r->inputs.item[i];
    enum ens_status s = ENS_OK;

    if (now->device == m->id.device && now->inode == m->id.inode &&
        !m->has_digest && in->has_digest) {
        if (is_same(m, now, &in->digest))
            return ENS_OK;
        in->tainted = 1;
        s = ens_run_write_folder(r, err);
    }
    return s == ENS_OK ? changed(r, i, "was changed while the study ran", err)
                       : s;
}

enum ens_status ens_digest_end(struct ens_run *r, struct ens_error *err)
{
    while (r->digest_running)
        uv_run(&r->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < r->inputs.n; i++) {
        struct ens_file_id now;
        enum ens_status s = ens_mapped_id_now(&r->inputs.item[i], &now, err);

        if (s == ENS_OK && !ens_file_id_same(&now, &r->inputs.item[i].id))
            s = judge(r, i, &now, err);
        if (s != ENS_OK)
            return s;
    }
    /* it may have failed when the last task had ended already */
    if (r->digest_error.status != ENS_OK) {
        *err = r->digest_error;
        return (enum ens_status)err->status;
    }
    return ENS_OK;
}
