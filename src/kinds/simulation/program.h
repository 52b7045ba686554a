/* Programs of the user's as generator, fitter and metric: what the three
 * share. They stay, one per worker (program/crew.h); what they are sent and
 * answer is drawn in launch/clients/README.md.
 */
#ifndef ENS_KINDS_SIMULATION_PROGRAM_H
#define ENS_KINDS_SIMULATION_PROGRAM_H

#include "kinds/simulation/model.h"
#include "program/crew.h"
#include "program/request.h"

extern const struct ens_generator ens_program_generator;
extern const struct ens_setting ens_program_generator_settings[5];
extern const struct ens_fitter ens_program_fitter;
extern const struct ens_setting ens_program_fitter_settings[5];
extern const struct ens_metric ens_program_metric;

/* Settings of all three. */
#define ENS_PROGRAM_RUN(role, class, def_)                                     \
    {                                                                          \
        .section = role, .key = "run", .type = ENS_T_LINE, .cls = class,       \
        .def = def_, .help = "the program and its arguments; {input.NAME}"     \
    }
#define ENS_PROGRAM_FOLDER(role)                                               \
    {                                                                          \
        .section = role, .key = "folder", .type = ENS_T_PATH,                  \
        .cls = ENS_C_RUN, .def = ".",                                          \
        .help = "what words of run that begin with ./ are relative to"         \
    }

/** State of a worker: a struct ens_crew, one for all three. */
enum ens_status ens_program_open(const struct ens_host *host, void **state,
                                 struct ens_error *err);
void ens_program_close(void *state);

/** Is `run` a command line that may stay? ENS_ESTUDY. */
enum ens_status ens_program_check(const struct ens_study *study,
                                  const char *run, struct ens_error *err);
/** In a worker, before the first task: do all programs exist? ENS_EINPUT. */
enum ens_status ens_program_check_all(const struct ens_host *host,
                                      const struct ens_plan *plan,
                                      struct ens_error *err);

/** `, "KEY": {"path": ..., "at": ..., "rows": n, "columns": [...]}`, its
 * numbers appended to the member's file. x[n * n_columns], column-major. */
enum ens_status ens_program_put_block(struct ens_crew *crew,
                                      struct ens_crew_member *m,
                                      const char *key, const double *x,
                                      size_t n, const char *const *column,
                                      size_t n_columns, struct ens_error *err);
/** The same of a data set, as "data"; columns of text as places in their
 * levels, which follow. */
enum ens_status ens_program_put_data(struct ens_crew *crew,
                                     struct ens_crew_member *m,
                                     const struct ens_job *job,
                                     const struct ens_data *data,
                                     struct ens_error *err);
/** "x" (n x p, with names), "y" and, if any, "offset" of a model matrix;
 * nothing when the model has no formula. */
enum ens_status ens_program_put_problem(struct ens_crew *crew,
                                        struct ens_crew_member *m,
                                        const struct ens_fit_problem *problem,
                                        struct ens_error *err);
/** `, "KEY": [v, ...]`; null where it is not finite. */
void ens_program_put_numbers(struct ens_buf *to, const char *key,
                             const double *v, size_t n);

#endif
