# R functions as persistent programs of ensrun.
#
#     source("ensrun.R")
#
#     task(function(t) {                   # kind command, persistent = yes
#       set.seed(t$seed31)
#       list(mean = mean(rnorm(t$values$n)))
#     })
#     generate(function(t) {               # [data] generator = program
#       set.seed(t$seed31)
#       x <- rnorm(t$values$n)
#       data.frame(x = x, y = 1 + 2 * x + rnorm(t$values$n))
#     })
#     fit(function(t) {                    # [fit] fitter = program
#       s <- coef(summary(lm(t$formula, t$data)))
#       list(estimate = s[, 1], std_error = s[, 2], df = nrow(t$data) - nrow(s))
#     })
#     metric(function(t) {                 # [metrics] run = ...
#       list(mse = mean((t$y - t$x %*% t$estimate)^2))
#     })
#     learner(                             # [learner] learner = program
#       function(t) lm(y ~ ., data.frame(t$x, y = t$y)),
#       function(model, t) predict(model, data.frame(t$x)))
#     serve()                              # one or more of them in one program
#
# t$values   the keys of [axes], or your own in the row
# t$seed31, t$replicate, t$task, t$role    t$seed   64 bit, as a text
# t$inputs$X$path, $rows, $columns ...
#
# generate returns a data frame, or a list of columns; or list(data = either,
# test = rows to predict, likewise, truth = c(x = 2.1), meta = c(k = 3)), the
# numbers that the study asks for in `truth` (t$truth_names) and `meta`
# (t$meta_names). fit and metric see
# t$data, a data frame (text as factors); where the model has a formula also
# t$formula, its model matrix t$x (columns t$terms), t$y and t$offset; t$terms,
# t$level. metric also sees t$estimate, t$std_error, t$conf_low, t$conf_high and
# t$truth, named vectors. estimate, std_error, conf_low and conf_high are
# vectors in the order of t$terms, or named ("(Intercept)" is the intercept);
# only estimate must be there. Warnings go to the task's.
#
# A learner is two functions. The first gives a model of the training rows,
# anything that can be serialized: t$x (a matrix with column names), t$y (of
# classes their numbers from 0), t$w (NULL without weights), t$family,
# t$n_classes. The second predicts the rows t$x: a vector, of multinomial a
# matrix of probabilities, a column per class.
#
# An error makes the task `failed`, with its message. What is printed goes to
# standard error. Read an input once, outside of the function's work (R's base
# cannot map files, it reads them). Needs jsonlite. The protocol: README.md
# beside this file. Copy it freely.

# In a place of its own: only the six functions below are seen from outside.
.ensrun <- local({
  functions <- new.env()
  task <- function(f) functions$task <- f
  generate <- function(f) functions$generate <- f
  fit <- function(f) functions$fit <- f
  metric <- function(f) functions$metric <- f

  learner <- function(fit, predict) {
    functions$learn <- fit
    functions$predict <- predict
  }

  # toJSON costs more than a small fit: only what must be escaped goes there.
  text_json <- function(x) {
    x <- enc2utf8(as.character(x))
    if (is.na(x) || grepl("[\"\\\\\001-\037]", x, useBytes = TRUE)) {
      return(as.character(jsonlite::toJSON(x, auto_unbox = TRUE)))
    }
    paste0("\"", x, "\"")
  }

  # One value as JSON; jsonlite would round numbers to 15 digits.
  as_json <- function(x, name = "a field") {
    if (is.null(x)) return("null")
    if (is.array(x)) x <- as.vector(x)
    if (!is.atomic(x) || length(x) != 1) {
      stop(name, " is not one number or one text", call. = FALSE)
    }
    if (is.na(x)) return("null")
    if (is.numeric(x) && is.finite(x)) return(sprintf("%.17g", x))
    if (is.numeric(x)) stop(name, " is infinite", call. = FALSE)
    if (is.logical(x)) return(if (x) "true" else "false")
    text_json(x)
  }

  fields_json <- function(x) {
    x <- as.list(x)
    if (length(x) > 0 && is.null(names(x))) stop("fields without names")
    sapply(names(x), simplify = FALSE,
           function(name) as_json(x[[name]], name))
  }

  # A named vector as an object, another one as a list.
  vector_json <- function(x) {
    x <- unlist(x)
    values <- vapply(x, as_json, "")
    if (is.null(names(x))) {
      return(paste0("[", paste(values, collapse = ", "), "]"))
    }
    keys <- vapply(names(x), text_json, "")
    paste0("{", paste0(keys, ": ", values, collapse = ", "), "}")
  }

  # Numbers of a request.
  read_block <- function(b) {
    file <- file(b$path, "rb")
    on.exit(close(file))
    if (b$at > 0) seek(file, b$at)
    x <- readBin(file, "double", b$rows * length(b$columns), endian = "little")
    matrix(x, b$rows, dimnames = list(NULL, b$columns))
  }

  # Rows of a file, each `stride` numbers behind the last: pieces, or an index.
  read_rows <- function(b) {
    p <- length(b$columns)
    if (!is.null(b$index)) {
      index <- read_block(b$index)[, 1]
      pieces <- matrix(c(min(index), max(index) - min(index) + 1), 1)
    } else {
      pieces <- matrix(as.numeric(b$ranges), ncol = 2)
    }
    file <- file(b$path, "rb")
    on.exit(close(file))
    read <- function(first, n) {
      seek(file, b$at + 8 * b$stride * first)
      x <- readBin(file, "double", (n - 1) * b$stride + p, endian = "little")
      length(x) <- n * b$stride
      matrix(x, n, byrow = TRUE)[, seq_len(p), drop = FALSE]
    }
    x <- do.call(rbind, Map(read, pieces[, 1], pieces[, 2]))
    if (!is.null(b$index)) x <- x[index - min(index) + 1, , drop = FALSE]
    dimnames(x) <- list(NULL, b$columns)
    x
  }

  read_data <- function(b) {
    x <- as.data.frame(read_block(b), optional = TRUE)
    for (name in names(b$levels)) {
      x[[name]] <- factor(b$levels[[name]][x[[name]] + 1],
                          levels = b$levels[[name]])
    }
    x
  }

  read_numbers <- function(t) {
    if (!is.null(t$data)) t$data <- read_data(t$data)
    if (!is.null(t$x)) {
      t$x <- if (is.null(t$x$stride)) read_block(t$x) else read_rows(t$x)
    }
    if (!is.null(t$w)) t$w <- read_block(t$w)[, 1]
    if (!is.null(t$y)) t$y <- read_block(t$y)[, 1]
    if (!is.null(t$offset)) t$offset <- read_block(t$offset)[, 1]
    for (name in c("estimate", "std_error", "conf_low", "conf_high", "truth")) {
      if (!is.null(t[[name]])) {
        t[[name]] <- setNames(as.numeric(t[[name]]), t$terms)
      }
    }
    t
  }

  columns_of <- function(t, data) {
    missing <- setdiff(t$columns, names(data))
    if (length(missing) > 0) stop("no column ", missing[1])
    columns <- lapply(t$columns, function(name) as.double(data[[name]]))
    if (length(unique(lengths(columns))) != 1) stop("columns differ in length")
    columns
  }

  write_data <- function(t, result) {
    more <- list()
    if (is.list(result$data) && !("data" %in% t$columns)) {
      more <- result[c("truth", "meta")]
      test <- result$test
      result <- result$data
    } else {
      test <- NULL
    }
    data <- columns_of(t, result)
    test <- if (is.null(test)) lapply(data, `[`, 0) else columns_of(t, test)
    file <- file(t$answer, "wb")
    on.exit(close(file))
    for (i in seq_along(data)) {
      writeBin(data[[i]], file, endian = "little")
      writeBin(test[[i]], file, endian = "little")
    }
    more <- more[!vapply(more, is.null, TRUE)]
    c(lapply(more, vector_json),
      list(rows = sprintf("%d", length(data[[1]])),
           test_rows = sprintf("%d", length(test[[1]]))))
  }

  write_answer <- function(t, values) {
    file <- file(t$answer, "wb")
    on.exit(close(file))
    if (is.raw(values)) writeBin(values, file)
    else writeBin(as.double(values), file, endian = "little")
  }

  learn <- function(t) {
    model <- serialize(functions$learn(t), NULL, version = 3)
    write_answer(t, model)
    list(bytes = sprintf("%.0f", length(model)))
  }

  model <- NULL # the last one
  model_key <- ""
  predict_rows <- function(t) {
    if (t$model$key != model_key) {
      file <- file(t$model$path, "rb")
      on.exit(close(file))
      seek(file, t$model$at)
      model <<- unserialize(readBin(file, "raw", t$model$bytes))
      model_key <<- t$model$key
    }
    n <- nrow(t$x)
    out <- as.matrix(functions$predict(model, t))
    if (nrow(out) != n || ncol(out) != t$n_out) {
      stop("predictions of ", nrow(out), " x ", ncol(out), "; ", n, " x ",
           t$n_out, " expected", call. = FALSE)
    }
    write_answer(t, out)
    list(rows = sprintf("%d", n))
  }

  run_task <- function(t) {
    f <- functions[[t$role]]
    if (is.null(f)) stop("this program has no function for ", t$role)
    if (t$role == "task") return(fields_json(f(t)))
    said <- character()
    if (t$role == "learn") f <- learn
    if (t$role == "predict") f <- predict_rows
    result <- withCallingHandlers(f(read_numbers(t)), warning = function(w) {
      said <<- c(said, conditionMessage(w))
      invokeRestart("muffleWarning")
    })
    values <- if (t$role %in% c("learn", "predict")) {
      result
    } else if (t$role == "generate") {
      write_data(t, result)
    } else if (t$role == "fit") {
      parts <- c("estimate", "std_error", "conf_low", "conf_high", "warnings")
      sapply(names(result), simplify = FALSE, function(name) {
        if (name %in% parts) vector_json(result[[name]])
        else as_json(result[[name]], name)
      })
    } else {
      fields_json(result)
    }
    if (length(said) > 0) values$warnings <- vector_json(unique(said))
    values
  }

  answer <- function(line) {
    t <- jsonlite::fromJSON(line)
    values <- tryCatch(run_task(t), error = function(e) {
      list(error = as_json(conditionMessage(e)))
    })
    values$task <- as_json(t$task)
    keys <- vapply(names(values), text_json, "")
    paste0("{", paste0(keys, ": ", values, collapse = ", "), "}")
  }

  # Answer lines until there are no more. f: as by task().
  serve <- function(f = NULL) {
    if (!is.null(f)) task(f)
    out <- file("/dev/stdout", "w")
    sink(stderr())
    input <- file("stdin", "r")
    while (length(line <- readLines(input, 1L)) > 0) {
      writeLines(answer(line), out)
      flush(out)
    }
  }

  environment()
})
task <- .ensrun$task
generate <- .ensrun$generate
fit <- .ensrun$fit
metric <- .ensrun$metric
learner <- .ensrun$learner
serve <- .ensrun$serve
