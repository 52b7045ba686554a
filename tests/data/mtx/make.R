# MatrixMarket files by R's Matrix, where it writes the kind, else by hand; the
# dense forms as R has them (run here: Rscript make.R).
suppressMessages(library(Matrix))
dense <- function(m, name)
  write.table(as.matrix(m) + 0, paste0(name, ".csv"), sep = ",",
              row.names = FALSE, col.names = FALSE)
set.seed(3)
g <- rsparsematrix(6, 4, 0.4)
invisible(writeMM(g, "general.mtx")); dense(g, "general")
s <- forceSymmetric(rsparsematrix(5, 5, 0.5))
invisible(writeMM(s, "symmetric.mtx")); dense(s, "symmetric")
p <- as(g != 0, "nMatrix")
invisible(writeMM(p, "pattern.mtx")); dense(p, "pattern")
a <- matrix(c(1, -2.5, 3e10, 4, 0, 6), 3)
writeLines(c("%%MatrixMarket matrix array real general", "% by hand", "", "3 2",
             sprintf("%.17g", a)), "array.mtx"); dense(a, "array")
k <- matrix(c(0, 2, -3, -2, 0, 4, 3, -4, 0), 3)
writeLines(c("%%matrixmarket MATRIX coordinate Integer skew-symmetric", "3 3 3",
             "2 1 2", "3 1 -3", " 3\t2 4 "), "skew.mtx"); dense(k, "skew")
l <- matrix(c(1, 2, 3, 2, 5, 6, 3, 6, 9), 3)
writeLines(c("%%MatrixMarket matrix array integer symmetric", "3 3",
             l[lower.tri(l, diag = TRUE)]), "lower.mtx"); dense(l, "lower")
