/* The interface of a step of preprocessing. */
#ifndef ENS_LEARN_PREP_STEP_H
#define ENS_LEARN_PREP_STEP_H

#include "base/arena.h"
#include <ensrun/learner.h>

#define ENS_PREP_MOST_COLUMNS 1000000

/* Rows of a call's settings, in x.def. */
#define ENS_PREP_ARGUMENT(call, name, kind, value, low, high, text)            \
    {.section = call,                                                          \
     .key = name,                                                              \
     .type = kind,                                                             \
     .cls = ENS_C_CELL,                                                        \
     .def = value,                                                             \
     .min = low,                                                               \
     .max = high,                                                              \
     .help = text},
#define ENS_PREP_CHOICE(call, name, list, value, text)                         \
    {.section = call,                                                          \
     .key = name,                                                              \
     .type = ENS_T_CHOICE,                                                     \
     .cls = ENS_C_CELL,                                                        \
     .def = value,                                                             \
     .choices = list,                                                          \
     .help = text},

/* What a step's own part of the blob is. */
enum ens_prep_form {
    ENS_PREP_OWN,    /* its own affair */
    ENS_PREP_SELECT, /* int64 column[q] */
    ENS_PREP_SCALE,  /* double centre[p], scale[p]: (x - centre) * scale */
    ENS_PREP_MAP,    /* double centre[p], a[p, q] column-major:
                        a'(x - centre) */
    ENS_PREP_NOTHING /* it concerns how rows are read: not in the blob */
};

struct ens_prep_op;

struct ens_prep_step {
    const struct ens_prep_op *op;
    const struct ens_call *call;
    double arg[4]; /* as `options` left them */
};

struct ens_prep_fit {
    const struct ens_prep_step *step;
    const struct ens_rows *rows;   /* as the steps before make them */
    const double *least, *largest; /* of its columns; NULL: not known */
    struct ens_arena *arena;       /* until all steps are fitted */
    /* The result: columns, and the step's own part, of ens_prep_part(). */
    size_t q;
    void *own;
    size_t bytes;
};

/** A step in a blob. */
struct ens_prep_part {
    const struct ens_prep_op *op;
    size_t p, q;
    const void *own; /* aligned to 16 */
    size_t bytes;
    size_t work; /* doubles per row */
};

struct ens_prep_op {
    const char *name;
    enum ens_prep_form form;
    int is_screen; /* it looks at the response */
    /** Optional: arguments into step->arg. ENS_ESTUDY. */
    enum ens_status (*options)(struct ens_prep_step *step,
                               struct ens_error *err);
    /** Optional, of a step that needs no rows: the columns that it leaves, in
     * memory of the arena. ENS_ESTUDY: one is not there. */
    enum ens_status (*columns)(const struct ens_prep_step *step,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, int64_t **left,
                               size_t *q, struct ens_error *err);
    /** Required but for ENS_PREP_NOTHING and steps with `columns`.
     * ENS_EDOMAIN, ENS_ENOMEMORY. */
    enum ens_status (*fit)(struct ens_prep_fit *f, struct ens_error *err);
    /* Required for ENS_PREP_OWN: */
    /** Is it what fit makes of p columns, and gives it q? Any bytes. Sets
     * part->work. */
    int (*check)(struct ens_prep_part *part);
    void (*apply)(const struct ens_prep_part *part, const double *in, size_t n,
                  double *out, double *work);
    /** Names of the columns; q of them. ENS_ENOMEMORY. */
    enum ens_status (*names)(const struct ens_prep_part *part,
                             const char *const *column, struct ens_arena *arena,
                             const char **name, struct ens_error *err);
};

/** Argument of a call by its key, else by its place (from 0); NULL: not
 * given or not set. */
const char *ens_prep_argument(const struct ens_call *call, const char *key,
                              size_t place);
/** As a number; `other` when it is not given. ENS_ESTUDY: no number. */
enum ens_status ens_prep_number(const struct ens_call *call, const char *key,
                                size_t place, double other, double *value,
                                struct ens_error *err);
/** yes: 1. */
enum ens_status ens_prep_flag(const struct ens_call *call, const char *key,
                              size_t place, double other, double *value,
                              struct ens_error *err);

/** The step's own part, zeroed, in f. NULL when out of memory. */
void *ens_prep_own(struct ens_prep_fit *f, size_t q, size_t bytes,
                   struct ens_error *err);
/** That of ENS_PREP_SCALE: centre, then scale. */
double *ens_prep_scales(struct ens_prep_fit *f, struct ens_error *err);

/** Least and largest of each column, from f or by a pass. ENS_ENOMEMORY. */
enum ens_status ens_prep_extremes(struct ens_prep_fit *f, const double **least,
                                  const double **largest,
                                  struct ens_error *err);
/**
 * Quantiles at q[0..n_q-1] of every column: out[p][n_q]. R's type 7, without
 * weights. Of at most 131,072 rows exactly (of 67 million numbers, if these
 * are fewer), else of as many evenly spaced ones. ENS_ENOMEMORY.
 */
enum ens_status ens_prep_quantiles(const struct ens_rows *rows, const double *q,
                                   size_t n_q, struct ens_arena *arena,
                                   double *out, struct ens_error *err);

/** |correlation| of each column with the response, 0 of a constant one.
 * ENS_EDOMAIN: there is no response of numbers; it does not vary.
 * ENS_ENOMEMORY. */
enum ens_status ens_prep_correlations(struct ens_prep_fit *f, double **r,
                                      struct ens_error *err);
/** The result: columns j with keep[j]. */
enum ens_status ens_prep_keep(struct ens_prep_fit *f, const char *keep,
                              struct ens_error *err);
/** Keep the n columns of the largest r, of equal ones the first. */
void ens_prep_keep_largest(const double *r, size_t p, size_t n, char *keep);

#define ENS_PREP(name, help, ...)                                              \
    extern const struct ens_prep_op ens_prep_##name;
#include "learn/prep/x.def"
#undef ENS_PREP

#endif
