# golden.csv of this folder: `Rscript make.R`. Metrics of tasks in plain R, and
# posterior 1.4.0 for diagnostics, of draws that tests/oracle/test_metrics.c
# makes alike, bit by bit.
suppressMessages(library(posterior))
state <- 1
u <- function(n) { v <- numeric(n)
  for (i in 1:n) { state <<- (state * 16807) %% 2147483647; v[i] <- state / 2147483647 }
  v }
n <- 250; m <- 4; s <- n * m
a <- u(s) - 0.3
b <- numeric(s); last <- 0
e <- u(s)
for (i in 1:s) { last <- 0.9 * last + (e[i] - 0.5); b[i] <- last }
truth <- c(0.25, 0.8)
draws <- list(a = a, b = b)
energy <- u(s)
out <- function(name, v) cat(sprintf("%s,%.17g\n", name, v))
sink("golden.csv")
for (j in 1:2) {
  x <- draws[[j]]; p <- names(draws)[j]; t <- truth[j]
  out(paste0("posterior_summary.mean.", p), mean(x))
  out(paste0("posterior_summary.median.", p), median(x))
  out(paste0("posterior_summary.sd.", p), sd(x))
  q <- quantile(x, c(.05, .95), names = FALSE)
  out(paste0("posterior_summary.q_lower.", p), q[1])
  out(paste0("posterior_summary.q_upper.", p), q[2])
  for (k in c(.025, .4, 1)) out(paste0("quantiles.q", 100 * k, ".", p), quantile(x, k, names = FALSE))
  out(paste0("pos_prob.by_param.", p), mean(x > 0))
  out(paste0("crps.by_param.", p), mean(abs(x - t)) - mean(abs(outer(x, x, "-"))) / 2)
  q <- quantile(x, c(.25, .75), names = FALSE)
  out(paste0("intervals.low.", p), q[1]); out(paste0("intervals.high.", p), q[2])
  out(paste0("intervals.width.", p), q[2] - q[1])
  out(paste0("intervals.score.", p), q[2] - q[1] + 4 * max(q[1] - t, 0) + 4 * max(t - q[2], 0))
  out(paste0("intervals.covered.", p), q[1] <= t && t <= q[2])
  out(paste0("p_value..", p), min(1, 2 * min(mean(x <= 0.05), mean(x >= 0.05))))
  out(paste0("rank5.by_param.", p), sum(x[seq(1, s, 5)] < t))
}
mat <- lapply(draws, matrix, n, m)
bulk <- sapply(mat, ess_bulk)
stride <- max(1, floor(s / min(bulk)))
out("rank.stride", stride)
out("rank.n_draws", length(seq(1, s, stride)))
for (p in names(draws)) out(paste0("rank.by_param.", p), sum(draws[[p]][seq(1, s, stride)] < truth[p == names(draws)]))
out("diagnostics.rhat_max", max(sapply(mat, rhat)))
out("diagnostics.ess_bulk_min", min(bulk))
out("diagnostics.ess_tail_min", min(sapply(mat, ess_tail)))
for (p in names(draws)) {
  x <- mat[[p]]
  out(paste0("draws_mcse.mean.", p), mcse_mean(x)); out(paste0("draws_mcse.sd.", p), mcse_sd(x))
  q <- mcse_quantile(x, c(.05, .5, .95), names = FALSE)
  for (i in 1:3) out(paste0("draws_mcse.", c("q5", "q50", "q95")[i], ".", p), q[i])
}
en <- matrix(energy, n, m)
out("diagnostics.ebfmi_min", min(apply(en, 2, function(x) sum(diff(x)^2) / n / var(x))))
out("diagnostics.divergent", sum(energy > 0.9))
out("diagnostics.max_treedepth", sum(floor(10 * energy) + 1 >= 10))

# the test set, and leave-one-out: 12 rows
y <- u(12) * 3; pred <- y + u(12) - 0.4; elpd <- -u(12); ploo <- u(12); k <- u(12)
out("pred_bias.value", mean(pred - y)); out("pred_mae.value", mean(abs(pred - y)))
out("pred_mse.value", mean((pred - y)^2)); out("pred_rmse.value", sqrt(mean((pred - y)^2)))
out("r2_test.value", 1 - sum((y - pred)^2) / sum((y - mean(y))^2))
out("elpd_test.value", sum(elpd))
out("elpd_loo.elpd", sum(elpd)); out("elpd_loo.p_loo", sum(ploo))
out("elpd_loo.se", sqrt(12 * var(elpd))); out("elpd_loo.pareto_k_max", max(k))
out("rmse_loo.value", sqrt(mean((pred - y)^2)))
# by a bootstrap of 10^6 weightings: the mean and sd of one
set.seed(1)
r2 <- replicate(100, { g <- matrix(rexp(12 * 1e4), 1e4); g <- g / rowSums(g); er <- pred - y
  v <- function(z) 12 / 11 * (g %*% z^2 - (g %*% z)^2)
  pmin(1, pmax(-1, 1 - v(er) / v(y))) })
out("r2_loo.value", mean(r2)); out("r2_loo.sd", sd(r2))

# without draws: estimates 1 and -2, se 0.5 and 3, t with 7 degrees of freedom
est <- c(1, -2); se <- c(0.5, 3); h <- qt(.75, 7)
for (j in 1:2) {
  p <- names(draws)[j]
  out(paste0("t.p_value..", p), 2 * pt(-abs(est[j] - 0.05) / se[j], 7))
  out(paste0("t.intervals.low.", p), est[j] - h * se[j])
  out(paste0("t.intervals.high.", p), est[j] + h * se[j])
}
sink()
