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

struct ens_plan;      /* what `plan` and `next` fill in */
struct ens_result;    /* what `run` fills in */
struct ens_rng;       /* a task's random stream */
struct ens_records;   /* a stage's records, in task order */
struct ens_tables_in; /* what the rows of a table are made from */

struct ens_task {
    const char *stage;    /* key */
    uint32_t stage_index; /* 0, 1 ... in the order stages were declared */
    struct ens_cell cell;
    uint32_t replicate; /* 1 .. */
    uint64_t seed;      /* column "seed": derived from the identity */
};

struct ens_array_def {
    const char *name;
    enum ens_dtype dtype; /* ENS_DT_F64 or ENS_DT_I64 */
    int keep; /* 0: scratch, removed when the study is complete; its tasks
                 run again for it when a stage, or the `next` of their own,
                 that reads it has work after that */
};

#define ENS_ALL_CELLS UINT64_MAX

/** What kinds may call; a plugin gets it and links nothing. */
struct ens_host {
    uint32_t abi;

    /* -- in plan and next ---------------------------------------------- */
    /** Declare a schema; its index in *index. Same fields = same index. */
    enum ens_status (*plan_schema)(struct ens_plan *p,
                                   const struct ens_field *fields, size_t n,
                                   uint32_t *index, struct ens_error *err);
    /** Declare an output array; stages name it. At most 256, of which a stage
     * writes at most 64 and reads at most 64. */
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
    /** The same for a block that should not be in memory as a whole: its
     * elements first .. first + n - 1, counted from where it begins, written
     * now; parts in order and without gaps, all of the block before run
     * returns ENS_OK. A task takes one of the two ways for an array. */
    enum ens_status (*block_part)(struct ens_result *r, const char *array,
                                  uint64_t first, const void *data, uint64_t n,
                                  struct ens_error *err);
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
    /** What the task did since its last lap, or since it began, was the
     * kind's lap of that name (its `laps`); the times of several of one name
     * are added up. They are facts of the run: columns of timings.csv. */
    void (*lap)(struct ens_result *r, const char *name);
    /** The process group of a program this task runs; 0 when it has ended
     * and before its number may be another's. Time-outs, stops and the end of
     * the worker kill it. */
    void (*group)(struct ens_result *r, int32_t pgid);
    /** Path of a folder for this worker alone, for what a task leaves on disk
     * while it runs; not yet made. What is in it goes when the run ends. */
    const char *(*folder)(struct ens_result *r);
    /** An array that this stage reads, of the task's cell; lent until run
     * returns. */
    enum ens_status (*array)(struct ens_result *r, const char *name,
                             struct ens_view *view, struct ens_error *err);
    /** The same of another cell, by its ordinal, whether or not that cell is
     * in this stage. ENS_ENOTFOUND: it took no part in the stage that wrote
     * the array. */
    enum ens_status (*array_of)(struct ens_result *r, const char *name,
                                uint64_t cell, struct ens_view *view,
                                struct ens_error *err);

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

    /** The artifact of that name of the record that next_record gave last;
     * lent until the next call of either. Of any alignment. *data NULL: it
     * has none. */
    enum ens_status (*record_artifact)(struct ens_records *in, const char *item,
                                       const void **data, size_t *bytes,
                                       struct ens_error *err);

    /* -- in columns and rows of a table, and for files ------------------- */
    /** Records that a stage has so far, by its key, in task order: of a cell
     * by its ordinal, or of all (ENS_ALL_CELLS); none when it has not begun.
     * Of stages with one key it is the last. *records lives until columns or
     * rows returns. */
    enum ens_status (*stage_records)(struct ens_tables_in *in, const char *key,
                                     uint64_t cell,
                                     struct ens_records **records,
                                     struct ens_error *err);
    /** Have all tasks of that stage ended? */
    int (*stage_finished)(const struct ens_tables_in *in, const char *key);
    /** An output array of a cell that is kept; an error while no stage that
     * writes it has begun. Lives until columns or rows returns. */
    enum ens_status (*output)(struct ens_tables_in *in, const char *array,
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
    double (*record_lap)(const struct ens_record *r, size_t i);
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

/** A value of a row, by the type of its column. Missing: NaN,
 * ENS_I64_MISSING, p NULL. Texts are UTF-8, lent to the sink. */
union ens_table_value {
    double f64;
    int64_t i64;
    struct {
        const char *p;
        size_t n;
    } text;
};

/** Takes the next column (copied). */
typedef enum ens_status ens_table_column_fn(void *arg,
                                            const struct ens_field *column,
                                            struct ens_error *err);
/** Takes a row: a value per column. What is not ENS_OK is to be returned:
 * ENS_ESTOPPED when no more rows are wanted. */
typedef enum ens_status ens_table_row_fn(void *arg,
                                         const union ens_table_value *row,
                                         struct ens_error *err);

/**
 * A table of the kind's own, beside tasks and cells: in every format of
 * `export`, by `show`, and where it says so as a file of the results.
 * columns and rows are pure, run in any process, and give the same columns
 * and rows however often they are called for the same records. Of a study
 * that has not finished they give the rows that there are.
 */
struct ens_table_def {
    const char *name; /* not one of the program's tables */
    const char *help; /* one line: what a row is */
    int written;      /* NAME.csv is one of the files of a finished study */
    int shown;        /* when a run ends, instead of the table of cells */
    int large;        /* a row per row of an input, say: only by `export`; not
                         written, not shown */
    int facts;        /* of times, too, which differ from run to run: not
                         written. Only its records have seconds, laps, attempts
                         and worker; in those of others they are NaN and 0 */
    enum ens_status (*columns)(const struct ens_host *host,
                               const struct ens_plan *plan,
                               struct ens_tables_in *in,
                               ens_table_column_fn *sink, void *arg,
                               struct ens_error *err);
    enum ens_status (*rows)(const struct ens_host *host,
                            const struct ens_plan *plan,
                            struct ens_tables_in *in, ens_table_row_fn *sink,
                            void *arg, struct ens_error *err);
};

/** Takes the next bytes. What is not ENS_OK is to be returned. */
typedef enum ens_status ens_bytes_fn(void *arg, const void *p, size_t n,
                                     struct ens_error *err);

/** A file of a finished study that is no table: written beside them, whole or
 * not at all. `write` is as `rows` of a table; ENS_ENOTFOUND: this study has
 * no such file (then an older one is removed). */
struct ens_file_def {
    const char *name; /* "model.ens" */
    const char *help; /* one line */
    enum ens_status (*write)(const struct ens_host *host,
                             const struct ens_plan *plan,
                             struct ens_tables_in *in, ens_bytes_fn *put,
                             void *arg, struct ens_error *err);
};

/**
 * New rows for what a study has fitted (`ensrun predict`): what a kind is given
 * and who takes the predictions. Functions take `own` first.
 */
struct ens_predict {
    const struct ens_study *study; /* of the model */
    const void *model; /* bytes of the file of the kind that begins with
                          "ENSMODEL", aligned to 4096 */
    size_t bytes;
    const struct ens_input *rows;
    uint64_t first, n_rows; /* of them: those that are wanted */
    int proba;              /* of classes: their probabilities */
    int skip_bad; /* rows that cannot be predicted are NaN, not an error */
    /** The study's plan with its inputs, opened now; lent. ENS_EINPUT: they
     * are gone. */
    enum ens_status (*plan)(void *own, const struct ens_plan **plan,
                            struct ens_error *err);
    /** An output array of the results folder, by the cell's ordinal. */
    enum ens_status (*output)(void *own, const char *array, uint64_t cell,
                              struct ens_view *view, struct ens_error *err);
    /** Once, before any row: names of the n columns of a prediction. n_classes
     * not 0: values are numbers of these classes. */
    enum ens_status (*begin)(void *own, const char *const *column, size_t n,
                             const char *const *class_, size_t n_classes,
                             struct ens_error *err);
    /** The next n_rows rows, row-major. ENS_ESTOPPED: the user wants no more.
     */
    enum ens_status (*put)(void *own, const double *values, size_t n_rows,
                           struct ens_error *err);
    void (*warn)(void *own, const char *text);
    /* What learners ask of a host in a task: */
    /** An input of the study; NULL: it is not here. */
    const struct ens_input *(*input)(void *own, const char *name);
    /** A folder of this call alone, removed when it has returned. */
    const char *(*folder)(void *own);
    /** As host->group: what ends the call kills it. */
    void (*group)(void *own, int32_t pgid);
    uint64_t (*seed)(void *own, const struct ens_task *task);
    void *own;
};

/** Takes what a task needs and how many tasks its stage has; `what` is lent.
 * What is not ENS_OK is to be returned. */
typedef enum ens_status ens_need_fn(void *arg, const char *what, uint64_t bytes,
                                    uint64_t n_tasks, struct ens_error *err);

/** A part of a task's time, e.g. of its fit: column NAME_seconds of
 * timings.csv. */
struct ens_lap {
    const char *name, *help;
};

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

    /* Optional: tables of its own. */
    const struct ens_table_def *tables;
    size_t n_tables;
    /* Optional: files of its own, and predictions by the one that is a
     * model. */
    const struct ens_file_def *files;
    size_t n_files;
    enum ens_status (*predict)(const struct ens_host *host,
                               const struct ens_predict *p,
                               struct ens_error *err);
    /* Optional: what host->lap may name; at most ENS_MAX_LAPS. */
    const struct ens_lap *laps;
    size_t n_laps;

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

    /* Optional, in a worker: before its first task of a stage, with the stage's
     * data (NULL, 0: it has none).
     * Lent until the next call. */
    enum ens_status (*stage)(void *state, const char *key, const void *data,
                             size_t bytes, struct ens_error *err);

    /* Required. Anything but ENS_OK is the outcome `failed`, with err's text;
     * ENS_EINPUT is no task's fault: the run ends with it. */
    enum ens_status (*run)(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err);

    /* Optional, in a worker, when all tasks of stage `key` have ended: add
     * the next stage(s) to `plan`, or none to end. A function of the records,
     * the arrays and the study: the answer is kept, and asked again only when
     * records or cells of the stage or settings of class run have changed. */
    enum ens_status (*next)(void *state, const char *key, uint32_t stage_index,
                            struct ens_records *in, struct ens_plan *plan,
                            struct ens_error *err);

    /* Rows of an array for a cell (shape[0..*ndim-1]), and the block of a
     * replicate: elements [*first, *first + *n) in C order. Pure. Required
     * when the kind declares arrays. */
    enum ens_status (*array_shape)(const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   const char *array,
                                   const struct ens_cell *cell, uint32_t *ndim,
                                   uint64_t *shape);
    enum ens_status (*array_region)(const struct ens_host *host,
                                    const struct ens_plan *plan,
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

    /* Optional: label of a task in tables ("d001_f002_r00003") and, when it
     * lasts, in progress; one line. Where it ends in another number than the
     * replicate, --only takes the task as cell:replicate alone. NULL: the
     * default "c%0*u_r%0*u". */
    void (*label)(const struct ens_plan *plan, const struct ens_task *task,
                  char *to, size_t cap);

    /* Optional: how many stages the study may have at most, for `plan`; 0:
     * nobody can say. NULL: 1 without `next`, else 0. */
    uint32_t (*max_stages)(const struct ens_host *host,
                           const struct ens_plan *plan);

    /* Optional, for `plan`: private memory of a task of each sort, as far as
     * the inputs' size decides it, beyond a process's own. Pure. */
    enum ens_status (*needs)(const struct ens_host *host,
                             const struct ens_plan *plan, ens_need_fn *sink,
                             void *arg, struct ens_error *err);

    /* Optional, for `plan`: will a cell have that array? NULL: all cells have
     * all. Pure. */
    int (*has_array)(const struct ens_host *host, const struct ens_plan *plan,
                     const char *array, const struct ens_cell *cell);
};

#endif
