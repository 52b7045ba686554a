# Expected values in tests/oracle/test_diagnostics.c: `Rscript more.R` in this
# folder, posterior 1.4.0.
suppressMessages({library(posterior); library(jsonlite)})

# Table `of_file`. The inputs in golden.json are rounded to 15 digits. Of an
# even number of draws the middle two are equally far from the median, or
# nearly so when their mean is not a double; which of it holds is decided by
# the last bit, and moves the 4th digit of R-hat.
golden <- fromJSON("golden.json")
for (name in names(golden)) {
  x <- golden[[name]]$x
  if (!is.numeric(x) || name == "constant") next
  if (abs(rhat(x) / golden[[name]]$rhat - 1) > 1e-10)
    cat(sprintf("    {\"%s\", %.17g},\n", name, rhat(x)))
}

# Table `slow`: chains that take hundreds of lags. Their draws are made there
# as here, bit by bit.
# products stay below 2^53
chains <- function(n, m, rho) {
  state <- 1
  x <- matrix(0, n, m)
  for (c in 1:m) {
    last <- 0
    for (i in 1:n) {
      state <- (state * 16807) %% 2147483647
      last <- rho * last + (state / 2147483647 - 0.5)
      x[i, c] <- last
    }
  }
  x
}
for (a in list(c(2000, 4, .99), c(1001, 3, .98), c(5000, 1, .995), c(300, 2, .95))) {
  x <- chains(a[1], a[2], a[3])
  cat(sprintf("    {%d, %d, %s,\n     {%s}},\n", a[1], a[2], a[3], paste(format(c(
    rhat(x), ess_bulk(x), ess_tail(x), ess_mean(x), ess_sd(x), mcse_mean(x),
    mcse_sd(x), mcse_quantile(x, .05), mcse_quantile(x, .5)), digits = 17),
    collapse = ", ")))
}
