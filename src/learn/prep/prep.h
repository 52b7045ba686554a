/* Preprocessing (`[case NAME] preprocess = standardise, pca(5)`): steps that
 * are fitted on training rows and then are a function of a row.
 *
 * A step is a file here with a struct ens_prep_op and a line in x.def. Most
 * are linear: they select, scale or combine columns. Their moments follow from
 * those of the source, without a pass.
 *
 * A fitted chain is one blob without pointers:
 *   0  8  "ensprep1"            then per step
 *   8  4  steps                   0  16  name, filled up with 0
 *  12  4  columns that go in     16   4  columns that go in
 *  16  8  bytes of all of it     20   4  columns that come out
 *  24  8  0                      24   8  bytes of what follows, times of 16
 *                                32   .  the step's own
 */
#ifndef ENS_LEARN_PREP_PREP_H
#define ENS_LEARN_PREP_PREP_H

#include "learn/prep/step.h"
#include "learn/residuals.h"
#include "learn/rows.h"

#define ENS_PREP_STEPS 16

/** The steps of a case. */
struct ens_prep {
    size_t n;
    struct ens_prep_step step[ENS_PREP_STEPS];
    enum ens_texts texts; /* what text columns become */
    uint64_t lag;         /* rows: for ens_rows_spec */
};

/** For the setting: its choices; its help, which says what each step does. */
extern const char ens_prep_choices[], ens_prep_help[];

/** Steps of a list of calls, lent as long as they. ENS_ESTUDY. */
enum ens_status ens_prep_read(const struct ens_value *calls,
                              struct ens_prep *prep, struct ens_error *err);
/** Do they make sense of columns of those names? ENS_ESTUDY: a column that is
 * not there, as far as can be told before a fit. */
enum ens_status ens_prep_check(const struct ens_prep *prep,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, struct ens_error *err);

/** Columns that a `subset` leaves out before any step looks at them: 1 by
 * column, in memory of the arena; NULL: none. ENS_ESTUDY as ens_prep_check. */
enum ens_status ens_prep_ignored(const struct ens_prep *prep,
                                 const char *const *column, size_t p,
                                 struct ens_arena *arena,
                                 const unsigned char **ignored,
                                 struct ens_error *err);

/** The first step that needs a response, of numbers or of two classes: its
 * name; NULL: none does. */
const char *ens_prep_screen(const struct ens_prep *prep);

/** What steps are fitted on. */
struct ens_prep_train {
    struct ens_rows_spec rows;     /* without prep; moments: of the source's
                                      columns, NULL: by a pass */
    const double *least, *largest; /* of the source's columns in those rows;
                                      NULL: by a pass */
};

/**
 * Fit steps, on training rows only. The blob is the arena's, aligned to 16.
 * Errors: ENS_EDOMAIN: nothing is left of the columns, more components than
 *         columns, values that are no numbers; ENS_ENOMEMORY.
 */
enum ens_status ens_prep_fit(const struct ens_prep *prep,
                             const struct ens_prep_train *train,
                             struct ens_arena *arena, const void **blob,
                             size_t *bytes, struct ens_error *err);

/** A blob that is open. */
struct ens_prep_fitted {
    struct ens_rows_prep rows; /* for ens_rows_spec; own is this struct */
    size_t p;                  /* columns that go in */
    size_t n;
    struct ens_prep_part *part;
    size_t widest;
};

/**
 * The blob (lent, aligned to 16) for columns of those names. Memory is the
 * arena's; *f must stay where it is.
 * Errors: ENS_ECORRUPT: damaged, or of other columns; ENS_ENOMEMORY.
 */
enum ens_status ens_prep_open(const void *blob, size_t bytes,
                              const char *const *column, size_t p,
                              struct ens_arena *arena,
                              struct ens_prep_fitted *f, struct ens_error *err);

/**
 * A function of the columns that come out, as one of those that go in; memory
 * is the arena's. to->p 0: not all steps are linear. ENS_ENOMEMORY.
 */
enum ens_status ens_prep_pull(const struct ens_prep_fitted *f,
                              const struct ens_learn_affine *from,
                              struct ens_arena *arena,
                              struct ens_linear_form *to,
                              struct ens_error *err);

/** Moments of preprocessed rows, for ens_rows_spec. With a lag raw must be
 * NULL: the source's moments are of columns and responses of one row. */
struct ens_prep_moments {
    const struct ens_prep_fitted *fitted;
    ens_rows_moments_fn *raw; /* of the source's columns; NULL: by a pass */
    void *raw_arg;
    struct ens_arena *arena;
    int done;
    struct ens_moments m;
};

/** arg: a struct ens_prep_moments. */
enum ens_status ens_prep_moments(void *arg, const struct ens_rows *r,
                                 const struct ens_moments **m,
                                 struct ens_error *err);

#endif
