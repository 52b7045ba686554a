#!/usr/bin/Rscript
# Makes models.inc: fits by R of ridge regression, generalised linear models
# and the normal inverse gamma posterior, over 40 rows, for test_models.c.
# R 4.2.2, MASS 7.3.58.2:
#   Rscript tests/oracle/models.R > tests/oracle/models.inc
suppressMessages(library(MASS))
options(warn = 2)
set.seed(20)
n <- 40
x1 <- round(rnorm(n), 4)
x2 <- round(x1 / 2 + runif(n), 4)
eta <- 0.6 + 0.4 * x1 - 0.3 * x2
d <- data.frame(x1, x2, y = round(1 + 2 * x1 - x2 + rnorm(n), 4),
                count = rnbinom(n, size = 1.5, mu = exp(eta)),
                big = rnbinom(n, size = 3, mu = exp(eta + 5)),
                even = c(2, 3)[1 + (x1 > 0)],
                positive = round(rgamma(n, 2, 2 / exp(eta)), 4) + 0.001)

put <- function(name, v) {
  cat("static const double ", name, "[] = {\n    ",
      paste(sprintf("%.17g", v), collapse = ",\n    "), "};\n", sep = "")
}
for (k in names(d)) put(paste0("data_", k), d[[k]])

# estimates, standard errors, limits at 0.95
frame <- function(name, b, se, df, level = 0.95) {
  q <- qt((1 + level) / 2, df)
  put(name, c(b, se, b - q * se, b + q * se))
}

# -- ridge, by its definition
ridge <- function(X, y, w) {
  A <- solve(crossprod(X) + diag(w))
  b <- drop(A %*% crossprod(X, y))
  H <- X %*% A %*% t(X)
  df <- length(y) - sum(diag(H))
  s2 <- sum((y - X %*% b)^2) / df
  list(b = b, se = sqrt(s2 * diag(A %*% crossprod(X) %*% A)), df = df)
}
X <- cbind(1, d$x1, d$x2)
f <- ridge(X, d$y, c(0, 3, 3))
frame("ridge_plain", f$b, f$se, f$df)
f <- ridge(X[1:2, ], d$y[1:2], c(0, 3, 3)) # fewer rows than terms
put("ridge_short", c(f$b, f$se))
put("ridge_scaled", coef(lm.ridge(y ~ x1 + x2, d, lambda = 3)))

# -- generalised linear models
f <- glm(positive ~ x1 + x2, Gamma(link = "log"), d)
s <- summary(f)
shape <- gamma.shape(f, eps.max = 1e-14, it.lim = 100)
frame("glm_gamma", s$coef[, 1], s$coef[, 2], f$df.residual)
put("glm_gamma_shape", c(shape$alpha, shape$SE, f$deviance, s$dispersion))
for (k in c("count", "big")) {
  f <- suppressWarnings(glm.nb(as.formula(paste(k, "~ x1 + x2")), d,
              control = glm.control(epsilon = 1e-15, maxit = 500)))
  s <- summary(f)
  frame(paste0("glm_nb_", k), s$coef[, 1], s$coef[, 2], Inf)
  # theta.ml stops at a step of 1e-4: to the end
  at <- f$theta
  for (i in 1:20) {
    mu <- fitted(f)
    y <- f$y
    sc <- sum(digamma(at + y) - digamma(at) + log(at) + 1 - log(at + mu) -
              (y + at) / (mu + at))
    inf <- sum(-trigamma(at + y) + trigamma(at) - 1 / at + 2 / (mu + at) -
               (y + at) / (mu + at)^2)
    at <- at + sc / inf
  }
  put(paste0("glm_nb_", k, "_phi"), c(at, 1 / sqrt(inf)))
}
put("glm_offset", coef(glm(count ~ x1 + offset(x2), poisson, d)))

# -- normal inverse gamma
nig <- function(name, X, y, m0, l0, a0, b0, level) {
  L0 <- diag(l0, ncol(X))
  Ln <- L0 + crossprod(X)
  mn <- drop(solve(Ln, L0 %*% m0 + crossprod(X, y)))
  an <- a0 + length(y) / 2
  bn <- b0 + (sum(y^2) + drop(t(m0) %*% L0 %*% m0 - t(mn) %*% Ln %*% mn)) / 2
  v <- diag(solve(Ln)) * bn / an # scale of the marginal t, squared
  q <- qt((1 + level) / 2, 2 * an) * sqrt(v)
  s <- sqrt(bn) * exp(lgamma(an - 0.5) - lgamma(an))
  t <- (1 - level) / 2
  put(name, c(mn, s, sqrt(v * an / (an - 1)), sqrt(bn / (an - 1) - s^2),
              mn - q, 1 / sqrt(qgamma(1 - t, an, bn)),
              mn + q, 1 / sqrt(qgamma(t, an, bn))))
}
nig("nig_flat", X, d$y, c(0, 0, 0), 1e-6, 2, 1e-6, 0.95)
nig("nig_prior", X, d$y, c(1, -1, 0.5), 7, 3, 2, 0.8)
