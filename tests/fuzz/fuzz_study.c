/* Study files: any bytes give a study or errors; a study that is written and
 * read again is the same. */
#include "../unit/study_fixture.h"

#include "base/bug.h"

#include <stdint.h>
#include <stdlib.h>

#define CELLS 64 /* that are looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_cell(const struct ens_study *a, const struct ens_study *b,
                      uint64_t i)
{
    struct ens_cell x, y;

    ens_study_cell(a, i, &x);
    ens_study_cell(b, i, &y);
    ENS_BUG_ON(x.hash[0] != y.hash[0] || x.hash[1] != y.hash[1]);
    ENS_BUG_ON(x.data_hash[0] != y.data_hash[0]);
    for (size_t k = 0; k < ens_study_n_axis_columns(a); k++)
        ENS_BUG_ON(
            strcmp(ens_cell_axis_text(&x, k), ens_cell_axis_text(&y, k)) != 0);
}

static void check(const struct ens_study *a)
{
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_buf fa = ENS_BUF_INIT;
    struct ens_buf fb = ENS_BUF_INIT;
    struct ens_study *b = NULL;
    uint64_t n = ens_study_n_cells(a);

    ens_study_write(a, &text);
    ENS_BUG_ON(ens_study_parse(&b, "again.ini", text.data, text.len, "/moved",
                               NULL, 0, &fix_all, &errors, NULL) != ENS_OK);
    ENS_BUG_ON(n != ens_study_n_cells(b));
    ENS_BUG_ON(ens_study_n_axis_columns(a) != ens_study_n_axis_columns(b));
    for (uint64_t i = 0; i < n && i < CELLS; i++) {
        same_cell(a, b, i);
        same_cell(a, b, n - 1 - i);
    }
    ens_study_fingerprint(a, &fa);
    ens_study_fingerprint(b, &fb);
    ENS_BUG_ON(strcmp(ens_buf_text(&fa), ens_buf_text(&fb)) != 0);
    ens_study_free(b);
    ens_buf_fini(&text);
    ens_buf_fini(&errors);
    ens_buf_fini(&fa);
    ens_buf_fini(&fb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = NULL;
    enum ens_status s = ens_study_parse(&st, "f.ini", data, size, "/base", NULL,
                                        0, &fix_all, &errors, NULL);

    ENS_BUG_ON((s == ENS_OK) != (errors.len == 0));
    if (s == ENS_OK && ens_study_n_cells(st) <= 100000)
        check(st);
    ens_study_free(st);
    ens_buf_fini(&errors);
    return 0;
}
