/* New rows as the columns that a model was fitted on. */
#ifndef ENS_LEARN_MODEL_COLUMNS_H
#define ENS_LEARN_MODEL_COLUMNS_H

#include "learn/model/model.h"
#include "learn/source.h"

struct ens_model_input {
    const struct ens_model *model;
    const struct ens_input *in;
    const struct ens_column **from; /* n_columns: of `in`; NULL: the whole
                                       input, an array of numbers */
    uint8_t **known; /* n_columns: of text, is a level of `in` one of the
                        model's; NULL: all are */
};

/**
 * By name where both have names (further columns of the input are left out),
 * else by number: then there are as many.
 * Errors: ENS_EINPUT: a column that is missing, or more than once there; text
 *         for numbers, numbers for text; another number of columns.
 */
enum ens_status ens_model_input_open(struct ens_model_input *c,
                                     const struct ens_model *m,
                                     const struct ens_input *in,
                                     struct ens_arena *arena,
                                     struct ens_error *err);

/** The source that fits had: text as columns of levels, by the model's
 * levels. */
enum ens_status ens_model_input_source(const struct ens_model_input *c,
                                       enum ens_texts texts,
                                       struct ens_arena *arena,
                                       struct ens_learn_source *s,
                                       struct ens_error *err);

/** Column j of the model in the input; NULL: an array without columns. */
const struct ens_view *ens_model_input_view(const struct ens_model_input *c,
                                            uint32_t j);

/** bad[i] = 1 + a column with a value that is no number, or a text that was not
 * in the training data; 0: row first + i is fine. x: its n rows of a
 * source. Returns how many are not. */
size_t ens_model_input_check(const struct ens_model_input *c,
                             const struct ens_learn_source *s, uint64_t first,
                             size_t n, const double *x, uint32_t *bad);

/** ENS_EINPUT: row `row` of column j of the model has no finite number. */
enum ens_status ens_model_input_missing(const struct ens_model_input *c,
                                        uint64_t row, uint32_t j,
                                        struct ens_error *err);
/** ENS_EINPUT: "FILE: row 17, column carat: ...". */
enum ens_status ens_model_input_refuse(const struct ens_model_input *c,
                                       const struct ens_learn_source *s,
                                       uint64_t row, uint32_t bad,
                                       struct ens_error *err);

#endif
