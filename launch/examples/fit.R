#!/usr/bin/env Rscript
# Least squares by R's lm, for fitters.ini.

# ensrun.R may as well lie beside the study: copy it
source(file.path(Sys.getenv("ENSRUN_FOLDER"), "../clients/ensrun.R"))

fit(function(t) {
  m <- lm(t$formula, t$data)
  s <- coef(summary(m))
  list(estimate = s[, "Estimate"], std_error = s[, "Std. Error"],
       df = m$df.residual)
})

serve()
