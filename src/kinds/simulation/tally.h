/* A cell's records on their way to the rows of cells.csv. */
#ifndef ENS_KINDS_SIMULATION_TALLY_H
#define ENS_KINDS_SIMULATION_TALLY_H

#include "kinds/simulation/measures/choice.h"
#include "kinds/simulation/measures/limits.h"
#include "kinds/simulation/measures/quantiles.h"
#include "kinds/simulation/model.h"
#include "kinds/simulation/ranks.h"

/** What is told of a cell's records, and where in them it is. */
struct ens_tally_cell {
    struct ens_cell cell;
    struct ens_data_shape shape;
    struct ens_simulation_model model;
    struct ens_simulation_layout layout;
};

struct ens_tally_parameter {
    size_t truth, other; /* fields; SIZE_MAX: not known */
    double null;
    struct ens_joint error; /* for the centre */
};

/** A pass over the records, and what is done to the figures. */
enum ens_tally_pass {
    ENS_TALLY_SUM,       /* all that can be summed */
    ENS_TALLY_CENTRE,    /* those that need the centre */
    ENS_TALLY_RANK,      /* simulation-based calibration */
    ENS_TALLY_SELECT,    /* quantiles; as often as it takes */
    ENS_TALLY_LEAVE_OUT, /* the jackknife */
    ENS_TALLY_PASSES
};

struct ens_tally {
    struct ens_arena arena;
    struct ens_choice choice;
    struct ens_simulation_metrics metrics;
    struct ens_tally_cell own;
    struct ens_tally_cell other; /* compared with */
    int has_other;
    struct ens_tally_parameter *parameter; /* own.model.n_shown */
    size_t *other_column;                  /* of each metric's */
    size_t n;
    struct ens_figure *figure;
    struct ens_figures figures;
    struct ens_quantile *quantile; /* n, of those that are */
    struct ens_limits *limits;     /* n, of those at a level */
    size_t (*columns)[2]; /* n: low, high that tasks computed; SIZE_MAX */
    int has_centre;
    size_t n_ranks;
    struct ens_ranks *ranks; /* of each metric rank and parameter */
    uint64_t n_records, seed, stream;
};

/** The cell of the row `compare` with this cell's data; 0: there is none,
 * or it is this one. Errors: several that agree with its axes. */
enum ens_status ens_tally_other(const struct ens_host *host,
                                const struct ens_plan *plan,
                                const struct ens_cell *cell,
                                const char *compare, struct ens_cell *other,
                                int *found, struct ens_error *err);

/** A column of the cell by name; SIZE_MAX. */
size_t ens_tally_field(const struct ens_tally_cell *c, const char *name);
/** Make the list of figures, and room for their sums. */
enum ens_status ens_tally_figures(struct ens_tally *t, struct ens_error *err);

enum ens_status ens_tally_new(struct ens_tally **t, const struct ens_host *host,
                              const struct ens_plan *plan,
                              const struct ens_cell *cell,
                              struct ens_error *err);
void ens_tally_free(struct ens_tally *t);

struct ens_tally_record {
    const struct ens_record *rec;
    const struct ens_schema *schema;
};
/** A record in a pass; other: that of the same replicate, rec NULL: none. */
void ens_tally_see(struct ens_tally *t, enum ens_tally_pass pass,
                   struct ens_tally_record own, struct ens_tally_record other);
/** Is there work for a pass? Before it begins. */
enum ens_status ens_tally_begin(struct ens_tally *t, enum ens_tally_pass pass,
                                int *needed, struct ens_error *err);
/** After a pass; 1: once more. */
int ens_tally_again(struct ens_tally *t, enum ens_tally_pass pass);
/** Hand the rows over; one_pass: only those that ENS_TALLY_SUM completes. */
enum ens_status ens_tally_rows(struct ens_tally *t, int one_pass,
                               ens_measure_fn *sink, void *arg,
                               struct ens_error *err);

#endif
