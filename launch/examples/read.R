#!/usr/bin/env Rscript
# Every file of a results folder, in R with jsonlite.
#
#   Rscript read.R DIR                 lists what there is
#   source("read.R"); r <- read("DIR") r$tasks$value, r$arrays$sum.ab12 ...

library(jsonlite)

# Numbers as numpy writes them: arrays/*.npy, export --artifact. A table that
# was exported to npy is not for R (NULL): export it to csv or jsonl.
read_npy <- function(path) {
  f <- file(path, "rb")
  on.exit(close(f))
  long <- readBin(f, "raw", 8)[7] > 1
  head <- readChar(f, readBin(f, "integer", 1, if (long) 4 else 2,
                              signed = long, endian = "little"))
  type <- sub(".*'descr': *'[<|]([fi][1248]|u[12])'.*", "\\1", head)
  if (type == head) return(NULL)
  size <- as.numeric(substr(type, 2, 2))
  shape <- sub(".*'shape': *\\(([^)]*)\\).*", "\\1", head)
  shape <- as.numeric(regmatches(shape, gregexpr("[0-9]+", shape))[[1]])
  if (type != "i8") {
    x <- readBin(f, if (grepl("f", type)) "double" else "integer", prod(shape),
                 size, signed = size > 2 || grepl("i", type), endian = "little")
  } else { # two words; exact up to 2^53
    w <- matrix(as.numeric(readBin(f, "integer", 2 * prod(shape),
                                   endian = "little")), 2)
    w[1, is.na(w[1, ])] <- -2^31
    x <- w[2, ] * 2^32 + w[1, ] %% 2^32
  }
  if (length(shape) > 1) aperm(array(x, rev(shape))) else x
}

# Columns of numbers as numbers. Ids and seeds have 64 bits: they stay text.
read_table <- function(path) {
  t <- read.csv(path, colClasses = "character", na.strings = "",
                check.names = FALSE)
  t[] <- lapply(names(t), function(name) {
    x <- suppressWarnings(as.numeric(t[[name]]))
    is_text <- any(is.na(x) & !is.nan(x) & !is.na(t[[name]]))
    if (is_text || name %in% c("cell", "seed")) t[[name]] else x
  })
  t
}

# key=value lines: status, study.ini (SECTION.KEY)
read_pairs <- function(path) {
  line <- readLines(path)
  line <- strsplit(gsub("\n +", " ", paste(line, collapse = "\n")), "\n")[[1]]
  section <- cummax(ifelse(grepl("^\\[", line), seq_along(line), 0))
  section <- c("", gsub("^\\[|\\]$", ".", line))[section + 1]
  has <- grepl("=", line)
  setNames(sub("^[^=]*= ?", "", line),
           sub("^[.]", "", paste0(section, sub(" ?=.*", "", line))))[has]
}

read <- function(dir) {
  each <- function(pattern, fn) {
    p <- Sys.glob(file.path(dir, pattern))
    setNames(lapply(p, fn), sub("[.][a-z]+$", "", basename(p)))
  }
  # jsonlite keeps 15 digits of a seed: those of the CSV are whole
  jsonl <- function(p)
    fromJSON(paste0("[", paste(readLines(p), collapse = ","), "]"))
  c(each("*.csv", read_table), each("*.json", fromJSON),
    each("study.ini", read_pairs), each("status", read_pairs),
    each("log.txt", readLines),
    list(arrays = each("arrays/*.npy", read_npy),
         exported = c(each("*.jsonl", jsonl), each("*.npy", read_npy))))
}

if (sys.nframe() == 0) str(read(commandArgs(TRUE)[1]), max.level = 2)
