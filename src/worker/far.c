/* A worker on another host than the coordinator has no results folder: blocks
 * of arrays and artifacts go up as frames, in parts, ahead of the record that
 * speaks of them. The layout is in record/parcel.h. */
#include "worker/inside.h"

#include "base/clock.h"
#include "record/parcel.h"

#include <string.h>

/* Waiting for the coordinator is nobody's fault: the task's time-out does not
 * run meanwhile. */
static enum ens_status flush(struct ens_worker *w, struct ens_error *err)
{
    uint64_t start = ens_clock_ns();
    enum ens_status s = ens_worker_flush(w);

    atomic_fetch_add(&w->config.shared->start_ns, ens_clock_ns() - start);
    return s == ENS_OK ? s : ens_fail(err, s, "cannot send results");
}

/* No memory is asked for: the task may be at its limit. */
static enum ens_status send_part(struct ens_worker *w, enum ens_frame_type type,
                                 const struct ens_parcel *part,
                                 struct ens_error *err)
{
    size_t n = ens_parcel_bytes(part);
    unsigned char *to = ens_worker_frame_begin(w, type, n);

    if (to == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_parcel_write(to, part);
    ens_worker_frame_end(w, n);
    return w->out.len >= ENS_FRAME_MAX / 2 ? flush(w, err) : ENS_OK;
}

static enum ens_status send_all(struct ens_worker *w, enum ens_frame_type type,
                                struct ens_parcel *part, struct ens_error *err)
{
    uint64_t left = part->n;
    enum ens_status s = ENS_OK;

    while (s == ENS_OK && left > 0) {
        part->n = left < ENS_PARCEL_BYTES ? left : ENS_PARCEL_BYTES;
        s = send_part(w, type, part, err);
        part->offset += part->n;
        part->data += part->n;
        left -= part->n;
    }
    return s;
}

enum ens_status ens_far_pack(void *arg, uint64_t at, const void *data, size_t n,
                             struct ens_error *err)
{
    struct ens_parcel part = {.offset = at, .data = data, .n = n};

    return send_all(arg, ENS_FRAME_PACK, &part, err);
}

enum ens_status ens_far_block(struct ens_worker *w, const char *array,
                              uint64_t at, const void *data, uint64_t n,
                              struct ens_error *err)
{
    struct ens_parcel part = {.cell = w->task.cell.hash[0],
                              .offset = at,
                              .data = data,
                              .n = n,
                              .name = array,
                              .name_bytes = strlen(array)};

    if (data == NULL) /* a fill is one part, whatever its size */
        return send_part(w, ENS_FRAME_BLOCK, &part, err);
    return send_all(w, ENS_FRAME_BLOCK, &part, err);
}
