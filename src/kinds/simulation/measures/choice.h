/* What [metrics] says of measures: which, of which terms, how. */
#ifndef ENS_KINDS_SIMULATION_MEASURES_CHOICE_H
#define ENS_KINDS_SIMULATION_MEASURES_CHOICE_H

#include "kinds/simulation/measures/figures.h"
#include <ensrun/study.h>

#define ENS_MEASURES_MAX 64

struct ens_choice {
    size_t n;
    struct ens_chosen {
        const struct ens_measure_def *def;
        char name[64];
        double level; /* of limits, NaN: that of the fit; of a quantile: prob */
    } item[ENS_MEASURES_MAX];
    enum ens_mcse mcse;
    size_t n_resamples;
    const struct ens_value *terms; /* list; empty: all */
    const struct ens_value *null;  /* list: none, one, or one per term */
    const char *compare;           /* name of a fit row; "": none */
};

/** Lent by the study. Names that are no measures are left to others. Errors
 * name the line of the study. */
enum ens_status ens_choice_read(struct ens_choice *c,
                                const struct ens_study *study,
                                struct ens_error *err);
/** Is the term of interest? *null: the value that tests of it reject. */
int ens_choice_term(const struct ens_choice *c, const char *term, double *null);

#endif
