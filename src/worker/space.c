#include "worker/inside.h"

#include "base/clock.h"

#include <time.h>

#define RETRY_NS 100000000L

enum ens_status
ens_worker_write(struct ens_worker *w,
                 enum ens_status (*write)(void *arg, struct ens_error *err),
                 void *arg)
{
    const struct timespec pause = {0, RETRY_NS};
    struct ens_slot *slot = w->config.shared;
    uint32_t phase = atomic_load(&slot->phase);
    struct ens_error local;
    enum ens_status s = write(arg, &local);
    uint64_t start = 0;

    if (s == ENS_ENOSPACE)
        start = ens_clock_ns();
    while (s == ENS_ENOSPACE &&
           (double)(ens_clock_ns() - start) < w->disk_wait_s * 1e9) {
        ens_worker_phase(w, ENS_PHASE_SENDING); /* no time-out runs */
        nanosleep(&pause, NULL);
        s = write(arg, &local);
    }
    if (start > 0) {
        atomic_fetch_add(&slot->start_ns, ens_clock_ns() - start);
        ens_worker_phase(w, (enum ens_phase)phase);
    }
    if (s != ENS_OK)
        w->fatal = local;
    return s;
}
