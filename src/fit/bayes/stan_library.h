/* A Stan model compiled to a shared library, by its C functions: those of
 * BridgeStan 2 (bridgestan.h of roualdes/bridgestan), BSD 3-clause.
 *
 * The file is loaded once by a worker and stays: RTLD_LOCAL, as every model
 * exports the same names.
 */
#ifndef ENS_FIT_BAYES_STAN_LIBRARY_H
#define ENS_FIT_BAYES_STAN_LIBRARY_H

#include <ensrun/error.h>
#include <stdbool.h>
#include <stddef.h>

/* X(member, symbol, result, arguments) */
#define ENS_STAN_FUNCTIONS(X)                                                  \
    X(construct, "bs_model_construct", void *,                                 \
      (const char *, unsigned, char **))                                       \
    X(destruct, "bs_model_destruct", void, (void *))                           \
    X(free_text, "bs_free_error_msg", void, (char *))                          \
    X(names, "bs_param_names", const char *, (const void *, bool, bool))       \
    X(count, "bs_param_num", int, (const void *, bool, bool))                  \
    X(dim, "bs_param_unc_num", int, (const void *))                            \
    X(constrain, "bs_param_constrain", int,                                    \
      (const void *, bool, bool, const double *, double *, void *, char **))   \
    X(gradient, "bs_log_density_gradient", int,                                \
      (const void *, bool, bool, const double *, double *, double *, char **))

struct ens_stan_library {
#define ENS_STAN_MEMBER(member, symbol, result, arguments)                     \
    result(*member) arguments;
    ENS_STAN_FUNCTIONS(ENS_STAN_MEMBER)
#undef ENS_STAN_MEMBER
};

/** Load the file; ENS_EINPUT names it and what it lacks. */
enum ens_status ens_stan_load(struct ens_stan_library *l, const char *path,
                              struct ens_error *err);

#endif
