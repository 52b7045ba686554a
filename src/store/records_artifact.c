/* Artifacts of the records that kinds read. */
#include "record/record.h"
#include "store/pack.h"
#include "store/places.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void ens_records_drop_artifact(struct ens_records *in)
{
    if (in->artifact != NULL)
        munmap(in->artifact, in->artifact_bytes);
    in->artifact = NULL;
}

static int find(const struct ens_records *in, const char *item,
                struct ens_artifact_ref *ref)
{
    struct ens_item_view view;
    size_t at = 0, n = strlen(item);

    while (ens_item_next(&in->last, &at, &view))
        if (view.type == ENS_ITEM_ARTIFACT &&
            ens_artifact_ref_read(&view, ref) && ref->name_bytes == n &&
            memcmp(ref->name, item, n) == 0)
            return 1;
    return 0;
}

/* From the page that it begins in. */
static enum ens_status map(struct ens_records *in, int fd,
                           const struct ens_artifact_ref *ref,
                           const void **data, struct ens_error *err)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t before = ref->offset % page;
    size_t n = (size_t)(before + ref->length);
    void *p =
        mmap(NULL, n, PROT_READ, MAP_SHARED, fd, (off_t)(ref->offset - before));

    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map artifact %.*s",
                              (int)ref->name_bytes, ref->name);
    in->artifact = p;
    in->artifact_bytes = n;
    *data = (const char *)p + before;
    return ENS_OK;
}

enum ens_status ens_records_artifact(struct ens_records *in, const char *item,
                                     const void **data, size_t *bytes,
                                     struct ens_error *err)
{
    struct ens_artifact_ref ref;
    enum ens_status s;
    int fd;

    ens_records_drop_artifact(in);
    *data = NULL;
    *bytes = 0;
    if (!find(in, item, &ref))
        return ENS_OK;
    s = ens_pack_open(in->dir, in->last_epoch, &ref, &fd, err);
    if (s != ENS_OK)
        return s;
    s = ens_pack_check(fd, &ref, NULL, NULL, err);
    if (s == ENS_OK && ref.length > 0)
        s = map(in, fd, &ref, data, err);
    else if (s == ENS_OK)
        *data = "";
    close(fd);
    if (s == ENS_OK)
        *bytes = (size_t)ref.length;
    return s;
}
