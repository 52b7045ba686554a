/* Priors of single parameters, as a study names them: normal(0, 2.5). */
#ifndef ENS_FIT_BAYES_PRIOR_H
#define ENS_FIT_BAYES_PRIOR_H

#include <ensrun/error.h>
#include <ensrun/study.h>

/* X(NAME, name, arguments, of parameters that may be negative) */
#define ENS_PRIOR_LIST(X)                                                      \
    X(FLAT, "flat", 0, 1)                                                      \
    X(NORMAL, "normal", 2, 1)                                                  \
    X(STUDENT_T, "student_t", 3, 1)                                            \
    X(CAUCHY, "cauchy", 2, 1)                                                  \
    X(HALF_NORMAL, "half_normal", 1, 0)                                        \
    X(HALF_STUDENT_T, "half_student_t", 2, 0)                                  \
    X(HALF_CAUCHY, "half_cauchy", 1, 0)                                        \
    X(EXPONENTIAL, "exponential", 1, 0)                                        \
    X(GAMMA, "gamma", 2, 0)                                                    \
    X(INV_GAMMA, "inv_gamma", 2, 0)                                            \
    X(LOGNORMAL, "lognormal", 2, 0)

#define ENS_PRIOR_CHOICES                                                      \
    "flat|normal|student_t|cauchy|half_normal|half_student_t|half_cauchy|"     \
    "exponential|gamma|inv_gamma|lognormal"

struct ens_rng;

enum ens_prior_kind {
#define ENS_PRIOR_ENUM(name, text, arguments, negative) ENS_PRIOR_##name,
    ENS_PRIOR_LIST(ENS_PRIOR_ENUM)
#undef ENS_PRIOR_ENUM
};

struct ens_prior {
    enum ens_prior_kind kind;
    double a[3]; /* arguments, in the order of the settings below */
};

/**
 * The prior that a value of type CALL names. is_positive: of a parameter above
 * 0, where normal, student_t and cauchy are cut at 0.
 * Errors:  ENS_ESTUDY "KEY: normal: sd is 0; it must be above 0", and for a
 *          parameter that may be negative a prior of positive ones.
 */
enum ens_status ens_prior_read(struct ens_prior *prior, const char *key,
                               const struct ens_value *v, int is_positive,
                               struct ens_error *err);
/** A value above `least` (-INFINITY: any); NaN when there is hardly one, and of
 * a flat prior. */
double ens_prior_draw(const struct ens_prior *prior, struct ens_rng *g,
                      double least);
/** Log density at x, up to a constant; *slope its derivative. */
double ens_prior_log(const struct ens_prior *prior, double x, double *slope);
/** Centre and, as the sd of a normal distribution of about its width, the
 * scale; infinite when flat. Of those that may be negative. */
double ens_prior_centre(const struct ens_prior *prior);
double ens_prior_scale(const struct ens_prior *prior);

#define ENS_PRIOR_ARGUMENT(CLASS, CALL, KEY, MIN, HELP)                        \
    {                                                                          \
        .section = CALL "()", .key = KEY, .type = ENS_T_NUM, .shape = ENS_ONE, \
        .cls = CLASS, .def = NULL, .min = MIN, .max = 1e100, .help = HELP      \
    }
#define ENS_PRIOR_SETTING(ROLE, CLASS, KEY, HELP)                              \
    {                                                                          \
        .section = ROLE, .key = KEY, .type = ENS_T_CALL, .shape = ENS_AXIS,    \
        .cls = CLASS, .def = "", .choices = ENS_PRIOR_CHOICES, .help = HELP    \
    }

/* Rows of settings that these models have: 26. */
#define ENS_PRIOR_SETTINGS_OF(ROLE, CLASS)                                     \
    ENS_PRIOR_SETTING(ROLE, CLASS, "prior.b",                                  \
                      "prior of all terms but the intercept; not "             \
                      "set: flat"),                                            \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.intercept",                      \
                          "of the intercept itself, where all terms are 0; "   \
                          "not set: flat"),                                    \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.*",                              \
                          "of the term (or sd_GROUP) named behind the point, " \
                          "before prior.b"),                                   \
        ENS_PRIOR_SETTING(                                                     \
            ROLE, CLASS, "prior.sigma",                                        \
            "of the residual sd (families gaussian, student); "                \
            "not set: half_student_t(3, s), s = max(2.5, mad of "              \
            "the response)"),                                                  \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.sd",                             \
                          "of the sd of a group's intercepts; not set: as "    \
                          "prior.sigma's, with s = 2.5 unless gaussian or "    \
                          "student"),                                          \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.phi",                            \
                          "of phi (family negbinomial: variance mu + "         \
                          "mu^2/phi); not set: gamma(0.01, 0.01)"),            \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.shape",                          \
                          "of the shape (family gamma: variance mu^2/shape); " \
                          "not set: gamma(0.01, 0.01)"),                       \
        ENS_PRIOR_SETTING(ROLE, CLASS, "prior.nu",                             \
                          "of the degrees of freedom above 1 (family "         \
                          "student); not set: gamma(2, 0.1)"),                 \
        ENS_PRIOR_ARGUMENT(CLASS, "normal", "mean", -1e100, "mean"),           \
        ENS_PRIOR_ARGUMENT(CLASS, "normal", "sd", 0, "standard deviation"),    \
        ENS_PRIOR_ARGUMENT(CLASS, "student_t", "df", 0, "degrees of freedom"), \
        ENS_PRIOR_ARGUMENT(CLASS, "student_t", "location", -1e100, "centre"),  \
        ENS_PRIOR_ARGUMENT(CLASS, "student_t", "scale", 0, "scale"),           \
        ENS_PRIOR_ARGUMENT(CLASS, "cauchy", "location", -1e100, "centre"),     \
        ENS_PRIOR_ARGUMENT(CLASS, "cauchy", "scale", 0, "scale"),              \
        ENS_PRIOR_ARGUMENT(CLASS, "half_normal", "sd", 0,                      \
                           "sd before it is folded"),                          \
        ENS_PRIOR_ARGUMENT(CLASS, "half_student_t", "df", 0,                   \
                           "degrees of freedom"),                              \
        ENS_PRIOR_ARGUMENT(CLASS, "half_student_t", "scale", 0, "scale"),      \
        ENS_PRIOR_ARGUMENT(CLASS, "half_cauchy", "scale", 0, "scale"),         \
        ENS_PRIOR_ARGUMENT(CLASS, "exponential", "rate", 0, "1 / mean"),       \
        ENS_PRIOR_ARGUMENT(CLASS, "gamma", "shape", 0, "shape"),               \
        ENS_PRIOR_ARGUMENT(CLASS, "gamma", "rate", 0,                          \
                           "rate; mean shape / rate"),                         \
        ENS_PRIOR_ARGUMENT(CLASS, "inv_gamma", "shape", 0, "shape"),           \
        ENS_PRIOR_ARGUMENT(CLASS, "inv_gamma", "scale", 0, "scale"),           \
        ENS_PRIOR_ARGUMENT(CLASS, "lognormal", "mean", -1e100,                 \
                           "mean of the log"),                                 \
        ENS_PRIOR_ARGUMENT(CLASS, "lognormal", "sd", 0, "sd of the log")
#define ENS_PRIOR_SETTINGS ENS_PRIOR_SETTINGS_OF("fit", ENS_C_CELL)

#endif
