/* Members of the last layer in tables: weights, risks, predictions. */
#ifndef ENS_SUPERLEARNER_MEMBERS_H
#define ENS_SUPERLEARNER_MEMBERS_H

#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/steps.h"

#define ENS_SL_NAME 200 /* bytes of a learner's name */

/** A table being made. */
struct ens_sl_tables_at {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_tables_in *in;
    ens_table_row_fn *sink;
    void *arg;
    struct ens_sl sl;
    uint32_t n_layers;
    struct ens_sl_groups last; /* of the last layer */
    struct ens_sl_layer meta;  /* rows that all of these predict */
    size_t m;                  /* columns of a prediction of them */
    uint64_t n_members;
    const double *weights, *risks; /* arrays of those names; NULL: not yet */
    struct ens_buf *found;         /* of table search */
};

enum ens_status ens_sl_tables_open(struct ens_sl_tables_at *at,
                                   const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   struct ens_tables_in *in,
                                   struct ens_error *err);
/** Weight, risk and standard error of a member; NULL: it is none, or there are
 * none yet. */
const double *ens_sl_weight_of(const struct ens_sl_tables_at *at,
                               const struct ens_sl_layer *layer,
                               const struct ens_cell *cell, uint32_t partition);
/** Name of a learner without its case: "lasso[alpha=0.1]". */
void ens_sl_row_name(const struct ens_cell *cell, char *to, size_t cap);

/** Fields and rows of tables have the learner's group second; in studies
 * without groups it is taken out. row is changed. */
#define ENS_SL_GROUP_FIELD                                                     \
    {                                                                          \
        "group", ENS_TEXT, "", "group of the layer"                            \
    }
enum ens_status ens_sl_put_columns(const struct ens_study *study,
                                   const struct ens_field *f, size_t n,
                                   ens_table_column_fn *sink, void *arg,
                                   struct ens_error *err);
enum ens_status ens_sl_put_row(const struct ens_sl_tables_at *at,
                               union ens_table_value *row, size_t n,
                               struct ens_error *err);
union ens_table_value ens_sl_text(const char *text);

extern const struct ens_field ens_sl_weight_fields[8];
extern const struct ens_field ens_sl_risk_fields[5];
enum ens_status ens_sl_put_weights(const struct ens_sl_tables_at *at,
                                   struct ens_error *err);
enum ens_status ens_sl_put_risks(const struct ens_sl_tables_at *at,
                                 struct ens_error *err);
enum ens_status ens_sl_correlation_columns(const struct ens_host *host,
                                           const struct ens_plan *plan,
                                           struct ens_tables_in *in,
                                           ens_table_column_fn *sink, void *arg,
                                           struct ens_error *err);
enum ens_status ens_sl_put_correlations(const struct ens_sl_tables_at *at,
                                        struct ens_error *err);
enum ens_status ens_sl_prediction_columns(const struct ens_host *host,
                                          const struct ens_plan *plan,
                                          struct ens_tables_in *in,
                                          ens_table_column_fn *sink, void *arg,
                                          struct ens_error *err);
enum ens_status ens_sl_put_predictions(const struct ens_sl_tables_at *at,
                                       struct ens_error *err);

#endif
