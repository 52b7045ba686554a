/* A folder on a host that does not see the results folder: what its workers
 * read of that, and their own folders. One per host and run. */
#ifndef ENS_TRANSPORT_SCRATCH_H
#define ENS_TRANSPORT_SCRATCH_H

#include "transport/relay.h"

/** Make $TMPDIR/ensrun-RUN-HOST (default /tmp), or join the other ranks' of
 * this host; *o says which folder it is, *hold is to be closed when it is not
 * used any more. Nobody but this user may enter it. Those of this user on this
 * host that nobody holds are removed: their processes were all killed. */
enum ens_status ens_scratch_make(char *dir, size_t cap, uint64_t run_id,
                                 struct ens_relay_opened *o, int *hold,
                                 struct ens_error *err);
/** Write a part of a file in it. */
enum ens_status ens_scratch_write(const char *dir,
                                  const struct ens_relay_file *f,
                                  struct ens_error *err);
/** Remove those files. */
void ens_scratch_forget(const char *dir);
/** Remove the folder, also when another rank does so too. */
void ens_scratch_remove(const char *dir);

#endif
