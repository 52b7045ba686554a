/* Chains as tasks of their own ([fit] chains_as_tasks): the stage "chains"
 * before the stage "fit". Task (r - 1) * chains + c of a cell is chain c of
 * replicate r: it keeps its draws, and the fit takes them; those that are
 * not there it draws itself, to the same bits. So results do not depend on
 * the setting, which is of class run. */
#ifndef ENS_KINDS_SIMULATION_CHAINS_H
#define ENS_KINDS_SIMULATION_CHAINS_H

#include <ensrun/kind.h>

#define ENS_SIMULATION_FIT    "fit"
#define ENS_SIMULATION_CHAINS "chains"

/** Chains of a cell that are tasks of their own; 0: none are. */
uint32_t ens_simulation_chains(const struct ens_cell *cell);
/** The task of which a task of the stage "chains" is a part: streams become
 * that one's. Returns the chain, from 1; 0: it is a task of another stage, and
 * *whole the same. */
uint32_t ens_simulation_whole(const struct ens_host *host,
                              struct ens_result *result,
                              const struct ens_task *task,
                              struct ens_task *whole);
/** The first stage of a study. */
enum ens_status ens_simulation_first(const struct ens_host *host,
                                     struct ens_plan *plan,
                                     struct ens_error *err);

#endif
