/* Text on its way out, perhaps packed by gzip or zstd. */
#ifndef ENS_CONVERT_PACK_H
#define ENS_CONVERT_PACK_H

#include "export/out.h"
#include "input/inflate.h"

struct ens_pack;

/** To `out`, which is lent. NULL when out of memory. */
struct ens_pack *ens_pack_new(enum ens_packing packing, struct ens_out *out);
/** Room for n bytes (at most 64 KiB), to be counted by ens_pack_used. */
char *ens_pack_room(struct ens_pack *p, size_t n);
void ens_pack_used(struct ens_pack *p, size_t n);
void ens_pack_put(struct ens_pack *p, const void *from, size_t n);
/** Hand over all that was put: ENS_ENOMEMORY, ENS_EIO. Failures of `out` are
 * sticky there. */
enum ens_status ens_pack_finish(struct ens_pack *p, struct ens_error *err);
void ens_pack_free(struct ens_pack *p);

#endif
