/* What a supervisor and its workers cost: for reports and benchmarks. */
#ifndef ENS_TRANSPORT_COST_H
#define ENS_TRANSPORT_COST_H

#include "transport/relay.h"

struct ens_cost_meter { /* what is dear to read; zero it */
    uint64_t zygote_cpu_ns;
    uint64_t pss_bytes;    /* of this process, zygote, workers, programs */
    uint64_t worker_bytes; /* the most of its own that a worker had */
    uint64_t due_ns;       /* when to read memory again */
};

/** Read memory now. */
void ens_cost_memory(struct ens_cost_meter *m,
                     const struct ens_transport_ops *ops,
                     const struct ens_transport *t, uint32_t n_slots);
/** Read /proc: the zygote's CPU time, and memory when it is due. */
void ens_cost_refresh(struct ens_cost_meter *m,
                      const struct ens_transport_ops *ops,
                      const struct ens_transport *t, uint32_t n_slots);
/** Cheap: sums what is known. */
void ens_cost_read(const struct ens_cost_meter *m,
                   const struct ens_transport_ops *ops,
                   const struct ens_transport *t, uint32_t n_slots,
                   struct ens_relay_cost *cost);

/** User and system time of a process; 0 when it cannot be read. */
uint64_t ens_process_cpu_ns(int32_t pid);

#endif
