#include "store/keepsakes.h"

#include "base/file.h"
#include "record/little.h"
#include "record/record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum ens_status ens_keepsakes_open(struct ens_keepsakes *k, const char *dir,
                                   const struct ens_study *study,
                                   const struct ens_stage *stage,
                                   struct ens_error *err)
{
    enum ens_status s;

    memset(k, 0, sizeof(*k));
    k->fd = -1;
    k->n = ens_stage_n_tasks(stage);
    s = ens_log_open(&k->log, dir, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_places_build(&k->places, dir, &k->log, NULL, study, stage, err);
    if (s != ENS_OK)
        ens_log_close(&k->log);
    return s;
}

enum ens_status ens_keepsakes_open_file(struct ens_keepsakes *k,
                                        const char *dir,
                                        const struct ens_stage *stage,
                                        struct ens_error *err)
{
    char path[PATH_MAX];

    memset(k, 0, sizeof(*k));
    k->n = ens_stage_n_tasks(stage);
    snprintf(path, sizeof(path), "%.4000s/" ENS_KEEPSAKE_FILE, dir);
    k->fd = open(path, O_RDONLY | O_CLOEXEC);
    return k->fd >= 0 ? ENS_OK
                      : ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
}

void ens_keepsakes_close(struct ens_keepsakes *k)
{
    if (k->places == NULL) {
        close(k->fd);
        return;
    }
    ens_places_free(k->places);
    ens_log_close(&k->log);
}

void ens_keepsake_write(unsigned char to[ENS_KEEPSAKE_BYTES], uint32_t epoch,
                        const struct ens_artifact_ref *ref)
{
    ens_put64(to, epoch);
    ens_put64(to + 8, ref->slot);
    ens_put64(to + 16, ref->offset);
    ens_put64(to + 24, ref->length);
    ens_put64(to + 32, ref->hash);
}

static enum ens_status get_from_file(const struct ens_keepsakes *k,
                                     uint64_t place, uint32_t *epoch,
                                     struct ens_artifact_ref *ref,
                                     struct ens_error *err)
{
    unsigned char from[ENS_KEEPSAKE_BYTES];

    if (ens_read_all(k->fd, from, sizeof(from), place * sizeof(from)) != 0)
        return ens_fail_errno(err, ENS_EIO,
                              "cannot read " ENS_KEEPSAKE_FILE " of place %llu",
                              (unsigned long long)place);
    *epoch = (uint32_t)ens_get64(from);
    ref->slot = (uint32_t)ens_get64(from + 8);
    ref->offset = ens_get64(from + 16);
    ref->length = ens_get64(from + 24);
    ref->hash = ens_get64(from + 32);
    return ENS_OK;
}

enum ens_status ens_keepsakes_get(const struct ens_keepsakes *k, uint64_t place,
                                  uint32_t *epoch, struct ens_artifact_ref *ref,
                                  struct ens_error *err)
{
    struct ens_item_view item;
    struct ens_record r;

    memset(ref, 0, sizeof(*ref));
    *epoch = 0;
    if (place >= k->n)
        return ENS_OK;
    if (k->places == NULL)
        return get_from_file(k, place, epoch, ref, err);
    if (!ens_places_get(k->places, place, &r, epoch))
        *epoch = 0;
    else if (!ens_item_find(&r, ENS_ITEM_ARTIFACT, &item) ||
             !ens_artifact_ref_read(&item, ref))
        *epoch = 0;
    ref->name = NULL; /* it was the journal's */
    ref->name_bytes = 0;
    return ENS_OK;
}
