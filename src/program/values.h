/* The values of a task that a command line, or the environment, may name:
 * the axes, seed, seed31, replicate, task, input.NAME. */
#ifndef ENS_PROGRAM_VALUES_H
#define ENS_PROGRAM_VALUES_H

#include "base/arena.h"
#include "base/number.h"
#include "program/words.h"
#include <ensrun/kind.h>

struct ens_task_values {
    const struct ens_cell *cell;
    char seed[ENS_NUMBER_BYTES];
    char seed31[ENS_NUMBER_BYTES]; /* its top 31 bits: for R and the like */
    char replicate[ENS_NUMBER_BYTES];
    char task[64]; /* cell:replicate, as tables and commands know it */
};

void ens_task_values_set(struct ens_task_values *v,
                         const struct ens_task *task);
/** Another identity and seed for the same replicate. */
void ens_task_values_as(struct ens_task_values *v, uint64_t id, uint64_t seed);
/** An ens_words_value_fn over struct ens_task_values. */
ens_words_value_fn ens_task_values_get;
/** Path of an input's file; NULL for one that selects columns of another, and
 * when there is none of that name. */
const char *ens_task_values_input_path(const struct ens_study *study,
                                       const char *name);

/** Is no axis named as a value that every task has? ENS_ESTUDY. */
enum ens_status ens_task_values_check_axes(const struct ens_study *study,
                                           struct ens_error *err);
/** Do all names of a line have a value in every row of [axes]? Of a persistent
 * program only inputs count. ENS_ESTUDY. */
enum ens_status ens_task_values_check_names(const struct ens_study *study,
                                            const struct ens_words *line,
                                            int persistent,
                                            struct ens_error *err);

/** Can this host read the files of the inputs that a line names, or of all
 * (NULL)? A copy that was made for the node has no path. ENS_EINPUT. */
enum ens_status ens_task_values_check_files(const struct ens_study *study,
                                            const struct ens_words *line,
                                            struct ens_error *err);

/** Environment of a cell: this process's own, and the program's variables;
 * `spare` more entries fit in front of the NULL. */
enum ens_status ens_task_values_env(const char ***env, size_t *n, size_t spare,
                                    const struct ens_cell *cell, int with_axes,
                                    const char *folder, struct ens_arena *arena,
                                    struct ens_error *err);
/** v NULL: those that are the same for all tasks. Put the variables of a task
 * behind the n of its cell:
 * ENS_TASK_VARIABLES. */
#define ENS_TASK_VARIABLES 5
enum ens_status ens_task_values_put_env(const char **env, size_t n,
                                        const struct ens_task_values *v,
                                        const char *tmp,
                                        struct ens_arena *arena,
                                        struct ens_error *err);

#endif
