#!/usr/bin/Rscript
# Makes meta.inc and meta_classes.inc: weights of meta learners for test_meta.c
# and test_meta_classes.c, by R 4.2.2 with nnls 1.4, quadprog 1.5.8, nloptr
# 2.0.3:
#   Rscript tests/oracle/meta.R squares > tests/oracle/meta.inc
#   Rscript tests/oracle/meta.R classes > tests/oracle/meta_classes.inc
# The data are drawn by a generator that R and C have alike (Park and Miller
# 1988), so that they need not be stored.
suppressMessages({library(nnls); library(quadprog); library(nloptr)})
options(warn = 2)
what <- commandArgs(TRUE)

state <- 1
u <- function() { # one at a time: the order of calls is that of the C test
  state <<- (16807 * state) %% 2147483647
  state / 2147483647
}
draw <- function(seed, n, l, mean, apart, classes = FALSE) {
  state <<- seed
  slope <- numeric(l)
  for (j in 1:l) slope[j] <- 0.5 + u()
  Z <- matrix(0, n, l)
  y <- w <- numeric(n)
  for (i in 1:n) {
    t <- 2 * (u() - 0.5) + (u() - 0.5)
    e <- 0.5 * (u() - 0.5)
    for (j in 1:l) Z[i, j] <- mean + slope[j] * t + apart * (u() - 0.5)
    y[i] <- mean + t + e
    w[i] <- floor(4 * u())
    if (classes) {
      y[i] <- if (t + 4 * e > 0) 1 else 0
      Z[i, ] <- pmin(pmax(0.5 + Z[i, ] / 4, 0), 1)
    }
  }
  list(Z = Z, y = y, w = w)
}

put <- function(name, v) {
  if (startsWith(name, "class_") != (what == "classes")) return(invisible())
  cat("static const double ", name, "[] = {\n    ",
      paste(sprintf("%.17g", v), collapse = ",\n    "), "};\n", sep = "")
}
by_nnls <- function(d) coef(nnls(sqrt(d$w) * d$Z, sqrt(d$w) * d$y))
by_qp <- function(d) {
  Z <- sqrt(d$w) * d$Z
  l <- ncol(Z)
  solve.QP(crossprod(Z), crossprod(Z, sqrt(d$w) * d$y), cbind(1, diag(l)),
           c(1, rep(0, l)), meq = 1)$solution
}
risks <- function(d) colMeans(d$w * (d$Z - d$y)^2)
all <- function(name, d, weighted = FALSE) {
  if (!weighted) d$w[] <- 1
  put(paste0(name, "_nnls"), by_nnls(d))
  put(paste0(name, "_convex"), by_qp(d))
  put(paste0(name, "_risk"), risks(d))
}
all("one", draw(1, 20, 1, 1, 0.5))
all("few", draw(2, 100, 5, 1, 0.5))
all("many", draw(3, 300, 50, 1, 3))
all("weighted", draw(2, 100, 5, 1, 0.5), TRUE)
all("far", draw(4, 200, 6, 50, 0.5))
d <- draw(5, 60, 4, 1, 0.5)
d$y[] <- 3
all("constant", d)
d <- draw(6, 5, 8, 0, 3) # fewer rows than learners: no quadprog
d$w[] <- 1
put("short_nnls", by_nnls(d))

# -- likelihoods and areas, as R's SuperLearner defines them
trim_logit <- function(x, trim = 0.001) {
  x[x < trim] <- trim
  x[x > 1 - trim] <- 1 - trim
  log(x / (1 - x))
}
d <- draw(7, 400, 4, 0, 1.5, TRUE)
X <- trim_logit(d$Z)
f <- function(b, w) {
  eta <- drop(X %*% b)
  -2 * sum(w * (d$y * plogis(eta, log.p = TRUE) +
                (1 - d$y) * plogis(-eta, log.p = TRUE)))
}
g <- function(b, w) -2 * drop(crossprod(X, w * (d$y - plogis(drop(X %*% b)))))
for (k in 1:2) {
  w <- if (k == 1) rep(1, 400) else d$w
  name <- c("class", "class_weighted")[k]
  o <- optim(rep(0, 4), f, g, w = w, method = "L-BFGS-B", lower = 0,
             control = list(factr = 1, pgtol = 0, maxit = 1000))
  put(paste0(name, "_nnloglik"), o$par / sum(o$par))
  o <- nloptr(rep(1 / 4, 4), function(b) f(b, w), function(b) g(b, w),
              lb = rep(0, 4), ub = rep(1, 4),
              eval_g_eq = function(b) sum(b) - 1,
              eval_jac_g_eq = function(b) rep(1, 4),
              opts = list(algorithm = "NLOPT_LD_SLSQP", xtol_rel = 1e-13,
                          ftol_rel = 0, maxeval = 10000))
  put(paste0(name, "_convex_loglik"), o$solution)
  put(paste0(name, "_deviance"),
      -2 * colMeans(w * (d$y * plogis(X, log.p = TRUE) +
                         (1 - d$y) * plogis(-X, log.p = TRUE))))
  auc <- function(p) {
    up <- d$y == 1
    less <- outer(p[!up], p[up], function(a, b) (a < b) + (a == b) / 2)
    sum(outer(w[!up], w[up]) * less) / (sum(w[up]) * sum(w[!up]))
  }
  put(paste0(name, "_auc_risk"), apply(d$Z, 2, function(z) 1 - auc(z)))
  o <- optim(rep(1 / 4, 4), function(b) 1 - auc(drop(d$Z %*% b)),
             method = "L-BFGS-B", lower = 0)
  put(paste0(name, "_auc_optim"), o$value)
}
