/* What kind `superlearner` does, for its table of functions. */
#ifndef ENS_SUPERLEARNER_KIND_H
#define ENS_SUPERLEARNER_KIND_H

#include <ensrun/kind.h>

#define ENS_SL_TYPES "superlearner|blend|subsemble|temporal|select"

enum ens_status ens_sl_plan(const struct ens_host *host, struct ens_plan *plan,
                            struct ens_error *err);
enum ens_status ens_sl_open(const struct ens_host *host,
                            const struct ens_plan *plan, void **state,
                            struct ens_error *err);
void ens_sl_close(void *state);
enum ens_status ens_sl_cell(void *state, const struct ens_cell *cell,
                            struct ens_error *err);
enum ens_status ens_sl_stage(void *state, const char *key, const void *data,
                             size_t bytes, struct ens_error *err);
enum ens_status ens_sl_run(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err);
enum ens_status ens_sl_next_stage(void *state, const char *key,
                                  uint32_t stage_index, struct ens_records *in,
                                  struct ens_plan *plan, struct ens_error *err);
enum ens_status ens_sl_array_shape(const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   const char *array,
                                   const struct ens_cell *cell, uint32_t *ndim,
                                   uint64_t *shape);
enum ens_status
ens_sl_array_region(const struct ens_host *host, const struct ens_plan *plan,
                    const char *array, const struct ens_cell *cell,
                    uint32_t replicate, uint64_t *first, uint64_t *n);
void ens_sl_label(const struct ens_plan *plan, const struct ens_task *task,
                  char *to, size_t cap);
enum ens_status ens_sl_tell_needs(const struct ens_host *host,
                                  const struct ens_plan *plan,
                                  ens_need_fn *sink, void *arg,
                                  struct ens_error *err);
int ens_sl_has_array(const struct ens_host *host, const struct ens_plan *plan,
                     const char *array, const struct ens_cell *cell);
uint32_t ens_sl_max_stages(const struct ens_host *host,
                           const struct ens_plan *plan);

#endif
