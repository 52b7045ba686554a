/* What the sources of a stack share; nobody else's business.
 *
 *   stack.c  which tasks have it, and in what shape   stack_npy.c, stack_csv.c
 */
#ifndef ENS_ARTIFACT_INSIDE_H
#define ENS_ARTIFACT_INSIDE_H

#include "artifact/rows.h"
#include "artifact/stack.h"
#include "base/file.h"
#include "export/table.h"

struct ens_stack_item {          /* the artifact of a task */
    const struct ens_datum *row; /* the sheet's columns of the task */
    char label[256];
    struct ens_object object;
    struct ens_npy npy;
};

typedef enum ens_status ens_stack_fn(struct ens_stack *st,
                                     struct ens_stack_item *it,
                                     struct ens_error *err);
/** Call fn for every task that has the artifact. */
enum ens_status ens_stack_visit(struct ens_stack *st, ens_stack_fn *fn,
                                struct ens_error *err);
/** An ens_stack_fn: the first pass. */
ens_stack_fn ens_stack_note;
/** "NAME of task LABEL: " in front of err; returns s. */
enum ens_status ens_stack_wrap(const struct ens_stack *st,
                               const struct ens_stack_item *it,
                               enum ens_status s, struct ens_error *err);
/** Its digest. */
enum ens_status ens_stack_check(struct ens_stack *st,
                                const struct ens_stack_item *it,
                                struct ens_error *err);
/** Tell the progress: so many bytes of artifacts were written. */
enum ens_status ens_stack_wrote(struct ens_stack *st, uint64_t bytes,
                                const struct ens_out *out,
                                struct ens_error *err);

#endif
