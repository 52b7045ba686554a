/* What tasks of a stage read of the results folder (stage data, arrays of
 * earlier stages, what tasks of the first one kept), in parts, for a host that
 * does not see it. */
#ifndef ENS_TRANSPORT_MIRROR_H
#define ENS_TRANSPORT_MIRROR_H

#include "store/keepsakes.h"
#include "transport/relay.h"

struct ens_mirror {
    const struct ens_plan *plan;
    const char *dir;
    struct ens_stage stage; /* owned */
    int data_done;          /* stage data are through */
    size_t array, run;      /* the array that comes next, of the cells ... */
    uint64_t cell;          /* ... of that run of its holders, from there */
    struct ens_keepsakes keepsakes; /* n 0: none */
    uint64_t listed, kept;          /* places that went: of the list, of all */
    struct ens_relay_file file;
    int fd; /* of it; -1: none is open */
    uint64_t end;
    unsigned char *part;
};

/** Does it read anything? */
int ens_mirror_is_needed(const struct ens_stage *stage);
/** The stage is copied. Owned: ens_mirror_fini. */
enum ens_status ens_mirror_init(struct ens_mirror *m,
                                const struct ens_plan *plan, const char *dir,
                                const struct ens_stage *stage,
                                struct ens_error *err);
void ens_mirror_fini(struct ens_mirror *m);
/** Put the next FILE item into b; *more 0: there is no more, and none was
 * put. */
enum ens_status ens_mirror_next(struct ens_mirror *m, struct ens_buf *b,
                                int *more, struct ens_error *err);

#endif
