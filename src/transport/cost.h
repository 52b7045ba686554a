/* What a supervisor and its workers cost: for reports and benchmarks. */
#ifndef ENS_TRANSPORT_COST_H
#define ENS_TRANSPORT_COST_H

#include "transport/relay.h"

struct ens_cost_meter { /* what is dear to read */
    uint64_t zygote_cpu_ns, pss_bytes, pss_read_ns;
};

/** Read /proc: the zygote's CPU time, and at most every ten seconds memory
 * (which walks page tables). */
void ens_cost_refresh(struct ens_cost_meter *m,
                      const struct ens_transport_ops *ops,
                      const struct ens_transport *t);
/** Cheap: sums what is known. */
void ens_cost_read(const struct ens_cost_meter *m,
                   const struct ens_transport_ops *ops,
                   const struct ens_transport *t, uint32_t n_slots,
                   struct ens_relay_cost *cost);

/** Of a process; 0 when it cannot be read. PSS counts shared pages by share;
 * private are pages that no other process maps. */
uint64_t ens_process_pss(int32_t pid);
uint64_t ens_process_private(int32_t pid);
uint64_t ens_process_cpu_ns(int32_t pid);

#endif
