/* What a worker process may use. */
#ifndef ENS_WORKER_LIMITS_H
#define ENS_WORKER_LIMITS_H

#include <ensrun/error.h>
#include <stdint.h>

/** Private memory (RLIMIT_DATA): what is in use now plus `bytes`. Not
 * RLIMIT_AS, which would count the mapped inputs. */
enum ens_status ens_limit_memory(uint64_t bytes, struct ens_error *err);
/** When memory runs out, a worker goes first. */
void ens_limit_oom_first(void);

#endif
