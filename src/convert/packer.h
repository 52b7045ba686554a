/* Text on its way out, perhaps packed by gzip or zstd. */
#ifndef ENS_CONVERT_PACKER_H
#define ENS_CONVERT_PACKER_H

#include "export/out.h"
#include "input/inflate.h"

struct ens_packer;

/** To `out`, which is lent. NULL when out of memory. */
struct ens_packer *ens_packer_new(enum ens_packing packing,
                                  struct ens_out *out);
/** Room for n bytes (at most 64 KiB), to be counted by ens_packer_used. */
char *ens_packer_room(struct ens_packer *p, size_t n);
void ens_packer_used(struct ens_packer *p, size_t n);
void ens_packer_put(struct ens_packer *p, const void *from, size_t n);
/** Hand over all that was put: ENS_ENOMEMORY, ENS_EIO. Failures of `out` are
 * sticky there. */
enum ens_status ens_packer_finish(struct ens_packer *p, struct ens_error *err);
void ens_packer_free(struct ens_packer *p);

#endif
