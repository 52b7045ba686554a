/* What tasks of the study's first stage kept, for those of a later one. */
#include "worker/inside.h"

#include <string.h>

void ens_kept_leave(struct ens_worker *w)
{
    if (w->has_keepsakes)
        ens_keepsakes_close(&w->keepsakes);
    w->has_keepsakes = 0;
}

static enum ens_status enter(struct ens_worker *w, struct ens_error *err)
{
    const struct ens_stage *first = &w->plan->stage[0];
    enum ens_status s;

    if (w->has_keepsakes)
        return ENS_OK;
    s = w->config.far
            ? ens_keepsakes_open_file(&w->keepsakes, w->config.dir, first, err)
            : ens_keepsakes_open(&w->keepsakes, w->config.dir, w->plan->study,
                                 first, err);
    w->has_keepsakes = s == ENS_OK;
    return s;
}

static enum ens_status read_kept(struct ens_worker *w, uint64_t place,
                                 int *found, struct ens_error *err)
{
    struct ens_artifact_ref ref;
    uint32_t epoch;
    enum ens_status s = enter(w, err);

    *found = 0;
    if (s == ENS_OK)
        s = ens_keepsakes_get(&w->keepsakes, place, &epoch, &ref, err);
    if (s != ENS_OK || epoch == 0)
        return s;
    ens_buf_clear(&w->kept);
    *found = 1;
    return ens_pack_read(w->config.dir, epoch, &ref, &w->kept, err);
}

enum ens_status ens_result_kept_by(struct ens_result *r, uint32_t replicate,
                                   const void **data, size_t *bytes,
                                   struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    uint64_t place = UINT64_MAX;
    int found = 0;
    enum ens_status s = ENS_OK;

    *data = NULL;
    *bytes = 0;
    if ((w->stage.flags & ENS_STAGE_KEEPSAKES) != 0 && !w->replay)
        place = ens_stage_place(&w->plan->stage[0], w->task.cell.ordinal,
                                replicate);
    if (place != UINT64_MAX)
        s = read_kept(w, place, &found, err);
    if (s != ENS_OK && s != ENS_ENOMEMORY && err != NULL)
        w->fatal = *err; /* the world's fault, not the task's */
    if (s == ENS_OK && found) {
        *data = w->kept.data;
        *bytes = w->kept.len;
    }
    return s;
}
