/* gzip, zstd and bare deflate (of zip), unpacked as a stream: bytes pushed in
 * by blocks, handed out by a callback. */
#ifndef ENS_INPUT_INFLATE_H
#define ENS_INPUT_INFLATE_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

enum ens_packing {
    ENS_PACKED_NOT,
    ENS_PACKED_GZIP,
    ENS_PACKED_ZSTD,
    ENS_PACKED_DEFLATE
};

/** How a file is packed, by its first bytes; never deflate, which has none of
 * its own. */
enum ens_packing ens_packing_of(const void *head, size_t n);

struct ens_inflate;

typedef enum ens_status ens_inflate_fn(void *arg, const char *p, size_t n,
                                       struct ens_error *err);

/** NULL when out of memory. */
struct ens_inflate *ens_inflate_new(enum ens_packing packing);
void ens_inflate_free(struct ens_inflate *i);
/** ENS_EINPUT with the packed byte where it is damaged; what sink returned. */
enum ens_status ens_inflate_push(struct ens_inflate *i, const void *p, size_t n,
                                 ens_inflate_fn *sink, void *arg,
                                 struct ens_error *err);
/** The end of the file: ENS_EINPUT when it is cut. */
enum ens_status ens_inflate_finish(struct ens_inflate *i,
                                   struct ens_error *err);

/** The first bytes of what is packed, at most cap; 0 when damaged. */
size_t ens_inflate_head(enum ens_packing packing, const void *p, size_t n,
                        char *to, size_t cap);

#endif
