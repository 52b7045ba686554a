# data.csv and designs.txt: model matrices by R (run here: Rscript make.R).
# designs.txt: per formula its text, the names of the columns, then the rows.
invisible(Sys.setlocale("LC_COLLATE", "C"))
library(splines)
set.seed(7)
n <- 40
d <- data.frame(
  y = round(rnorm(n), 4), x = round(rnorm(n), 3), z = round(runif(n, 1, 9), 3),
  k = sample(c(1L, 2L, 100000L), n, TRUE), h = sample(c(0.5, 1e5, -2), n, TRUE),
  species = sample(c("setosa", "b c", "Virginica"), n, TRUE),
  site = sample(c("north", "south"), n, TRUE), w = rpois(n, 3))
d$species[5] <- NA
d$x[7] <- NA
d$y[9] <- NA
write.csv(d, "data.csv", row.names = FALSE, quote = TRUE)
d <- read.csv("data.csv", stringsAsFactors = TRUE)
formulas <- c(
  "y ~ x + species", "y ~ species", "y ~ 0 + species", "y ~ -1 + x + species",
  "y ~ x:species", "y ~ x*species", "y ~ species*site", "y ~ species:site",
  "y ~ 0 + species:site", "y ~ site + species:site", "y ~ 0 + x + site*species",
  "y ~ x:z", "y ~ (x + z + site)^2", "y ~ x*z*site", "y ~ 0 + x:site",
  "y ~ factor(k)", "y ~ factor(h) + x", "y ~ factor(species)*site",
  "y ~ .", "y ~ . - species - k", "log(z) ~ .",
  "y ~ species*site - species", "y ~ x + offset(log(z)) + site",
  "y ~ I(x^2):site + x", "y ~ site*factor(k) - 1", "y ~ site:x + species:z",
  "y ~ .^2 - k:h", "log(z) ~ .^3", "y ~ x + site + -1", "y ~ -1 + x - -1")
bases <- c(
  "y ~ poly(z, 2)", "y ~ poly(w, 3)", "y ~ site*poly(z, 2)",
  "y ~ poly(z, degree = 4) + w", "y ~ poly(z, 8)", "y ~ poly(log(z), 1)",
  "y ~ bs(z, df = 5)", "y ~ bs(z, df = 3)", "y ~ bs(z)", "y ~ bs(x, df = 6)",
  "y ~ bs(w, df = 7)", "y ~ bs(z, df = 4, degree = 2)", "y ~ bs(z, 5)",
  "y ~ ns(z, df = 3)", "y ~ ns(z)", "y ~ ns(x, df = 4):site", "y ~ ns(z, 2)",
  "y ~ ns(w, df = 5)", "y ~ 0 + ns(z, df = 1)")
formulas <- c(formulas, bases)
out <- file("designs.txt", "w")
for (f in formulas) {
  t <- terms(as.formula(f), data = d)
  m <- model.matrix(t, model.frame(t, d))
  names <- sub("(Intercept)", "intercept", colnames(m), fixed = TRUE)
  writeLines(c(f, paste(names, collapse = "\t")), out)
  writeLines(apply(m, 1, function(r) paste(sprintf("%.17g", r), collapse = "\t")), out)
  writeLines("", out)
}
close(out)
# Fits: what glm and lm make of factors and offsets.
fits <- file("fits.csv", "w")
writeLines("family|formula|term|estimate|std_error", fits)
for (family in c("gaussian", "poisson"))
  for (f in c("w ~ species*x", "w ~ offset(log(z)) + site + x", "w ~ site + factor(k)")) {
    s <- summary(glm(as.formula(f), family, d))$coefficients
    writeLines(paste(family, f, sub("(Intercept)", "intercept", rownames(s), fixed = TRUE),
      sprintf("%.17g", s[, 1]), sprintf("%.17g", s[, 2]), sep = "|"), fits)
  }
close(fits)
