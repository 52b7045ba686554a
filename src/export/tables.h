/* The result tables of DESIGN section 5, in task order, from the journal
 * through the place index. They depend on nothing but the study and the
 * records in force: not on order of arrival, workers or runs (but for
 * `timings`, which are facts of the run).
 *
 * Rows are streamed; memory grows with columns, never with rows. Tasks
 * without a record (of a study that has not finished) have no row.
 */
#ifndef ENS_EXPORT_TABLES_H
#define ENS_EXPORT_TABLES_H

#include "export/datum.h"
#include "export/exporter.h"
#include "plan/plan.h"
#include "stop/stopping.h"
#include "store/tables_in.h"

struct ens_tables_request {
    const char *dir; /* results folder */
    const struct ens_plan *plan;
    const struct ens_host *host;
    /* The shown stages, in order; at least one. Lent until close. */
    size_t n_stages;
    const struct ens_places *const *stage;
    const struct ens_stopping *stopping; /* NULL: cells do not stop */
    /* What tables of the kind see: all stages so far, internal ones too, in
     * order (copied), whose records are read from log. */
    size_t n_known;
    const struct ens_tables_stage *known;
    const struct ens_log *log;
    /* More tasks than this: no tasks.csv and timings.csv. */
    uint64_t table_rows;
    struct ens_io *io; /* NULL: the default */
};

struct ens_tables; /* a request with its columns worked out */
struct ens_table;  /* one of the tables */

/**
 * Work out the columns: scans records until all schemas were met.
 * Only the request's strings and pointers are kept, not the struct.
 */
enum ens_status ens_tables_open(struct ens_tables **t,
                                const struct ens_tables_request *rq,
                                struct ens_error *err);
void ens_tables_close(struct ens_tables *t);

/** Tables of every study by name ("tasks" ...) or by position, NULL when
 * there is none. */
const struct ens_table *ens_table_find(const char *name);
const struct ens_table *ens_table_at(size_t i);
/** A table of a kind; NULL when it has none of that name. */
const struct ens_table_def *ens_table_of_kind(const struct ens_kind *kind,
                                              const char *name);
/** Names of all tables of a study of that kind, with commas. */
void ens_table_names(const struct ens_kind *kind, struct ens_buf *to);
/** One of either. ENS_EUSAGE lists those that there are. */
enum ens_status ens_tables_pick(const struct ens_tables *t, const char *name,
                                const struct ens_table **table,
                                struct ens_error *err);
/** Those of the kind, in its order. */
size_t ens_tables_n_own(const struct ens_tables *t);
const struct ens_table *ens_tables_own(const struct ens_tables *t, size_t i);
/** A table under the names, and with the statuses, of another program: tasks
 * and cells of "bayesim". NULL when there is none. */
const struct ens_table *ens_table_renamed(const struct ens_table *table,
                                          const char *names);
const char *ens_table_name(const struct ens_table *table);
const char *ens_table_help(const struct ens_table *table);
/** Of a kind's: when a run ends. */
int ens_table_is_shown(const struct ens_table *table);

/** What of a table: NULL everywhere and 0 = all of it. */
struct ens_selection {
    const char *columns; /* "a,b": these, in this order */
    const char *where;   /* "k=v,k2=v2": rows whose text in k is v */
    uint64_t head;       /* at most so many rows; 0 = all */
};

/** A table seen through a selection. Release with ens_sheet_fini. */
struct ens_sheet {
    const struct ens_tables *tables;
    const struct ens_table *table;
    size_t n;                              /* columns chosen */
    const struct ens_table_column *column; /* n, in the chosen order */
    size_t n_all;
    size_t *source; /* n: position among all columns */
    size_t n_where;
    size_t *where_column;
    const char **where_text;
    uint64_t head;
    struct ens_arena arena;
};
/** ENS_EUSAGE names the column that is not there and those that are. */
enum ens_status ens_sheet_init(struct ens_sheet *sheet,
                               const struct ens_tables *t,
                               const struct ens_table *table,
                               const struct ens_selection *sel,
                               struct ens_error *err);
void ens_sheet_fini(struct ens_sheet *sheet);
/** Call row for every row. */
enum ens_status ens_sheet_rows(const struct ens_sheet *sheet, ens_row_fn *row,
                               void *arg, struct ens_error *err);
/** Write it in a format to out (not committed here). */
enum ens_status ens_sheet_export(const struct ens_sheet *sheet,
                                 const struct ens_exporter *x,
                                 struct ens_out *out, struct ens_error *err);

/**
 * The files of a finished study: tasks.csv and timings.csv (when the tasks
 * are not more than table_rows; else older ones are removed), cells.csv,
 * columns.csv, and those of the kind. Each is replaced as a whole.
 */
enum ens_status ens_tables_write(const struct ens_tables_request *rq,
                                 struct ens_error *err);

#endif
