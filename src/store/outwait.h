/* Waiting for an owner of a results folder that cannot be asked from here
 * (another host, or another PID namespace) to stand still.
 *
 * DESIGN section 9: a taker waits until the owner's counter, read with a fresh
 * open, has not moved for `lock_wait` of the taker's own clock. An owner that
 * was only cut off finds the newer epoch before it acknowledges anything more.
 */
#ifndef ENS_STORE_OUTWAIT_H
#define ENS_STORE_OUTWAIT_H

#include "store/epoch.h"

struct ens_outwait {
    double wait_s;
    void *arg;
    /** Called now and then while waiting, at once for the first time; returns
     * nonzero to give up (ENS_ESTOPPED). */
    int (*waiting)(void *arg, const struct ens_epoch_info *owner,
                   double left_s);
};

/**
 * *still: the newest epoch, when its owner can neither be proved dead nor
 * alive and has stood still for wait_s; 0 when there is nothing to wait for
 * (ens_epoch_take_over then says whether the folder can be had).
 * ENS_ELOCKED: its counter moves.
 */
enum ens_status ens_epoch_outwait(const char *dir,
                                  const struct ens_outwait *how,
                                  uint32_t *still, struct ens_error *err);

#endif
