# Tables of tests/oracle/test_loo.c: `Rscript loo.R` in this folder, loo 2.5.1.
suppressMessages({library(loo); library(jsonlite)})
ll <- fromJSON("golden.json")$loo$ll
p <- suppressWarnings(psis(-ll, r_eff = rep(.8, 5)))
x <- row(ll) %% 97 / 10 + col(ll) # made there alike
cat("weighted: mean, var, 5 %, 50 %, 95 %\n")
e <- function(type, ...) suppressWarnings(E_loo(x, p, type = type, ...))$value
# E_loo(type = "var") of this version is the variance of the mean instead
w <- weights(p, log = FALSE)
var <- (colSums(w * x^2) - colSums(w * x)^2) / (1 - colSums(w^2))
m <- rbind(e("mean"), var, e("quantile", probs = c(.05, .5, .95)))
for (i in 1:5) cat(sprintf("    {%s},\n", paste(sprintf("%.17g", m[, i]), collapse = ", ")))
cat("estimates with their standard errors\n")
l <- suppressWarnings(loo(ll, r_eff = rep(.8, 5)))
print(l$estimates, digits = 17)
