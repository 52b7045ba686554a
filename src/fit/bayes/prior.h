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
/** Log density at x, up to a constant; *slope its derivative. */
double ens_prior_log(const struct ens_prior *prior, double x, double *slope);
/** Centre and, as the sd of a normal distribution of about its width, the
 * scale; infinite when flat. Of those that may be negative. */
double ens_prior_centre(const struct ens_prior *prior);
double ens_prior_scale(const struct ens_prior *prior);

#define ENS_PRIOR_ARGUMENT(CALL, KEY, MIN, HELP)                               \
    {                                                                          \
        .section = CALL "()", .key = KEY, .type = ENS_T_NUM, .shape = ENS_ONE, \
        .cls = ENS_C_CELL, .def = NULL, .min = MIN, .max = 1e100, .help = HELP \
    }
#define ENS_PRIOR_SETTING(KEY, HELP)                                           \
    {                                                                          \
        .section = "fit", .key = KEY, .type = ENS_T_CALL, .shape = ENS_AXIS,   \
        .cls = ENS_C_CELL, .def = "", .choices = ENS_PRIOR_CHOICES,            \
        .help = HELP                                                           \
    }

/* Rows of a fitter's settings that has these models: 26. */
#define ENS_PRIOR_SETTINGS                                                     \
    ENS_PRIOR_SETTING("prior.b", "prior of all terms but the intercept; not "  \
                                 "set: flat"),                                 \
        ENS_PRIOR_SETTING("prior.intercept",                                   \
                          "of the intercept itself, where all terms are 0; "   \
                          "not set: flat"),                                    \
        ENS_PRIOR_SETTING("prior.*",                                           \
                          "of the term (or sd_GROUP) named behind the point, " \
                          "before prior.b"),                                   \
        ENS_PRIOR_SETTING(                                                     \
            "prior.sigma",                                                     \
            "of the residual sd (families gaussian, student); "                \
            "not set: half_student_t(3, s), s = max(2.5, mad of "              \
            "the response)"),                                                  \
        ENS_PRIOR_SETTING("prior.sd",                                          \
                          "of the sd of a group's intercepts; not set: as "    \
                          "prior.sigma's, with s = 2.5 unless gaussian or "    \
                          "student"),                                          \
        ENS_PRIOR_SETTING("prior.phi",                                         \
                          "of phi (family negbinomial: variance mu + "         \
                          "mu^2/phi); not set: gamma(0.01, 0.01)"),            \
        ENS_PRIOR_SETTING("prior.shape",                                       \
                          "of the shape (family gamma: variance mu^2/shape); " \
                          "not set: gamma(0.01, 0.01)"),                       \
        ENS_PRIOR_SETTING("prior.nu",                                          \
                          "of the degrees of freedom above 1 (family "         \
                          "student); not set: gamma(2, 0.1)"),                 \
        ENS_PRIOR_ARGUMENT("normal", "mean", -1e100, "mean"),                  \
        ENS_PRIOR_ARGUMENT("normal", "sd", 0, "standard deviation"),           \
        ENS_PRIOR_ARGUMENT("student_t", "df", 0, "degrees of freedom"),        \
        ENS_PRIOR_ARGUMENT("student_t", "location", -1e100, "centre"),         \
        ENS_PRIOR_ARGUMENT("student_t", "scale", 0, "scale"),                  \
        ENS_PRIOR_ARGUMENT("cauchy", "location", -1e100, "centre"),            \
        ENS_PRIOR_ARGUMENT("cauchy", "scale", 0, "scale"),                     \
        ENS_PRIOR_ARGUMENT("half_normal", "sd", 0, "sd before it is folded"),  \
        ENS_PRIOR_ARGUMENT("half_student_t", "df", 0, "degrees of freedom"),   \
        ENS_PRIOR_ARGUMENT("half_student_t", "scale", 0, "scale"),             \
        ENS_PRIOR_ARGUMENT("half_cauchy", "scale", 0, "scale"),                \
        ENS_PRIOR_ARGUMENT("exponential", "rate", 0, "1 / mean"),              \
        ENS_PRIOR_ARGUMENT("gamma", "shape", 0, "shape"),                      \
        ENS_PRIOR_ARGUMENT("gamma", "rate", 0, "rate; mean shape / rate"),     \
        ENS_PRIOR_ARGUMENT("inv_gamma", "shape", 0, "shape"),                  \
        ENS_PRIOR_ARGUMENT("inv_gamma", "scale", 0, "scale"),                  \
        ENS_PRIOR_ARGUMENT("lognormal", "mean", -1e100, "mean of the log"),    \
        ENS_PRIOR_ARGUMENT("lognormal", "sd", 0, "sd of the log")

#endif
