/* CSV: tables as text, plain or packed by gzip or zstd (then unpacked as
 * it is read, in each pass).
 *
 * Two passes over the file in bounded memory: ens_csv_learn finds columns,
 * types, missing counts and the file's digest; ens_csv_write writes the
 * columnar form (columnar.h). csv.c wraps both in the cache (cache.h).
 *
 * Values: an empty field and the texts of `missing` (NA) are missing; nan is
 * a missing number. Blanks at the ends, which only a field in quotes has, count
 * in a text and in nothing else. A column of integers without missing values is
 * int64; of true and false, 1 and 0 of int64; of numbers otherwise, float64,
 * missing as NaN. A column with any other text is one of text: the place of
 * each among the sorted texts as int32, missing as -1.
 */
#ifndef ENS_INPUT_CSV_H
#define ENS_INPUT_CSV_H

#include "base/csv_scan.h"
#include "input/columnar.h"
#include "input/format.h"

/** What a text is. */
enum ens_csv_value {
    ENS_CSV_MISSING,
    ENS_CSV_BOOL,
    ENS_CSV_INT, /* fits an int64 */
    ENS_CSV_REAL,
    ENS_CSV_TEXT
};

struct ens_csv_options {
    char delimiter; /* 0: detect */
    int header;     /* as in ens_input_options */
    size_t n_missing;
    const char *const *missing;
};

struct ens_csv {
    struct ens_table_head head; /* columns in the arena */
    struct ens_csv_options options;
    char delimiter;
    uint64_t skip; /* bytes of a byte order mark */
    int packing;   /* enum ens_packing */
    struct ens_arena arena;
};

typedef void ens_csv_progress_fn(void *arg, uint64_t done, uint64_t all);

/** Without the blanks at its ends. */
const char *ens_csv_trim(const char *s, size_t *n);
enum ens_csv_value ens_csv_classify(const struct ens_csv_options *o,
                                    const char *s, size_t n);

/** First pass. *csv is zero on failure; else owned: ens_csv_fini. */
enum ens_status ens_csv_learn(struct ens_csv *csv, int fd, uint64_t size,
                              const struct ens_csv_options *o,
                              ens_csv_progress_fn *progress, void *arg,
                              struct ens_error *err);
/** Second pass: write the columnar form to the start of `out` (read and
 * written); sets offsets and levels of csv->head. ENS_EINPUT
 * when the file is not what the first pass saw; ENS_EIO, ENS_ENOSPACE. */
enum ens_status ens_csv_write(struct ens_csv *csv, int fd, uint64_t size,
                              int out, ens_csv_progress_fn *progress, void *arg,
                              struct ens_error *err);
void ens_csv_fini(struct ens_csv *csv);

/** The hash that tells apart the ways one file may be read. */
uint64_t ens_csv_options_hash(const struct ens_csv_options *o);

#endif
