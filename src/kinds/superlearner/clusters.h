/* Partitions of subsemble that are clusters of rows. */
#ifndef ENS_SUPERLEARNER_CLUSTERS_H
#define ENS_SUPERLEARNER_CLUSTERS_H

#include "kinds/superlearner/shape.h"
#include "learn/labels.h"

/** The cluster of each of those rows, J of them; NULL: partitions are blocks
 * of rows. A function of settings and inputs alone. */
enum ens_status
ens_sl_clusters(const struct ens_sl *sl, const struct ens_sl_layer *layer,
                const struct ens_rowset *rows, struct ens_arena *arena,
                const struct ens_labels **labels, struct ens_error *err);

#endif
