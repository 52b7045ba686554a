/* A cell of a simulation, made ready: its generator, fitter and formula. */
#ifndef ENS_KINDS_SIMULATION_MODEL_H
#define ENS_KINDS_SIMULATION_MODEL_H

#include "fit/design.h"
#include "fit/fitter.h"
#include <ensrun/metric.h>
#include "kinds/simulation/generators/generators.h"

/* Fields of a task, p each: the parts of NAME__TERM, in this order. */
#define ENS_SIMULATION_PARTS(X)                                                \
    X(ESTIMATE, "estimate", "estimate of")                                     \
    X(STD_ERROR, "std_error", "standard error of")                             \
    X(CONF_LOW, "conf_low", "lower confidence limit of")                       \
    X(CONF_HIGH, "conf_high", "upper confidence limit of")

enum ens_simulation_part {
#define ENS_SIMULATION_ENUM(name, text, help) ENS_SIM_##name,
    ENS_SIMULATION_PARTS(ENS_SIMULATION_ENUM)
#undef ENS_SIMULATION_ENUM
        ENS_SIM_PARTS
};

/** What a cell says: its fit row, over its data. */
struct ens_simulation_model {
    const struct ens_fitter *fitter;
    struct ens_fit_options options;
    int has_formula; /* else `formula` has no terms, and the design none but
                        the names of what is estimated */
    struct ens_formula *formula;
    struct ens_design design;    /* over the cell's data */
    struct ens_fit_group *group; /* design.n_groups; without rows */
    size_t n_parameters;         /* terms, then those the fitter adds */
    const char **parameter;
    size_t n_shown; /* those with columns */
    const char **shown;
    size_t *place;     /* of the shown among all */
    size_t *truth_of;  /* of the shown among the shape's; SIZE_MAX: none */
    size_t n_truths;   /* shown that have one */
    const char **term; /* of the design */
};

#define ENS_SIMULATION_MAX_METRICS 32
#define ENS_SIMULATION_MAX_OWN     12 /* columns of a metric with `columns` */
/* Metrics have no columns for the parameters of larger models: what they give
 * of each is in the artifact "metrics". */
#define ENS_SIMULATION_MAX_PARAMETERS 50
#define ENS_SIMULATION_MAX_FIELDS     256 /* of a program */
#define ENS_SIMULATION_MAX_LIMITS     8

/** The metrics of [metrics] use that tasks compute. */
struct ens_simulation_metrics {
    size_t n;
    struct ens_simulation_metric {
        const struct ens_metric *ops;
        const struct ens_call *call;
        const char *name; /* in columns, "" for none; "metric.NAME" is its
                             stream */
        int unasked;      /* of `limits` below: no rows in cells.csv */
        int required;     /* its failure is the task's */
        size_t n_fields;
        const struct ens_metric_field *field; /* of this call */
        struct ens_metric_field own[ENS_SIMULATION_MAX_OWN];
        char own_name[ENS_SIMULATION_MAX_OWN][ENS_METRIC_NAME];
    } item[ENS_SIMULATION_MAX_METRICS + 1];
    struct ens_metric_field field[ENS_SIMULATION_MAX_FIELDS]; /* of [metrics]
                                                                 run */
    struct ens_simulation_limits { /* of draws, at levels of measures */
        struct ens_call call;
        struct ens_call_arg arg;
        char name[48], level[32];
    } limits[ENS_SIMULATION_MAX_LIMITS];
};

/** Levels at which measures need limits that fits with draws do not have;
 * *n of them. ENS_ESTUDY: too many. */
enum ens_status ens_simulation_levels(const struct ens_study *study,
                                      double level[ENS_SIMULATION_MAX_LIMITS],
                                      size_t *n, struct ens_error *err);
/** Slot of the kind: what settings of class run make tasks compute. */
void ens_simulation_computed(const struct ens_study *study, char *to,
                             size_t cap);

/** Lent by the study; where m is, it stays. ENS_ESTUDY: a call's arguments. */
enum ens_status ens_simulation_metrics(const struct ens_study *study,
                                       struct ens_simulation_metrics *m,
                                       struct ens_error *err);
/** What all of them, or those that are required, need, of enum ens_needs. */
unsigned ens_simulation_needs(const struct ens_simulation_metrics *m,
                              int required);
/** Columns of a field, and of a metric, for a model of p parameters. */
size_t ens_simulation_field_columns(const struct ens_metric_field *f, size_t p);
size_t ens_simulation_metric_columns(const struct ens_simulation_metric *m,
                                     size_t p);
/** Compute all of them into their fields, from `field` on, and the artifact;
 * those that fail are named in the field behind.
 * state[n] of each; in->call and in->name are set here. */
enum ens_status ens_simulation_compute(const struct ens_job *job,
                                       const struct ens_simulation_metrics *all,
                                       void *const *state,
                                       const struct ens_metric_input *in,
                                       uint32_t field, struct ens_error *err);

/** Kept in the arena. Errors name the row of the study. */
enum ens_status ens_simulation_model(struct ens_simulation_model *m,
                                     const struct ens_cell *cell,
                                     const struct ens_data_shape *shape,
                                     struct ens_arena *arena,
                                     struct ens_error *err);
/** Shape of the cell's data, kept in the arena; errors name the row. */
enum ens_status
ens_simulation_shape(struct ens_data_shape *shape, const struct ens_cell *cell,
                     const struct ens_host *host, const struct ens_plan *plan,
                     struct ens_arena *arena, struct ens_error *err);
/** Columns of a cell's tasks: ENS_SIM_PARTS of each parameter shown, part by
 * part; truths; meta numbers; diagnostics; metrics; which of them failed. */
struct ens_simulation_layout {
    size_t n;
    const struct ens_field *field;
    uint32_t truth, meta, diagnostics, metrics; /* where they begin */
    uint32_t errors; /* where metrics end; a text, when there are any */
};
/** Kept in the arena. */
enum ens_status
ens_simulation_layout(struct ens_simulation_layout *l,
                      const struct ens_simulation_model *m,
                      const struct ens_data_shape *shape,
                      const struct ens_simulation_metrics *metrics,
                      struct ens_arena *arena, struct ens_error *err);

/** Check [metrics] use: names and arguments. */
enum ens_status ens_simulation_check_metrics(const struct ens_study *study,
                                             struct ens_error *err);

/* Slots of the kind (plan.c, chains.c, task.c, measures.c). */
enum ens_status ens_simulation_plan(const struct ens_host *host,
                                    struct ens_plan *plan,
                                    struct ens_error *err);
uint32_t ens_simulation_max_stages(const struct ens_host *host,
                                   const struct ens_plan *plan);
enum ens_status ens_simulation_next(void *state, const char *key,
                                    uint32_t stage_index,
                                    struct ens_records *in,
                                    struct ens_plan *plan,
                                    struct ens_error *err);
void ens_simulation_label(const struct ens_plan *plan,
                          const struct ens_task *task, char *to, size_t cap);
enum ens_status ens_simulation_open(const struct ens_host *host,
                                    const struct ens_plan *plan, void **state,
                                    struct ens_error *err);
void ens_simulation_close(void *state);
enum ens_status ens_simulation_cell(void *state, const struct ens_cell *cell,
                                    struct ens_error *err);
enum ens_status ens_simulation_run(void *state, const struct ens_task *task,
                                   struct ens_result *result,
                                   struct ens_error *err);
enum ens_status ens_simulation_measures(const struct ens_host *host,
                                        const struct ens_plan *plan,
                                        const struct ens_cell *cell,
                                        struct ens_records *in,
                                        ens_measure_fn *sink, void *arg,
                                        struct ens_error *err);
enum ens_status ens_simulation_tally_new(const struct ens_host *host,
                                         const struct ens_plan *plan,
                                         const struct ens_cell *cell,
                                         void **tally, struct ens_error *err);
void ens_simulation_tally_free(void *tally);
enum ens_status ens_simulation_tally_add(void *tally,
                                         const struct ens_record *rec,
                                         const struct ens_schema *schema,
                                         struct ens_error *err);
enum ens_status ens_simulation_tally_rows(void *tally, ens_measure_fn *sink,
                                          void *arg, struct ens_error *err);

/** The schemas of a plan, in the order it declares them: lists of columns that
 * differ. A formula may have several, over different data (levels, '.').
 * Kept in the arena. */
struct ens_simulation_schemas {
    uint32_t n, cap;
    struct ens_simulation_layout *item;
};
enum ens_status ens_simulation_schemas(struct ens_simulation_schemas *s,
                                       const struct ens_host *host,
                                       const struct ens_plan *plan,
                                       struct ens_arena *arena,
                                       struct ens_error *err);
/** Check what [metrics] says of terms and fits. */
enum ens_status ens_simulation_check_measures(
    const struct ens_host *host, const struct ens_plan *plan,
    const struct ens_simulation_schemas *schemas, struct ens_error *err);
/** The schema of a layout; n when there is none. */
uint32_t ens_simulation_schema(const struct ens_simulation_schemas *s,
                               const struct ens_simulation_layout *l);

#endif
