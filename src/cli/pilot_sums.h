/* What a pilot measured, summed over its records. */
#ifndef ENS_CLI_PILOT_SUMS_H
#define ENS_CLI_PILOT_SUMS_H

#include "cli/results.h"

struct ens_pilot_row { /* cells of the same rows of the study file */
    char *name;        /* "small / full"; "all" where rows have no names */
    uint64_t n_tasks;  /* of the whole stage */
    size_t n;          /* of the pilot, timed */
    double sum_s, max_s;
    double *seconds; /* n, sorted at the end */
    size_t cap;
};

struct ens_pilot_item { /* an artifact name */
    char *name;
    const char *profile; /* of the kind's table; NULL: kept always */
    uint64_t n, bytes;   /* of all pilot tasks */
    uint64_t ref_bytes;  /* in the journal */
};

struct ens_pilot_sums {
    uint64_t n_tasks; /* of the whole stage */
    int further;      /* stages may follow it */
    uint64_t n, n_not_ok;
    /* The first task of a worker pays for what it touches first: its time
       does not count where there are others enough. */
    int skip_first;
    uint64_t seen[64];      /* workers */
    uint64_t journal_bytes; /* frames of records */
    uint64_t table_bytes;   /* rows of tasks.csv and timings.csv, if written */
    double array_bytes;     /* of all cells, of the whole study */
    struct ens_pilot_row all;
    size_t n_rows;
    struct ens_pilot_row *row;
    size_t n_items;
    struct ens_pilot_item *item;
    char error[200]; /* of the first that is not ok */
};

/** Read a pilot's folder. *sums is owned: ens_pilot_sums_fini, also on
 * failure. */
enum ens_status ens_pilot_sums_read(struct ens_pilot_sums *sums,
                                    const char *dir, uint32_t n_workers,
                                    struct ens_error *err);
void ens_pilot_sums_fini(struct ens_pilot_sums *sums);
/** Middle of the row's times (the lower one of two). */
double ens_pilot_median(const struct ens_pilot_row *row);
/** CPU seconds of all tasks of the stage, predicted row by row. */
double ens_pilot_total_s(const struct ens_pilot_sums *sums);
/** Bytes per task that a profile keeps: journal, tables and artifacts. */
double ens_pilot_bytes(const struct ens_pilot_sums *sums, const char *profile);
/** Bytes of the whole stage, output arrays too. */
double ens_pilot_all_bytes(const struct ens_pilot_sums *sums,
                           const char *profile);

#endif
