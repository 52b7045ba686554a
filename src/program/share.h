/* Numbers that a worker and its program exchange: a file in memory that both
 * have open. Written and read by copying, never mapped here: a program that
 * cuts the file short cannot take the worker down.
 */
#ifndef ENS_PROGRAM_SHARE_H
#define ENS_PROGRAM_SHARE_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_share {
    int fd;        /* -1: not open */
    uint64_t used; /* bytes */
};

enum ens_status ens_share_open(struct ens_share *s, struct ens_error *err);
void ens_share_close(struct ens_share *s);
/** Append n doubles; *at, in bytes, is where. `used` = 0 begins anew. */
enum ens_status ens_share_put(struct ens_share *s, const double *x, size_t n,
                              uint64_t *at, struct ens_error *err);
/** The same of bytes; what follows is aligned to 8 again. */
enum ens_status ens_share_put_bytes(struct ens_share *s, const void *p,
                                    size_t n, uint64_t *at,
                                    struct ens_error *err);
/** The first n bytes. ENS_EDOMAIN when there are not as many. */
enum ens_status ens_share_get_bytes(const struct ens_share *s, void *p,
                                    size_t n, struct ens_error *err);
/** The first n doubles. ENS_EDOMAIN when there are not as many. */
enum ens_status ens_share_get(const struct ens_share *s, double *x, size_t n,
                              struct ens_error *err);

#endif
