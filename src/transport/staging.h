/* `stage_inputs = node`: a copy of each input on storage of its node, one for
 * all ranks there. */
#ifndef ENS_TRANSPORT_STAGING_H
#define ENS_TRANSPORT_STAGING_H

#include "input/mapped.h"

/** Who shares a copy: n ranks of a host, of which this is one. */
struct ens_staging {
    uint32_t n; /* 0: nothing is copied */
    uint32_t index;
    uint64_t run_id; /* names the folder they meet in */
};

/**
 * Copy the file that is mapped for input i into $TMPDIR (default /tmp), or get
 * the copy that the host's rank of index 0 makes; blocks until it is there.
 * *fd is open for reading and has no name any more: nothing is left behind.
 * ENS_ENOSPACE: it does not fit.
 */
enum ens_status ens_stage_input(const struct ens_staging *s, size_t i,
                                const struct ens_mapped *m, int *fd,
                                struct ens_error *err);
/** All inputs are had: the last rank removes the folder. */
void ens_staging_done(const struct ens_staging *s);

#endif
