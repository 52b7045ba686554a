/* Inside export: what a table implements, and what tables share. */
#ifndef ENS_EXPORT_TABLE_H
#define ENS_EXPORT_TABLE_H

#include "base/arena.h"
#include "export/fields.h"
#include "export/tables.h"

/** Columns being declared. */
struct ens_columns {
    struct ens_arena arena;
    size_t n, cap;
    struct ens_table_column *item;
    int failed;
};
void ens_columns_fini(struct ens_columns *c);
/** Texts are copied. */
void ens_columns_add(struct ens_columns *c, const char *name,
                     enum ens_datum_type type, const char *unit,
                     const char *help);

struct ens_table_task;

/** A row being filled, column by column. */
struct ens_row {
    size_t n, at;
    struct ens_datum *d;
    ens_row_fn *fn;
    void *arg;
    const struct ens_table_task *task; /* of this row; set by table tasks */
};
void ens_row_text(struct ens_row *r, const char *p, size_t n);
void ens_row_string(struct ens_row *r, const char *s);
void ens_row_num(struct ens_row *r, double v);
void ens_row_int(struct ens_row *r, int64_t v);
void ens_row_word(struct ens_row *r, uint64_t v);
void ens_row_none(struct ens_row *r);
void ens_row_datum(struct ens_row *r, const struct ens_datum *d);
/** Every column was set: hand the row over and start the next. */
enum ens_status ens_row_end(struct ens_row *r, struct ens_error *err);

struct ens_tables {
    struct ens_tables_request rq;
    const struct ens_study *study;
    struct ens_fields fields;
    struct ens_tables_in *in; /* what tables of the kind read */
    size_t n_own;             /* tables of the kind */
    struct ens_table *own;
};

struct ens_table {
    const char *name;
    const char *help;
    int per_task; /* a row per task: not written beyond table_rows */
    int written;  /* one of the files of a finished study */
    void (*columns)(const struct ens_tables *t, struct ens_columns *c);
    enum ens_status (*rows)(const struct ens_tables *t, struct ens_row *row,
                            struct ens_error *err);
    const struct ens_table_def *def; /* of the kind: then it has neither */
};
/** Columns and rows of a table, of the kind's as of ours. */
enum ens_status ens_table_declare(const struct ens_tables *t,
                                  const struct ens_table *table,
                                  struct ens_columns *c, struct ens_error *err);
enum ens_status ens_table_fill(const struct ens_tables *t,
                               const struct ens_table *table,
                               struct ens_row *row, struct ens_error *err);

/** A cell with its texts, decoded when it changes. */
struct ens_table_cell {
    struct ens_cell cell;
    char id[17];
    struct ens_datum *axis; /* ens_study_n_axis_columns */
};
enum ens_status ens_table_cell_init(struct ens_table_cell *c,
                                    const struct ens_tables *t,
                                    struct ens_error *err);
void ens_table_cell_set(struct ens_table_cell *c, const struct ens_tables *t,
                        uint64_t ordinal);
void ens_table_cell_fini(struct ens_table_cell *c);

void ens_columns_stage(struct ens_columns *c, const struct ens_tables *t);
void ens_columns_cell(struct ens_columns *c);
void ens_columns_axes(struct ens_columns *c, const struct ens_tables *t);
void ens_row_stage(struct ens_row *r, const struct ens_tables *t,
                   const struct ens_stage *stage);
void ens_row_axes(struct ens_row *r, const struct ens_tables *t,
                  const struct ens_table_cell *c);

/** A task that has a record. */
struct ens_table_task {
    const struct ens_stage *stage;
    const struct ens_table_cell *cell;
    struct ens_task task; /* its cell, too; seed set */
    const struct ens_record *record;
    uint32_t epoch; /* of the segment that holds it */
};
typedef enum ens_status ens_task_fn(void *arg, const struct ens_table_task *t,
                                    struct ens_error *err);
/** All of them, in task order. */
enum ens_status ens_tables_walk(const struct ens_tables *t, ens_task_fn *fn,
                                void *arg, struct ens_error *err);

/** The same with those that have no record yet, or are behind the stop of
 * their cell: record is NULL. */
enum ens_status ens_tables_walk_planned(const struct ens_tables *t,
                                        ens_task_fn *fn, void *arg,
                                        struct ens_error *err);

/** Called for a row of table tasks; row has the columns that were chosen. */
typedef enum ens_status ens_sheet_task_fn(void *arg,
                                          const struct ens_table_task *t,
                                          const struct ens_datum *row,
                                          struct ens_error *err);
/** Call fn for the tasks of the rows of a sheet of table tasks. */
enum ens_status ens_sheet_tasks(const struct ens_sheet *sheet,
                                ens_sheet_task_fn *fn, void *arg,
                                struct ens_error *err);

/** Why a task is not ok; NULL when it is, or gave no text. */
const char *ens_record_error(const struct ens_record *r, size_t *n);

/** A file of the kind, in the results folder. */
enum ens_status ens_file_write(const struct ens_tables *t,
                               const struct ens_file_def *def,
                               struct ens_error *err);

#endif
