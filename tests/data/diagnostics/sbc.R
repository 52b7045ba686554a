# Table `gammas` of tests/oracle/test_sbc.c: `Rscript sbc.R`, bayesplot 1.10.0.
# Its gamma is found to 1e-4 by a search of a step function, so the test takes
# the probability that goes with it: here from the binomial distribution of
# each count given the one before, a matrix product per point.
coverage <- function(n, k, gamma) {
  z <- (1:(k - 1)) / k
  from <- 0; p <- 1; last <- 0
  for (at in z) {
    low <- qbinom(gamma / 2, n, at)
    high <- n - qbinom(gamma / 2, n, 1 - at)
    to <- low:high
    move <- outer(to, from, function(b, a) dbinom(b - a, n - a, (at - last) / (1 - last)))
    p <- as.vector(move %*% p)
    from <- to; last <- at
  }
  sum(p)
}
for (a in list(c(20, 10, .95), c(50, 20, .9), c(100, 100, .95), c(100, 100, .99),
               c(100, 20, .95), c(1000, 100, .95), c(250, 51, .95), c(1000, 1000, .95))) {
  gamma <- bayesplot:::adjust_gamma_optimize(a[1], a[2], a[3])
  cat(sprintf("    {%d, %d, %g, %.17g, %.17g},\n", a[1], a[2], a[3], gamma,
              coverage(a[1], a[2], gamma)))
}
