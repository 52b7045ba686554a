# Golden numbers of tests/oracle/test_figures.c: replicates.csv and
# golden.csv. Base R only; formulas of Morris, White and Crowther (2019, table
# 6) and of calc_absolute, calc_relative_var of simhelpers' documentation,
# each written out over whole vectors; the jackknife leaves out one replicate
# at a time and computes everything anew.
#   Rscript make.R     in this folder, with R 4.2.2
set.seed(20190601)
options(digits = 17)

case <- function(name, n, truth, sd, bias) {
  est <- truth + bias + rnorm(n, sd = sd)
  se <- sd * sqrt(rchisq(n, 12) / 12)
  other <- 0.6 * (est - truth) + rnorm(n, sd = 0.7 * sd) + truth
  q <- qt(0.9, 12) # so that some miss
  d <- data.frame(case = name, estimate = est, std_error = se, truth = truth,
                  low = est - q * se, high = est + q * se, other = other)
  if (n > 10) { # some are missing, in part or as a whole
    d$estimate[4] <- d$low[4] <- d$high[4] <- d$std_error[4] <- NA
    d$std_error[7] <- NA
    d$low[9] <- d$high[9] <- NA
    d$other[5] <- NA
  }
  d
}
replicates <- rbind(
  case("fixed", 40, rep(2, 40), 0.8, 0.1),
  case("varying", 60, rnorm(60, 1, 2), 0.5, -0.2),
  case("offset", 50, rep(1e4, 50), 1, 0.3),
  case("small", 3, rep(-1, 3), 1, 0))

level <- 0.95
null <- 0.5
mcse_mean <- function(x) sd(x) / sqrt(length(x))
mcse_share <- function(x) sqrt(mean(x) * (1 - mean(x)) / length(x))
kurtosis <- function(x) sum((x - mean(x))^4) / (length(x) * sd(x)^4)

# Each gives c(value, mcse) of complete columns.
mean_of <- function(x) c(mean(x), mcse_mean(x))
share_of <- function(x) c(mean(x), mcse_share(x))
sd_of <- function(x) c(sd(x), sd(x) / sqrt(2 * (length(x) - 1)))
root_of <- function(x)
  c(sqrt(mean(x)), sd(x) / sqrt(length(x)) / (2 * sqrt(mean(x))))
measures <- list(
  mean = function(d) mean_of(d$estimate),
  sd = function(d) sd_of(d$estimate),
  error_sd = function(d) sd_of(d$estimate - d$truth),
  variance = function(d) {
    x <- d$estimate
    c(var(x), var(x) * sqrt((kurtosis(x) - 1) / length(x)))
  },
  model_se = function(d) {
    v <- d$std_error^2; m <- sqrt(mean(v))
    c(m, sqrt(var(v) / (4 * length(v) * m^2)))
  },
  bias = function(d) mean_of(d$estimate - d$truth),
  relative_bias = function(d) mean_of((d$estimate - d$truth) / d$truth),
  mse = function(d) {
    e2 <- (d$estimate - d$truth)^2; n <- length(e2)
    c(mean(e2), sqrt(sum((e2 - mean(e2))^2) / (n * (n - 1))))
  },
  rmse = function(d) root_of((d$estimate - d$truth)^2),
  model_se_error = function(d) {
    e <- d$estimate - d$truth; v <- d$std_error^2; n <- length(e)
    m <- sqrt(mean(v)); s <- sd(e)
    c(100 * (m / s - 1),
      100 * m / s * sqrt(var(v) / (4 * n * m^4) + 1 / (2 * (n - 1))))
  },
  variance_ratio = function(d) {
    e <- d$estimate - d$truth; v <- d$std_error^2; n <- length(e)
    r <- mean(v) / var(e)
    both <- sum((v - mean(v)) * (e - mean(e))^2) / (n - 1)
    c(r, r * sqrt((var(v) / mean(v)^2 + kurtosis(e) - 1 -
                     2 * both / (mean(v) * var(e))) / n))
  },
  coverage = function(d) share_of(d$low <= d$truth & d$truth <= d$high),
  be_coverage = function(d) {
    at <- d$truth + d$centre
    share_of(d$low <= at & at <= d$high)
  },
  rejection = function(d) share_of(d$low >= null | null >= d$high),
  width = function(d) mean_of(d$high - d$low),
  interval_score = function(d)
    mean_of(d$high - d$low +
              2 / (1 - level) * (pmax(d$low - d$truth, 0) +
                                   pmax(d$truth - d$high, 0))),
  relative_precision = function(d) {
    a <- d$other - d$truth; b <- d$estimate - d$truth
    ratio <- (sd(a) / sd(b))^2
    c(100 * (ratio - 1),
      200 * ratio * sqrt((1 - cor(a, b)^2) / (length(a) - 1)))
  },
  difference = function(d) mean_of(d$estimate - d$other),
  mse_difference = function(d)
    mean_of((d$estimate - d$truth)^2 - (d$other - d$truth)^2))
uses <- list(
  model_se = "std_error", model_se_error = c("estimate", "std_error"),
  variance_ratio = c("estimate", "std_error"),
  coverage = c("low", "high"), be_coverage = c("low", "high"),
  rejection = c("low", "high"), width = c("low", "high"),
  interval_score = c("low", "high"),
  relative_precision = c("estimate", "other"),
  difference = c("estimate", "other"),
  mse_difference = c("estimate", "other"))

golden <- NULL
for (name in unique(replicates$case)) {
  all <- replicates[replicates$case == name, ]
  all$centre <- mean(all$estimate - all$truth, na.rm = TRUE)
  for (m in names(measures)) {
    columns <- if (is.null(uses[[m]])) "estimate" else uses[[m]]
    d <- all[complete.cases(all[columns]), ]
    n <- nrow(d)
    full <- measures[[m]](d)
    without <- suppressWarnings(
      sapply(seq_len(n), function(i) measures[[m]](d[-i, ])[1]))
    jackknife <- sqrt((n - 1) / n * sum((without - full[1])^2))
    golden <- rbind(golden, data.frame(
      case = name, measure = m, n_used = n, value = full[1], mcse = full[2],
      jackknife = jackknife))
  }
  x <- all$estimate[!is.na(all$estimate)]
  n <- length(x)
  for (prob in c(0.5, 0.9)) {
    rank <- qbeta(pnorm(c(-1, 1)), n * prob + 1, n * (1 - prob) + 1) * n
    at <- sort(x)[c(max(floor(rank[1]), 1), min(ceiling(rank[2]), n))]
    golden <- rbind(golden, data.frame(
      case = name, measure = paste0("quantile_", prob), n_used = n,
      value = quantile(x, prob, names = FALSE, type = 7),
      mcse = diff(at) / 2, jackknife = NA))
  }
}
text <- function(d) {
  for (k in names(d))
    if (is.numeric(d[[k]]))
      d[[k]] <- ifelse(is.na(d[[k]]), "", sprintf("%.17g", d[[k]]))
  d
}
write.csv(text(replicates), "replicates.csv", row.names = FALSE, quote = FALSE)
write.csv(text(golden), "golden.csv", row.names = FALSE, quote = FALSE)
