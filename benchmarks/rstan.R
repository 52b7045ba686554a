# rstan.R MODEL DATA REPEATS PREFIX: compiles, samples REPEATS times on one
# core; PREFIX.runs.csv: CPU seconds (warm-up and draws, without R's part) and
# the smallest bulk ESS of each; PREFIX.fit.csv: means and sds of the last.
# ESS is that of all parameters but the raw ones, which ensrun reports none of.
a <- commandArgs(TRUE)
suppressMessages(library(rstan))
# Debian's BH has no headers of its own
if (dir.exists("/usr/include/boost"))
  rstan_options(boost_lib = "/usr/include")
cpu <- function() sum(proc.time()[c(1, 2, 4, 5)])
before <- cpu()
model <- stan_model(a[1])
compiled <- cpu() - before
data <- read_rdump(a[2])
runs <- NULL
for (i in seq_len(as.integer(a[3]))) {
  before <- cpu()
  fit <- sampling(model, data, chains = 4, iter = 2000, warmup = 1000,
                  cores = 1, refresh = 0, seed = i)
  whole <- cpu() - before
  draws <- as.array(fit)
  names <- setdiff(dimnames(draws)[[3]], "lp__")
  names <- names[!grepl("^(theta_trans|alpha_raw)", names)]
  ess <- vapply(names, function(n) ess_bulk(draws[, , n]), 0)
  runs <- rbind(runs, data.frame(seconds = sum(get_elapsed_time(fit)),
                                 whole = whole, ess = min(ess),
                                 compiled = compiled))
}
write.csv(runs, paste0(a[4], ".runs.csv"), row.names = FALSE)
write.csv(data.frame(parameter = names,
                     mean = apply(draws[, , names], 3, mean),
                     sd = apply(draws[, , names], 3, sd)),
          paste0(a[4], ".fit.csv"), row.names = FALSE)
