# An R function as a persistent program of ensrun (kind `command`).
#
#     source("ensrun.R")
#     serve(function(t) {
#       set.seed(t$seed31)
#       list(mean = mean(rnorm(t$values$n)))
#     })
#
# t$values   the values of [axes]        t$seed31, t$replicate, t$task
# t$seed     64 bit, as a text           t$inputs$X$path, $rows, $columns ...
#
# What the function returns (a named list of numbers and texts) becomes the
# fields of the task; an error makes it `failed`, with its message. What it
# prints goes to standard error. Read an input once, outside of the function's
# work (R's base cannot map files). Needs jsonlite. The protocol: README.md
# beside this file. Copy it freely.

# One value as JSON; jsonlite would round numbers to 15 digits.
as_json <- function(x) {
  if (length(x) != 1) stop("a field is one number or one text")
  if (is.na(x)) return("null")
  if (is.numeric(x) && is.finite(x)) return(sprintf("%.17g", x))
  if (is.numeric(x)) stop("a field is infinite")
  as.character(jsonlite::toJSON(x, auto_unbox = TRUE))
}

answer <- function(f, line) {
  t <- jsonlite::fromJSON(line)
  values <- tryCatch(lapply(as.list(f(t)), as_json), error = function(e) {
    list(error = as_json(conditionMessage(e)))
  })
  values$task <- as_json(t$task)
  keys <- vapply(names(values), as_json, "")
  paste0("{", paste0(keys, ": ", values, collapse = ", "), "}")
}

serve <- function(f) {
  out <- file("/dev/stdout", "w")
  sink(stderr())
  input <- file("stdin", "r")
  while (length(line <- readLines(input, 1L)) > 0) {
    writeLines(answer(f, line), out)
    flush(out)
  }
}
