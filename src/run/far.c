/* What workers elsewhere would have written into the results folder: parts
 * of output arrays and packs, written as they come. */
#include "base/clock.h"
#include "record/parcel.h"
#include "run/state.h"
#include "store/array.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ens_far_fini(struct ens_run *r)
{
    if (r->far.pack.io != NULL)
        ens_pack_fini(&r->far.pack);
    if (r->far.array_name[0] != '\0')
        close(r->far.array_fd);
    r->far.array_name[0] = '\0';
    ens_buf_fini(&r->far.stuck);
}

static enum ens_status write_pack(struct ens_run *r, uint32_t slot,
                                  const struct ens_parcel *part,
                                  struct ens_error *err)
{
    struct ens_pack *p = &r->far.pack;

    if (part->data == NULL)
        return ens_fail(err, ENS_EPROTOCOL, "bad part of an artifact");
    if (p->io != NULL && p->slot != slot) /* they send one after another */
        ens_pack_fini(p);
    if (p->io == NULL || p->slot != slot)
        ens_pack_init(p, r->dir, r->epoch.number, slot, r->io);
    return ens_pack_write(p, part->offset, part->data, (size_t)part->n, err);
}

/* Point r->far at the array that a part belongs to. */
static enum ens_status open_array(struct ens_run *r,
                                  const struct ens_parcel *part,
                                  struct ens_error *err)
{
    struct ens_far *f = &r->far;
    char name[ENS_STAGE_KEY_MAX + 1];
    struct stat st;
    enum ens_status s;
    int fd;

    if (part->name_bytes == 0 || part->name_bytes >= sizeof(name))
        return ens_fail(err, ENS_EPROTOCOL, "bad part of an array");
    memcpy(name, part->name, part->name_bytes);
    name[part->name_bytes] = '\0';
    if (f->array_cell == part->cell && strcmp(f->array_name, name) == 0)
        return ENS_OK;
    if (ens_plan_find_array(&r->plan, name) == NULL)
        return ens_fail(err, ENS_EPROTOCOL, "part of an unknown array");
    s = ens_array_open(r->dir, name, part->cell, &fd, &f->array_at, err);
    if (s != ENS_OK)
        return s;
    if (f->array_name[0] != '\0')
        close(f->array_fd);
    f->array_fd = fd;
    f->array_cell = part->cell;
    memcpy(f->array_name, name, sizeof(name));
    f->array_bytes = fstat(fd, &st) == 0 && (uint64_t)st.st_size > f->array_at
                         ? (uint64_t)st.st_size - f->array_at
                         : 0;
    return ENS_OK;
}

static enum ens_status write_block(struct ens_run *r,
                                   const struct ens_parcel *part,
                                   struct ens_error *err)
{
    const struct ens_far *f = &r->far;
    enum ens_status s = open_array(r, part, err);

    if (s != ENS_OK)
        return s;
    if (part->offset + part->n > f->array_bytes || part->offset % 8 != 0)
        return ens_fail(err, ENS_EPROTOCOL, "part outside of array %s",
                        f->array_name);
    if (part->data != NULL)
        return ens_array_write(f->array_fd, f->array_at, 1, part->offset,
                               part->n, part->data, r->io, err);
    return ens_array_fill(f->array_fd, f->array_at,
                          ens_plan_find_array(&r->plan, f->array_name)->dtype,
                          part->offset / 8, part->n / 8, r->io, err);
}

static enum ens_status put(struct ens_run *r, const struct ens_frame *f,
                           struct ens_error *err)
{
    struct ens_parcel part;
    enum ens_status s = ens_parcel_read(&part, f->payload, f->length, err);

    if (s != ENS_OK)
        return s;
    return f->type == ENS_FRAME_PACK ? write_pack(r, f->slot, &part, err)
                                     : write_block(r, &part, err);
}

void ens_far_take(struct ens_run *r, const struct ens_frame *f,
                  const void *bytes, size_t n)
{
    struct ens_error err;
    enum ens_status s = put(r, f, &err);

    if (s == ENS_ENOSPACE && r->far.stuck.len == 0) {
        ens_buf_put(&r->far.stuck, bytes, n);
        r->far.stuck_ns = ens_clock_ns();
        ens_commit_poll(r); /* nothing more may come until it is written */
    } else if (s != ENS_OK) {
        ens_run_break(r, &err);
    }
}

int ens_far_is_stuck(struct ens_run *r)
{
    struct ens_far *far = &r->far;
    double waited = (double)(ens_clock_ns() - far->stuck_ns) / 1e9;
    struct ens_error err;
    struct ens_frame f;
    enum ens_status s = ENS_OK;

    if (far->stuck.len == 0)
        return 0;
    if (ens_frame_read(&f, far->stuck.data, far->stuck.len, r->epoch.run_id) ==
        ENS_FRAME_GOOD)
        s = put(r, &f, &err);
    if (s == ENS_ENOSPACE && waited < ens_run_value(r, "disk_wait")->d)
        return 1;
    ens_buf_clear(&far->stuck);
    if (s != ENS_OK)
        ens_run_break(r, &err);
    return 0;
}
