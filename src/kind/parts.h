/* What a worker's generators, fitters, metrics and learners have opened. */
#ifndef ENS_KIND_PARTS_H
#define ENS_KIND_PARTS_H

#include <ensrun/kind.h>

typedef enum ens_status ens_part_open_fn(const struct ens_host *host,
                                         void **state, struct ens_error *err);
typedef void ens_part_close_fn(void *state);

struct ens_part {
    const void *ops; /* whose it is */
    void *state;
    ens_part_close_fn *close;
    ens_part_open_fn *open;
};

struct ens_parts {
    size_t n;
    struct ens_part *item;
};

/** The state of an implementation, opened when it is not yet; those of one
 * open share theirs. open, close may be NULL. */
enum ens_status ens_parts_get(struct ens_parts *parts,
                              const struct ens_part *part,
                              ens_part_open_fn *open,
                              const struct ens_host *host, void **state,
                              struct ens_error *err);
void ens_parts_close(struct ens_parts *parts);

#endif
