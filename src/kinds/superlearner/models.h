/* What is kept of a fit on all rows: artifact `model`.
 *
 * Little-endian: "ENSMODL1", u64 bytes of the fitted case, u64 bytes of the
 * model, u64 columns it saw; then both, each padded to 16 bytes. */
#ifndef ENS_SUPERLEARNER_MODELS_H
#define ENS_SUPERLEARNER_MODELS_H

#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/learn.h"

#define ENS_SL_MODEL_HEAD 32

enum ens_status ens_sl_model_keep(const struct ens_sl_learn *learn,
                                  const struct ens_sl_case *c,
                                  struct ens_error *err);
/** Parts of such an artifact; lent by it. ENS_EDOMAIN: damaged. */
struct ens_sl_model {
    const void *prep;
    size_t prep_bytes;
    struct ens_learn_model model;
};
enum ens_status ens_sl_model_read(const void *data, size_t bytes,
                                  struct ens_sl_model *model,
                                  struct ens_error *err);

#endif
