/* Fitted preprocessing: any bytes are refused with a text, or make rows. */
#include "learn/prep/prep.h"

#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 4096 /* columns that are looked at */

static void use(const struct ens_prep_fitted *f, struct ens_arena *arena)
{
    static const double row[2][4] = {{1, -2, 1e300, 0}, {-1e9, 0.5, 3, 7}};
    size_t p = f->rows.p;
    double *out = ens_arena_alloc(arena, 2 * p, sizeof(*out)),
           *work = ens_arena_alloc(arena, 2 * f->rows.work, sizeof(*work));

    if (p > MOST)
        return;
    ENS_BUG_ON(out == NULL || work == NULL);
    f->rows.apply(f->rows.own, &row[0][0], 2, out, work);
    for (size_t j = 0; j < p; j++)
        ENS_BUG_ON(f->rows.column[j] == NULL);
    ENS_BUG_ON(f->rows.is_scaled && f->rows.select + p > 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const name[4] = {"a", "b", "c", "d"};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};
    struct ens_prep_fitted f;
    void *blob = ens_arena_alloc(&arena, size, 1);
    enum ens_status st;

    ENS_BUG_ON(blob == NULL);
    if (size > 0)
        memcpy(blob, data, size);
    st = ens_prep_open(blob, size, name, 4, &arena, &f, &err);
    if (st == ENS_OK)
        use(&f, &arena);
    else
        ENS_BUG_ON(st != ENS_ECORRUPT || err.text[0] == '\0');
    ens_arena_fini(&arena);
    return 0;
}
