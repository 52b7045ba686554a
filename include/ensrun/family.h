/* Distributions of a response, and of it and its predictor the link. */
#ifndef ENSRUN_FAMILY_H
#define ENSRUN_FAMILY_H

enum ens_link_function { ENS_LINK_IDENTITY, ENS_LINK_LOGIT, ENS_LINK_LOG };

/* X(name, text, link, parameter beside those of the predictor, or "")
 * student: sigma, nu; negbinomial: phi, variance mu + mu^2 / phi; gamma:
 * shape, variance mu^2 / shape. */
#define ENS_FAMILY_LIST(X)                                                     \
    X(GAUSSIAN, "gaussian", IDENTITY, "sigma")                                 \
    X(STUDENT, "student", IDENTITY, "sigma")                                   \
    X(BINOMIAL, "binomial", LOGIT, "")                                         \
    X(POISSON, "poisson", LOG, "")                                             \
    X(NEGBINOMIAL, "negbinomial", LOG, "phi")                                  \
    X(GAMMA, "gamma", LOG, "shape")

enum ens_family {
#define ENS_FAMILY_ENUM(name, text, link, parameter) ENS_FAMILY_##name,
    ENS_FAMILY_LIST(ENS_FAMILY_ENUM)
#undef ENS_FAMILY_ENUM
};

#endif
