/* The fields of a task: a schema per distinct shape among the cells. */
#ifndef ENS_KINDS_SYNTHETIC_SHAPE_H
#define ENS_KINDS_SYNTHETIC_SHAPE_H

#include "kinds/synthetic/params.h"
#include <ensrun/kind.h>

/** What of a cell's settings its fields follow from. */
struct ens_synthetic_shape {
    uint32_t fields;
    uint32_t has_rows, has_array, has_chain, has_text; /* 0 or 1 */
};

/** Field lists; owns the names. Fields in order: [variant,] value1 ...,
 * then those of rows_sum, block_sum, chain, note that the shape has. */
struct ens_synthetic_fields {
    struct ens_field *field;
    char *names;
    size_t n;
};

struct ens_synthetic_shape
ens_synthetic_shape(const struct ens_synthetic_params *p);
/** variant 0: the declared fields; 1, 2: other names, `variant` first. */
enum ens_status ens_synthetic_fields_new(struct ens_synthetic_fields *f,
                                         const struct ens_synthetic_shape *s,
                                         uint32_t variant,
                                         struct ens_error *err);
void ens_synthetic_fields_free(struct ens_synthetic_fields *f);

/** What the cells of a study have in common. The same in every process. */
struct ens_synthetic_survey {
    size_t n_shapes;
    struct ens_synthetic_shape *shape; /* owned; in order of first cell; the
                                          index is the schema's */
    uint32_t max_stages;
    uint64_t max_rows; /* of input X */
    int has_arrays;    /* all cells have arrays (never only some) */
    int scratch;       /* they are scratch, in all cells */
    int one_size;      /* the first stage has as many tasks in all cells */
    uint32_t n_tasks;  /* of the first cell; 0 = the study's replicates */
};

enum ens_status ens_synthetic_survey_new(struct ens_synthetic_survey *s,
                                         const struct ens_host *host,
                                         const struct ens_plan *plan,
                                         struct ens_error *err);
void ens_synthetic_survey_free(struct ens_synthetic_survey *s);
/** Index of a shape; n_shapes when unknown. */
uint32_t ens_synthetic_survey_find(const struct ens_synthetic_survey *s,
                                   const struct ens_synthetic_shape *shape);

#endif
