/* Arrays of an embedding program: .npy files in memfds. */
#ifndef ENS_EMBED_ARRAY_H
#define ENS_EMBED_ARRAY_H

#include <ensrun/run.h>

/** Make it read-only for everybody, and for ever; its descriptor, lent. */
enum ens_status ens_array_seal(struct ens_array *array, int *fd,
                               struct ens_error *err);

#endif
