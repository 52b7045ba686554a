#include "input/refuse.h"

#include "base/bug.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PANDAS(read)                                                           \
    "convert: python3 -c \"import pandas as pd; pd." read                      \
    "('FILE').to_csv('out.csv', index=False)\""
#define R_RDS                                                                  \
    "convert: Rscript -e 'write.csv(readRDS(\"FILE\"), \"out.csv\", "          \
    "row.names = FALSE)'"
#define R_DATA                                                                 \
    "convert: Rscript -e 'load(\"FILE\"); write.csv(NAME, \"out.csv\", "       \
    "row.names = FALSE)'"
#define LATER     "not supported yet"
#define MOST_PATH 120 /* bytes: twice in an error of 504 */

struct known {
    size_t offset;
    size_t n;
    const char *magic;
    const char *extension; /* NULL: any */
    const char *inside;    /* NULL, or a text that the head must hold */
    const char *what;
    const char *advice;
};

/* In order: the narrower first. */
static const struct known table[] = {
    {0, 2, "\x1f\x8b", "rds", NULL, "an R object (.rds)", R_RDS},
    {0, 2, "\x1f\x8b", "rda", NULL, "an R workspace", R_DATA},
    {0, 2, "\x1f\x8b", "RData", NULL, "an R workspace", R_DATA},
    {0, 3, "BZh", NULL, NULL, "bzip2-compressed", "unpack it: bunzip2 -k FILE"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     NULL, NULL, "xz-compressed", "unpack it: unxz -k FILE"},
    {0, 4, "PK\3\4", NULL, "xl/", "an Excel workbook (.xlsx)",
     PANDAS("read_excel")},
    {0, 4, "PK\3\4", NULL, "[Content_Types].xml", "an Excel workbook (.xlsx)",
     PANDAS("read_excel")},
    {0, 4, "PK\3\4", NULL, "data.pkl", "a PyTorch file (.pt)",
     "convert: python3 -c \"import torch, numpy as np; np.save('out.npy', "
     "torch.load('FILE').numpy())\""},
    {0, 4, "PK\3\4", NULL, ".npy", "a numpy archive (.npz)", "name it *.npz"},
    {0, 4, "PK\3\4", NULL, NULL, "a zip archive", "unpack it: unzip FILE"},
    {0, 8, "\x89HDF\r\n\x1a\n", "h5ad", NULL, "an AnnData file (.h5ad)",
     "convert: python3 -c \"import anndata, numpy as np; np.save('out.npy', "
     "anndata.read_h5ad('FILE').to_df().to_numpy())\""},
    {0, 8, "\x89HDF\r\n\x1a\n", NULL, NULL, "HDF5",
     LATER "; convert: python3 -c \"import h5py, numpy as np; "
           "np.save('out.npy', h5py.File('FILE')['DATASET'][:])\""},
    {0, 10, "MATLAB 7.3", NULL, NULL, "a MATLAB 7.3 file",
     "convert: python3 -c \"import h5py, numpy as np; np.save('out.npy', "
     "h5py.File('FILE')['NAME'][:].T)\""},
    {0, 6, "MATLAB", NULL, NULL, "a MATLAB file",
     "convert: python3 -c \"import scipy.io, numpy as np; np.save('out.npy', "
     "scipy.io.loadmat('FILE')['NAME'])\""},
    {0, 4, "PAR1", NULL, NULL, "Parquet", PANDAS("read_parquet")},
    {0, 6, "ARROW1", NULL, NULL, "an Arrow file (.feather)",
     PANDAS("read_feather")},
    {0, 4, "FEA1", NULL, NULL, "a Feather file", PANDAS("read_feather")},
    {0, 5, "X\n\0\0\0", NULL, NULL, "an R object (.rds)", R_RDS},
    {0, 3, "RDX", NULL, NULL, "an R workspace", R_DATA},
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NULL, NULL,
     "an old Excel workbook (.xls)", PANDAS("read_excel")},
    {0, 15, "SQLite format 3", NULL, NULL, "an SQLite database",
     "convert: sqlite3 -header -csv FILE 'select * from TABLE' > out.csv"},
    {0, 4, "CDF\1", NULL, NULL, "netCDF",
     "convert: python3 -c \"import scipy.io, numpy as np; np.save('out.npy', "
     "scipy.io.netcdf_file('FILE').variables['NAME'][:])\""},
    {0, 4, "CDF\2", NULL, NULL, "netCDF",
     "convert: python3 -c \"import scipy.io, numpy as np; np.save('out.npy', "
     "scipy.io.netcdf_file('FILE').variables['NAME'][:])\""},
    {0, 2, "\xff\xfe", NULL, NULL, "UTF-16 text",
     "convert: iconv -f UTF-16 -t UTF-8 FILE > out.csv"},
    {0, 2, "\xfe\xff", NULL, NULL, "UTF-16 text",
     "convert: iconv -f UTF-16 -t UTF-8 FILE > out.csv"},
    {0, 2, "\x80\2", NULL, NULL, "a Python pickle",
     "save the array with numpy.save"},
    {0, 2, "\x80\3", NULL, NULL, "a Python pickle",
     "save the array with numpy.save"},
    {0, 2, "\x80\4", NULL, NULL, "a Python pickle",
     "save the array with numpy.save"},
    {0, 2, "\x80\5", NULL, NULL, "a Python pickle",
     "save the array with numpy.save"},
};

int ens_format_has_extension(const char *path, const char *ext)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && strchr(dot, '/') == NULL &&
           strcasecmp(dot + 1, ext) == 0;
}

static int matches(const struct known *k, const struct ens_opening *o)
{
    if (o->n_head < k->offset + k->n ||
        memcmp(o->head + k->offset, k->magic, k->n) != 0)
        return 0;
    if (k->extension != NULL &&
        !ens_format_has_extension(o->spec->path, k->extension))
        return 0;
    return k->inside == NULL ||
           memmem(o->head, o->n_head, k->inside, strlen(k->inside)) != NULL;
}

static const struct known *find(const struct ens_opening *o)
{
    for (size_t i = 0; i < ENS_COUNT(table); i++)
        if (matches(&table[i], o))
            return &table[i];
    return NULL;
}

int ens_refuse_known(const struct ens_opening *o)
{
    return find(o) != NULL;
}

/* The advice for this very file: its path in place of FILE. */
static void advise(char *to, size_t cap, const char *advice, const char *path)
{
    const char *at = strstr(advice, "FILE");
    const char *slash = strrchr(path, '/');

    if (strlen(path) > MOST_PATH && slash != NULL)
        path = slash + 1; /* to be typed in its folder */
    if (at == NULL)
        snprintf(to, cap, "%s", advice);
    else
        snprintf(to, cap, "%.*s%s%s", (int)(at - advice), advice, path,
                 at + strlen("FILE"));
}

enum ens_status ens_refuse(const struct ens_opening *o, struct ens_error *err)
{
    char advice[sizeof(err->text)];
    const struct known *k = find(o);
    char bytes[32] = "";
    size_t n = o->n_head < 8 ? o->n_head : 8;

    if (k != NULL) {
        advise(advice, sizeof(advice), k->advice, o->spec->path);
        return ens_fail(err, ENS_EINPUT, "is %s: %s", k->what, advice);
    }
    if (o->size == 0)
        return ens_fail(err, ENS_EINPUT, "the file is empty");
    for (size_t i = 0; i < n; i++)
        snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x", o->head[i]);
    return ens_fail(err, ENS_EINPUT,
                    "byte 0: begins with%s, which no input format does; "
                    "expected .npy or CSV, or say `dtype` (and `shape`) for "
                    "raw binary",
                    bytes);
}
