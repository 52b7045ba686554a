#include "cli/predictions.h"

#include "base/number.h"
#include "convert/source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends_in(const char *path, const char *ext)
{
    size_t n = strlen(path), m = strlen(ext);

    return n > m && strcasecmp(path + n - m, ext) == 0;
}

static enum ens_status check_path(const char *path, int force,
                                  struct ens_error *err)
{
    struct stat st;

    if (!ends_in(path, ".npy") && !ends_in(path, ".csv"))
        return ens_fail(err, ENS_EUSAGE,
                        "--output %s: a name that ends in .npy or .csv", path);
    if (!force && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return ens_fail(err, ENS_EUSAGE,
                        "%s is there already; --force replaces it", path);
    return ENS_OK;
}

enum ens_status ens_predictions_open(struct ens_predictions *p,
                                     const char *path, int force,
                                     struct ens_screen *screen,
                                     struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    memset(p, 0, sizeof(*p));
    p->screen = screen;
    if (path == NULL || strcmp(path, "-") == 0) {
        ens_out_init(&p->out, STDOUT_FILENO, "standard output");
        return ENS_OK;
    }
    p->is_npy = ends_in(path, ".npy");
    s = check_path(path, force, err);
    return s == ENS_OK ? ens_out_create(&p->out, path, NULL, err) : s;
}

/* -- heads ------------------------------------------------------------------
 */

/* Integers where all classes are called by one, or by no number. */
static enum ens_dtype dtype_of(const struct ens_predictions *p)
{
    if (p->class_ == NULL)
        return ENS_DT_F64;
    for (size_t k = 0; k < p->n_classes && p->label; k++)
        if (p->label[k] != floor(p->label[k]) || fabs(p->label[k]) > 1e15)
            return ENS_DT_F64;
    return ENS_DT_I64;
}

static void put_npy_head(struct ens_predictions *p)
{
    struct ens_source source = {.dtype = dtype_of(p),
                                .ndim = p->n == 1 ? 1 : 2,
                                .shape = {p->n_rows, p->n}};

    ens_source_npy_head(&source, &p->row);
}

static void put_text(struct ens_buf *b, const char *text)
{
    if (text[0] != '\0' && strpbrk(text, ",\"\r\n") == NULL) {
        ens_buf_puts(b, text);
        return;
    }
    ens_buf_puts(b, "\"");
    for (; *text != '\0'; text++)
        ens_buf_put(b, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    ens_buf_puts(b, "\"");
}

static enum ens_status read_labels(struct ens_predictions *p,
                                   struct ens_error *err)
{
    p->label = calloc(p->n_classes, sizeof(*p->label));
    if (p->label == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "classes: out of memory");
    for (size_t k = 0; k < p->n_classes; k++)
        if (ens_number_parse(p->class_[k], strlen(p->class_[k]),
                             &p->label[k]) != 0 ||
            !isfinite(p->label[k])) {
            free(p->label);
            p->label = NULL;
            return ENS_OK;
        }
    return ENS_OK;
}

static enum ens_status flush(struct ens_predictions *p, struct ens_error *err)
{
    if (p->row.failed)
        return ens_fail(err, ENS_ENOMEMORY, "predictions: out of memory");
    ens_out_put(&p->out, p->row.data, p->row.len);
    ens_buf_clear(&p->row);
    return p->out.error.status == ENS_OK ? ENS_OK : ens_out_flush(&p->out, err);
}

enum ens_status ens_predictions_begin(struct ens_predictions *p,
                                      const char *const *column, size_t n,
                                      const char *const *class_,
                                      size_t n_classes, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    p->n = n;
    p->class_ = n_classes > 0 ? class_ : NULL;
    p->n_classes = n_classes;
    if (n_classes > 0)
        s = read_labels(p, err);
    if (s != ENS_OK)
        return s;
    if (p->is_npy)
        put_npy_head(p);
    for (size_t k = 0; k < n && !p->is_npy; k++) {
        ens_buf_puts(&p->row, k ? "," : "");
        put_text(&p->row, column[k]);
    }
    if (!p->is_npy)
        ens_buf_puts(&p->row, "\n");
    if (p->first > 0) { /* the head is for who has row 0 */
        p->out.at = p->row.len + p->first * p->n * sizeof(double);
        ens_buf_clear(&p->row);
    }
    return flush(p, err);
}

/* -- rows ------------------------------------------------------------------
 */

/* A class that is not known has no number: -1, or NaN among labels. */
static void put_npy(struct ens_predictions *p, double v)
{
    double to = v;

    if (p->label && !isnan(v))
        to = p->label[(size_t)v];
    if (dtype_of(p) == ENS_DT_I64)
        ens_buf_u64(&p->row, (uint64_t)(isnan(v) ? (p->label ? INT64_MIN : -1)
                                                 : (int64_t)to));
    else
        ens_buf_f64(&p->row, to);
}

/* Missing is empty. */
static void put_csv(struct ens_predictions *p, double v)
{
    char text[ENS_NUMBER_BYTES];

    if (isnan(v) && p->n > 1)
        return;
    if (isnan(v))
        ens_buf_puts(&p->row, "\"\""); /* a line of its own */
    else if (p->class_)
        put_text(&p->row, p->class_[(size_t)v]);
    else
        ens_buf_put(&p->row, text, ens_number_format(text, v));
}

enum ens_status ens_predictions_put(struct ens_predictions *p,
                                    const double *values, size_t n_rows,
                                    struct ens_error *err)
{
    int as_they_are = p->is_npy && p->class_ == NULL;

    if (as_they_are)
        ens_buf_put(&p->row, values, n_rows * p->n * sizeof(*values));
    for (size_t i = 0; i < n_rows; i++) {
        int is_nan = 0;

        for (size_t k = 0; k < p->n; k++) {
            double v = values[i * p->n + k];

            is_nan |= isnan(v);
            if (as_they_are)
                continue;
            if (p->is_npy) {
                put_npy(p, v);
                continue;
            }
            ens_buf_puts(&p->row, k ? "," : "");
            put_csv(p, v);
        }
        if (!p->is_npy)
            ens_buf_puts(&p->row, "\n");
        p->n_nan += (uint64_t)is_nan;
    }
    p->done += n_rows;
    if (ens_screen_tell(p->screen, "writing predictions", p->done, p->n_rows))
        return ens_fail(err, ENS_ESTOPPED, "stopped; nothing was written");
    return flush(p, err);
}

enum ens_status ens_predictions_close(struct ens_predictions *p,
                                      enum ens_status s, struct ens_error *err)
{
    if (s == ENS_OK)
        s = ens_out_commit(&p->out, err);
    else
        ens_out_abort(&p->out);
    ens_buf_fini(&p->row);
    free(p->label);
    p->label = NULL;
    return s;
}
