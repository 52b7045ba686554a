#include "store/outwait.h"

#include "base/clock.h"

#include <time.h>

#define LOOK_NS 100000000L

/* Again from the beginning when another epoch came meanwhile. */
static enum ens_status watch(const char *dir, const struct ens_outwait *how,
                             const struct ens_epoch_info *owner,
                             uint32_t *still, struct ens_error *err)
{
    const struct timespec pause = {0, LOOK_NS};
    uint64_t start = ens_clock_ns();
    struct ens_epoch_info now;
    enum ens_status s;

    for (;;) {
        double left = how->wait_s - (double)(ens_clock_ns() - start) / 1e9;

        if (left <= 0) {
            *still = owner->number;
            return ENS_OK;
        }
        if (how->waiting != NULL && how->waiting(how->arg, owner, left))
            return ens_fail(err, ENS_ESTOPPED, "stopped by a signal");
        nanosleep(&pause, NULL);
        if (ens_epoch_newest(dir) != owner->number)
            return ENS_OK;
        s = ens_epoch_read(&now, dir, owner->number, err);
        if (s != ENS_OK || !now.alive)
            return s;
        if (now.counter != owner->counter)
            return ens_fail(err, ENS_ELOCKED,
                            "results folder %s is in use by process %lld on "
                            "%s (epoch %u): its heartbeat goes on",
                            dir, (long long)owner->pid, owner->host,
                            owner->number);
    }
}

enum ens_status ens_epoch_outwait(const char *dir,
                                  const struct ens_outwait *how,
                                  uint32_t *still, struct ens_error *err)
{
    struct ens_epoch_info owner;
    enum ens_status s = ENS_OK;
    uint32_t newest;

    *still = 0;
    do {
        newest = ens_epoch_newest(dir);
        if (newest == 0)
            return ENS_OK;
        s = ens_epoch_read(&owner, dir, newest, err);
        if (s != ENS_OK || !owner.alive || owner.here)
            return s;
        s = watch(dir, how, &owner, still, err);
    } while (s == ENS_OK && *still == 0 && ens_epoch_newest(dir) != newest);
    return s;
}
