#include "artifact/object.h"

#include "store/pack.h"

#include <unistd.h>

void ens_objects_init(struct ens_objects *o, const char *dir,
                      const struct ens_record *record, uint32_t epoch)
{
    o->dir = dir;
    o->record = record;
    o->epoch = epoch;
    o->at = 0;
    o->fd = -1;
    o->in_bundle = 0;
}

void ens_objects_fini(struct ens_objects *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

/* The next artifact of the record, opened; *more 0: there is none. */
static enum ens_status next_artifact(struct ens_objects *o, int *more,
                                     struct ens_artifact_ref *ref,
                                     struct ens_error *err)
{
    struct ens_item_view item;

    ens_objects_fini(o);
    *more = 0;
    while (!*more && ens_item_next(o->record, &o->at, &item))
        *more =
            item.type == ENS_ITEM_ARTIFACT && ens_artifact_ref_read(&item, ref);
    return *more ? ens_pack_open(o->dir, o->epoch, ref, &o->fd, err) : ENS_OK;
}

enum ens_status ens_objects_next(struct ens_objects *o, int *more,
                                 struct ens_object *object,
                                 struct ens_error *err)
{
    struct ens_bundle_file file;
    struct ens_artifact_ref ref;
    enum ens_status s;

    for (;;) {
        if (o->in_bundle) {
            s = ens_bundle_next(&o->bundle, more, &file, err);
            o->in_bundle = s == ENS_OK && *more;
            *object = (struct ens_object){
                file.name,   file.name_bytes, 1,        o->fd,
                file.offset, file.length,     file.hash};
            if (s != ENS_OK || *more)
                return s;
        }
        s = next_artifact(o, more, &ref, err);
        if (s != ENS_OK || !*more)
            return s;
        o->in_bundle = ens_bundle_is(o->fd, ref.offset, ref.length);
        *object =
            (struct ens_object){ref.name,   ref.name_bytes, 0,       o->fd,
                                ref.offset, ref.length,     ref.hash};
        if (!o->in_bundle)
            return ENS_OK;
        ens_bundle_init(&o->bundle, o->fd, ref.offset, ref.length);
    }
}
