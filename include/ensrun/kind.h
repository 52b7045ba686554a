/* The interface of a task kind.
 *
 * A kind is a const struct ens_kind. `plan` runs in every process that needs
 * it and is pure; `open`, `run`, `stage`, `next`, `finish` and `close` run in
 * a worker process (or in the coordinator under `--transport inline`).
 *
 * A task's result may depend on nothing but the study, the inputs, its
 * identity (stage key, cell, replicate) and its random streams: never on
 * time, worker, order or state left by another task.
 *
 * Do not: start threads in open or run; keep pointers into the arena after
 * run returns; write to inputs; print.
 */
#ifndef ENSRUN_KIND_H
#define ENSRUN_KIND_H

#include <ensrun/error.h>
#include <ensrun/record.h>
#include <ensrun/study.h>
#include <ensrun/view.h>

struct ens_plan;    /* what `plan` and `next` fill in */
struct ens_result;  /* what `run` fills in */
struct ens_rng;     /* a task's random stream */
struct ens_records; /* a stage's records, in task order */

struct ens_task {
    const char *stage;    /* key */
    uint32_t stage_index; /* 0, 1 ... in the order stages were declared */
    struct ens_cell cell;
    uint32_t replicate; /* 1 .. */
    uint64_t seed;      /* column "seed": derived from the identity */
};

/** How a stage's tasks use an array. */
enum ens_reads {
    ENS_READS_ALL, /* the whole array of its cell */
    ENS_READS_OWN  /* the rows of its own region */
};

struct ens_array_def {
    const char *name;
    enum ens_dtype dtype; /* ENS_DT_F64 or ENS_DT_I64 */
    int keep;             /* 0: scratch, removed when its group has ended */
};

/** What kinds may call; a plugin gets it and links nothing. */
struct ens_host {
    uint32_t abi;

    /* -- in plan and next ---------------------------------------------- */
    /** Declare a schema; its index in *index. Same fields = same index. */
    enum ens_status (*plan_schema)(struct ens_plan *p,
                                   const struct ens_field *fields, size_t n,
                                   uint32_t *index, struct ens_error *err);
    /** Declare an output array; stages name it. */
    enum ens_status (*plan_array)(struct ens_plan *p,
                                  const struct ens_array_def *def,
                                  struct ens_error *err);
    /**
     * Add a stage over all cells of the study. n_replicates 0: the study's
     * `replicates`; else exactly that many in every cell (per_cell NULL) or
     * per_cell[ordinal]. writes/reads: names of arrays, NULL = none; reads
     * entries name arrays that an earlier stage wrote.
     */
    enum ens_status (*plan_stage)(struct ens_plan *p, const char *key,
                                  uint32_t n_replicates,
                                  const uint32_t *per_cell,
                                  const char *const *writes,
                                  const char *const *reads, int internal,
                                  struct ens_error *err);
    /** Stage data of the stage added last (copied; at most 16 MiB). */
    enum ens_status (*plan_data)(struct ens_plan *p, const void *data,
                                 size_t bytes, struct ens_error *err);
    /** Tasks of the stage added last ask for what those of the study's first
     * stage kept (kept_by). */
    void (*plan_keepsakes)(struct ens_plan *p);
    /** Tasks are asked for one by one (--only, a pilot): what is divided into
     * stages for the sake of time alone is to be one. */
    int (*plan_is_whole)(const struct ens_plan *p);
    const struct ens_study *(*plan_study)(const struct ens_plan *p);
    /** Input by the name of its section; NULL when there is none. */
    const struct ens_input *(*plan_input)(const struct ens_plan *p,
                                          const char *name);
    uint64_t (*plan_n_cells)(const struct ens_plan *p);
    void (*plan_cell)(const struct ens_plan *p, uint64_t ordinal,
                      struct ens_cell *cell);

    /* -- in run -------------------------------------------------------- */
    void (*use_schema)(struct ens_result *r, uint32_t index);
    /** Switch to a schema not declared by plan (found by this task). */
    enum ens_status (*new_schema)(struct ens_result *r,
                                  const struct ens_field *fields, size_t n,
                                  struct ens_error *err);
    void (*f64)(struct ens_result *r, uint32_t field, double v);
    void (*i64)(struct ens_result *r, uint32_t field, int64_t v);
    void (*text)(struct ens_result *r, uint32_t field, const char *s, size_t n);
    void (*warn)(struct ens_result *r, const char *text);
    /** Numbers set so far are kept even if the task fails: what was known
     * before it could (texts are not). The last call counts. */
    void (*keep_fields)(struct ens_result *r);
    /** Keep a large object under a declared item of `retained`, when the
     * study retains it. The bytes are written before run returns. */
    enum ens_status (*artifact)(struct ens_result *r, const char *item,
                                const void *data, size_t bytes,
                                struct ens_error *err);
    /** The same in parts, for what is not in memory as a whole: begin, parts,
     * end; one at a time. Parts of an item that the study does not retain go
     * nowhere. What is begun and not ended is no part of the result. */
    enum ens_status (*artifact_begin)(struct ens_result *r, const char *item,
                                      struct ens_error *err);
    enum ens_status (*artifact_part)(struct ens_result *r, const void *data,
                                     size_t bytes, struct ens_error *err);
    enum ens_status (*artifact_end)(struct ens_result *r,
                                    struct ens_error *err);
    /** Does the study retain that item? Else it need not be made. */
    int (*keeps)(const struct ens_result *r, const char *item);
    /** This task's block of an array of its stage: a buffer to fill (of
     * region(...) elements), written and hashed after run returns ENS_OK. */
    enum ens_status (*block)(struct ens_result *r, const char *array,
                             void **data, uint64_t *n, struct ens_error *err);
    /** Memory that lives until run returns; NULL when there is none. */
    void *(*alloc)(struct ens_result *r, size_t n, size_t size);
    /** The task's stream for a purpose, e.g. "data", "fit"; "data" alone is
     * that of the cell's data part: cells that share it draw the same, unless
     * [study] streams = independent. */
    struct ens_rng *(*rng)(struct ens_result *r, const char *purpose);
    /** From now on streams are those of another task of this cell, of which
     * this one does a part; returns that task's seed. stage: a literal. */
    uint64_t (*act_for)(struct ens_result *r, const char *stage,
                        uint32_t replicate);
    double (*uniform)(struct ens_rng *g); /* [0, 1), 53 bits, one word */
    double (*normal)(struct ens_rng *g);  /* standard normal */
    uint64_t (*bits)(struct ens_rng *g);  /* one 64-bit word */
    /** Uniform in 0 .. n-1, without bias; n > 0. */
    uint64_t (*below)(struct ens_rng *g, uint64_t n);
    const struct ens_input *(*input)(const struct ens_result *r,
                                     const char *name);
    /** The process group of a program this task runs; 0 when it has ended
     * and before its number may be another's. Time-outs, stops and the end of
     * the worker kill it. */
    void (*group)(struct ens_result *r, int32_t pgid);
    /** Path of a folder for this worker alone, for what a task leaves on disk
     * while it runs; not yet made. What is in it goes when the run ends. */
    const char *(*folder)(struct ens_result *r);
    /** An array that this stage reads, of the task's cell. */
    enum ens_status (*array)(struct ens_result *r, const char *name,
                             struct ens_view *view, struct ens_error *err);

    /** What a task of the study's first stage, of this cell, kept: its first
     * artifact, lent until the next call. NULL: there is none (it kept nothing
     * or did not end by itself; this is a replay; the stage did not ask with
     * plan_keepsakes), and the task must make it itself: results may not
     * depend on which. */
    enum ens_status (*kept_by)(struct ens_result *r, uint32_t replicate,
                               const void **data, size_t *bytes,
                               struct ens_error *err);

    /* -- in next and finish -------------------------------------------- */
    /** The next record in task order; 0 at the end. Lent until the next
     * call. fields are words of the record's schema. */
    int (*next_record)(struct ens_records *in, struct ens_record *rec,
                       const struct ens_schema **schema);
    /** Back to the first record. */
    void (*rewind)(struct ens_records *in);
    /** Records of a cell of the stage, by its ordinal, from its first one;
     * *other lives as long as in. Their replicates are in order: those of two
     * cells with one data part that are equal saw the same data. */
    enum ens_status (*records_of)(struct ens_records *in, uint64_t cell,
                                  struct ens_records **other,
                                  struct ens_error *err);
    /** An array that the finished stage wrote, of one cell. */
    enum ens_status (*read_array)(struct ens_records *in, const char *name,
                                  uint64_t cell, struct ens_view *view,
                                  struct ens_error *err);

    /* -- anywhere: the functions ens_NAME of the other headers ----------- */
    enum ens_status (*fail)(struct ens_error *err, enum ens_status s,
                            const char *fmt, ...) ENS_PRINTF(3, 4);
    const struct ens_value *(*study_value)(const struct ens_study *study,
                                           const char *section,
                                           const char *key);
    const struct ens_value *(*cell_value)(const struct ens_cell *cell,
                                          const char *role, const char *key);
    const char *(*cell_key)(const struct ens_cell *cell, const char *role,
                            size_t i, enum ens_type *type);
    const struct ens_impl *(*cell_impl)(const struct ens_cell *cell,
                                        const char *role);
    const char *(*cell_row)(const struct ens_cell *cell, const char *role);
    void (*view_f64)(const struct ens_view *v, uint64_t first, uint64_t n,
                     double *out);
    void (*view_gather_f64)(const struct ens_view *v, const uint64_t *index,
                            uint64_t n, double *out);
    const double *(*view_pointer_f64)(const struct ens_view *v);
    const struct ens_column *(*input_column)(const struct ens_input *in,
                                             const char *name);
    double (*record_f64)(const struct ens_record *r, const struct ens_schema *s,
                         size_t i);
    int64_t (*record_i64)(const struct ens_record *r, size_t i, int *missing);
    const char *(*record_text)(const struct ens_record *r, size_t i, size_t *n);
};

/** A task, for a function of a generator, fitter or metric. */
struct ens_job {
    const struct ens_host *host;
    struct ens_result *result;
    const struct ens_task *task;
    void *state; /* of its open; NULL when it has none */
};

/** A retained item: an artifact's name and from which profile on it is kept. */
struct ens_retained {
    const char *name;
    const char *profile; /* "minimal", "standard", "debug"; or "always":
                            whatever the study says */
    const char *help;
};

/** A measure of a cell: one row of cells.csv. */
struct ens_measure {
    const char *estimand; /* e.g. a term, or a field's name */
    const char *measure;  /* "mean", "bias" ... */
    double value;
    double mcse; /* Monte Carlo standard error; NaN when it has none */
    uint64_t n_used;
    uint64_t n_missing;
    int is_share; /* value is a share of n_used: at 0 and 1 an mcse of 0 says
                     nothing yet, and [stop] takes Wilson's interval */
};

struct ens_measure_about {
    const char *name, *help;
};

typedef enum ens_status ens_measure_fn(void *arg, const struct ens_measure *m,
                                       struct ens_error *err);

struct ens_kind {
    uint32_t abi; /* ENS_ABI */
    const char *name;
    const char *help;         /* one line */
    uint32_t results_version; /* raised when results change: fingerprint */
    const struct ens_setting *settings; /* of the study: sections that are
                                           not rows, and rows' own keys */
    size_t n_settings;
    const struct ens_role *roles;
    size_t n_roles;
    const struct ens_retained *retained;
    size_t n_retained;
    const struct ens_impl *calls; /* what settings of type CALL may name beside
                                     FILE:KEY and choices: as of a plugin */
    size_t n_calls;
    /* measures that `measures` may give, for `ensrun kinds`: none may be
     * listed */
    const struct ens_measure_about *about;
    size_t n_about;

    /* Optional. Pure; the study may be one that plan refuses. What settings
     * of class run make tasks compute, as a text that is part of the
     * fingerprint; "" nothing. */
    void (*computed)(const struct ens_study *study, char *to, size_t cap);

    /* Required. Pure; declares schemas, arrays and the first stage. Checks
     * what the tables cannot (formula against input columns, say): its
     * errors are the study file's. */
    enum ens_status (*plan)(const struct ens_host *host, struct ens_plan *plan,
                            struct ens_error *err);

    /* In a worker, once; *state is given to all calls below. NULL: none. */
    enum ens_status (*open)(const struct ens_host *host,
                            const struct ens_plan *plan, void **state,
                            struct ens_error *err);
    void (*close)(void *state);

    /* Optional, in a worker: called before the first task of a cell, and
     * again whenever the cell changes. May cache what the cell's settings
     * say (parsed formulas), nothing of its tasks. */
    enum ens_status (*cell)(void *state, const struct ens_cell *cell,
                            struct ens_error *err);

    /* Optional, in a worker: stage data, before its first task of a stage.
     * Lent until the next call. */
    enum ens_status (*stage)(void *state, const char *key, const void *data,
                             size_t bytes, struct ens_error *err);

    /* Required. Anything but ENS_OK is the outcome `failed`, with err's text;
     * ENS_EINPUT is no task's fault: the run ends with it. */
    enum ens_status (*run)(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err);

    /* Optional, in a worker, when all tasks of stage `key` have ended: add
     * the next stage(s) to `plan`, or none to end. */
    enum ens_status (*next)(void *state, const char *key, uint32_t stage_index,
                            struct ens_records *in, struct ens_plan *plan,
                            struct ens_error *err);

    /* Rows of an array for a cell (shape[0..*ndim-1]), and the block of a
     * replicate: elements [*first, *first + *n) in C order. Pure. Required
     * when the kind declares arrays. */
    enum ens_status (*array_shape)(const struct ens_plan *plan,
                                   const char *array,
                                   const struct ens_cell *cell, uint32_t *ndim,
                                   uint64_t *shape);
    enum ens_status (*array_region)(const struct ens_plan *plan,
                                    const char *array,
                                    const struct ens_cell *cell,
                                    uint32_t replicate, uint64_t *first,
                                    uint64_t *n);

    /* Optional: rows of cells.csv for one cell of the shown stage, from its
     * records. NULL: mean, sd with Monte Carlo errors of numeric fields. */
    enum ens_status (*measures)(const struct ens_host *host,
                                const struct ens_plan *plan,
                                const struct ens_cell *cell,
                                struct ens_records *in, ens_measure_fn *sink,
                                void *arg, struct ens_error *err);

    /* Optional, all four or none: the rows of `measures` from records that
     * come one by one, in replicate order. tally_rows may be called at any
     * time, and again after further records: then its rows are those that
     * `measures` gives of the records so far, of none, too (without values),
     * as far as one pass over this cell's records can.
     * Pure, in any process; [stop] asks them after every `every` replicates.
     * NULL: as measures NULL; where only `measures` is given, [stop] is
     * refused. */
    enum ens_status (*tally_new)(const struct ens_host *host,
                                 const struct ens_plan *plan,
                                 const struct ens_cell *cell, void **tally,
                                 struct ens_error *err);
    void (*tally_free)(void *tally);
    enum ens_status (*tally_add)(void *tally, const struct ens_record *rec,
                                 const struct ens_schema *schema,
                                 struct ens_error *err);
    enum ens_status (*tally_rows)(void *tally, ens_measure_fn *sink, void *arg,
                                  struct ens_error *err);

    /* Optional: label of a task in tables ("d001_f002_r00003"); NULL: the
     * default "c%0*u_r%0*u". */
    void (*label)(const struct ens_plan *plan, const struct ens_task *task,
                  char *to, size_t cap);

    /* Optional: how many stages the study may have at most, for `plan`; 0:
     * nobody can say. NULL: 1 without `next`, else 0. */
    uint32_t (*max_stages)(const struct ens_host *host,
                           const struct ens_plan *plan);
};

#endif
