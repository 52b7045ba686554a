/* Groups of a layer: the layer's own, of learners that name none, and those
 * that [group NAME] describes and learners of the layer name. */
#ifndef ENS_SUPERLEARNER_GROUPS_H
#define ENS_SUPERLEARNER_GROUPS_H

#include "kinds/superlearner/shape.h"

/** Which there are, into *sl. ENS_ESTUDY: a name that none may have, too many,
 * one without a learner. */
enum ens_status ens_sl_find_groups(struct ens_sl *sl, struct ens_error *err);
/** The first group of a layer, "" its own (after NULL), and the next ones in
 * the order of their sections; NULL behind the last. */
const char *ens_sl_group_after(const struct ens_sl *sl, uint32_t number,
                               const char *group);
/** 0: the layer's own; 1 .. n_groups. */
uint32_t ens_sl_group_index(const struct ens_sl *sl, const char *group);
/** Number and group, no more, of the layer whose index maps rows (mapped_by):
 * it has one group. */
struct ens_sl_layer ens_sl_mapping(const struct ens_sl *sl, uint32_t mapped_by);
/** All of a layer's. */
struct ens_sl_groups {
    uint32_t n;
    struct ens_sl_layer of[ENS_SL_GROUPS + 1];
};
enum ens_status ens_sl_groups(const struct ens_sl *sl, uint32_t number,
                              struct ens_sl_groups *groups,
                              struct ens_error *err);
/** That of them which the cell is in; NULL: none. */
const struct ens_sl_layer *ens_sl_in_groups(const struct ens_sl_groups *groups,
                                            const struct ens_cell *cell);

#endif
