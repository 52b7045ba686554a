/* The course of a synthetic study: what `plan` declares, what `next` decides,
 * and the sums handed from stage to stage. */
#ifndef ENS_KINDS_SYNTHETIC_STAGES_H
#define ENS_KINDS_SYNTHETIC_STAGES_H

#include <ensrun/kind.h>

#define ENS_SYNTHETIC_KEY_BYTES 24u

/** "stage1", "block1": the names of stage number s = 1, 2 ... */
void ens_synthetic_key(char to[ENS_SYNTHETIC_KEY_BYTES], const char *stem,
                       uint32_t s);

enum ens_status ens_synthetic_plan(const struct ens_host *host,
                                   struct ens_plan *plan,
                                   struct ens_error *err);
/**
 * The stage after number s. A cell takes part when it took part in stage s,
 * has more stages, and its sum over stage s is not beyond its `decide`; those
 * with `alone` = s come back, of those with `alone` = s + 1 only the first goes
 * on. No cell left: no stage, the study ends. The sum of a cell: of its array,
 * in lanes; without arrays of the field `chain`, in task order.
 */
enum ens_status ens_synthetic_next(const struct ens_host *host, uint32_t s,
                                   struct ens_records *in,
                                   struct ens_plan *plan,
                                   struct ens_error *err);

/**
 * Stage data: per cell of the stage, by rising id, u64 cell id and f64 sum
 * over the stage before, little-endian. Sorted by id so that reordering the
 * rows of a study file changes nothing.
 * Sum of a cell; -1 when the data has none.
 */
int ens_synthetic_total(const void *data, size_t bytes, uint64_t cell_id,
                        double *total);

enum ens_status ens_synthetic_array_shape(const struct ens_host *host,
                                          const struct ens_plan *plan,
                                          const char *array,
                                          const struct ens_cell *cell,
                                          uint32_t *ndim, uint64_t *shape);
enum ens_status ens_synthetic_array_region(const struct ens_host *host,
                                           const struct ens_plan *plan,
                                           const char *array,
                                           const struct ens_cell *cell,
                                           uint32_t replicate, uint64_t *first,
                                           uint64_t *n);

#endif
