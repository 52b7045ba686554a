#include "learn/labels.h"

#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 1024

/* Values met, found by hashing. */
struct table {
    struct ens_arena *arena;
    uint32_t *slot; /* code + 1; 0: free. A power of two, half full at most */
    uint64_t n_slots;
    double *value;
    uint64_t *count;
    uint32_t n, room;
};

static uint64_t hash_of(double v)
{
    uint64_t u;

    v += 0.0; /* -0 is 0 */
    memcpy(&u, &v, sizeof(u));
    u ^= u >> 32;
    u *= UINT64_C(0x9e3779b97f4a7c15);
    return u ^ (u >> 29);
}

static uint32_t *find(const struct table *t, double v)
{
    uint64_t i = hash_of(v) & (t->n_slots - 1);

    while (t->slot[i] != 0 && t->value[t->slot[i] - 1] != v)
        i = (i + 1) & (t->n_slots - 1);
    return &t->slot[i];
}

static int grow(struct table *t)
{
    uint32_t room = t->room > 0 ? 2 * t->room : 64;
    struct table made = *t;

    if (room <= t->room)
        return -1;
    made.room = room;
    made.n_slots = 2 * (uint64_t)room;
    made.slot = ens_arena_alloc(t->arena, made.n_slots, sizeof(*made.slot));
    made.value = ens_arena_alloc(t->arena, room, sizeof(*made.value));
    made.count = ens_arena_alloc(t->arena, room, sizeof(*made.count));
    if (made.slot == NULL || made.value == NULL || made.count == NULL)
        return -1;
    for (uint32_t k = 0; k < t->n; k++) {
        made.value[k] = t->value[k];
        made.count[k] = t->count[k];
        *find(&made, made.value[k]) = k + 1;
    }
    *t = made;
    return 0;
}

/* ENS_LABEL_NONE: no memory. */
static uint32_t code_of(struct table *t, double v)
{
    uint32_t *slot;

    if (t->n == t->room && grow(t) != 0)
        return ENS_LABEL_NONE;
    slot = find(t, v);
    if (*slot == 0) {
        t->value[t->n] = v + 0.0;
        *slot = ++t->n;
    }
    t->count[*slot - 1]++;
    return *slot - 1;
}

static void read_values(const struct ens_view *v, const struct ens_rowset *rows,
                        uint64_t first, size_t n, double *out)
{
    while (n > 0) {
        struct ens_rowrun run = ens_rowset_run(rows, first, n);

        if (run.index == NULL)
            ens_view_f64(v, run.row, run.n, out);
        else
            ens_view_gather_f64(v, (const uint64_t *)run.index, run.n, out);
        first += run.n;
        out += run.n;
        n -= (size_t)run.n;
    }
}

static enum ens_status too_large(const struct ens_input *in, double v,
                                 struct ens_error *err)
{
    char text[ENS_NUMBER_BYTES];

    ens_number_format(text, v);
    return ens_fail(err, ENS_EINPUT,
                    "%s: %s: numbers of rows' labels are below 2^53", in->name,
                    text);
}

static enum ens_status code_block(const struct ens_input *in, struct table *t,
                                  const double *v, size_t n, uint32_t *code,
                                  struct ens_error *err)
{
    int is_text = in->columns != NULL && in->columns[0].levels != NULL;

    for (size_t i = 0; i < n; i++) {
        code[i] = ENS_LABEL_NONE;
        if (isnan(v[i]) || (is_text && v[i] < 0))
            continue;
        if (fabs(v[i]) >= 0x1p53)
            return too_large(in, v[i], err);
        code[i] = code_of(t, v[i]);
        if (code[i] == ENS_LABEL_NONE)
            return ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", in->name);
    }
    return ENS_OK;
}

static enum ens_status column_of(const struct ens_input *in,
                                 struct ens_view *view, struct ens_error *err)
{
    if (in->n_columns != 1)
        return ens_fail(err, ENS_EINPUT,
                        "%s has %" PRIu64 " columns, one is expected", in->name,
                        in->n_columns);
    *view = in->view.data != NULL ? in->view : in->columns[0].view;
    view->ndim = 1;
    if (view->dtype == ENS_DT_C64 || view->dtype == ENS_DT_C128)
        return ens_fail(err, ENS_EINPUT, "%s: complex numbers", in->name);
    return ENS_OK;
}

enum ens_status ens_labels_read(const struct ens_input *in,
                                const struct ens_rowset *rows,
                                struct ens_arena *arena,
                                struct ens_labels *labels,
                                struct ens_error *err)
{
    struct table t = {.arena = arena};
    uint32_t *code = ens_arena_alloc(arena, rows->n, sizeof(*code));
    struct ens_view view;
    double v[BLOCK];
    enum ens_status st = column_of(in, &view, err);

    if (st == ENS_OK && (code == NULL || grow(&t) != 0))
        st = ens_fail(err, ENS_ENOMEMORY, "%s: out of memory", in->name);
    for (uint64_t at = 0; at < rows->n && st == ENS_OK; at += BLOCK) {
        size_t n = rows->n - at < BLOCK ? (size_t)(rows->n - at) : BLOCK;

        read_values(&view, rows, at, n, v);
        st = code_block(in, &t, v, n, code + at, err);
    }
    if (st != ENS_OK)
        return st;
    *labels = (struct ens_labels){.n = rows->n,
                                  .code = code,
                                  .n_labels = t.n,
                                  .value = t.value,
                                  .count = t.count,
                                  .n_missing = rows->n,
                                  .name = in->name};
    if (in->columns != NULL)
        labels->level = in->columns[0].levels;
    for (uint32_t k = 0; k < t.n; k++)
        labels->n_missing -= t.count[k];
    return ENS_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void ens_labels_values(const struct ens_labels *labels, double *value)
{
    memcpy(value, labels->value, labels->n_labels * sizeof(*value));
    qsort(value, labels->n_labels, sizeof(*value), ascending);
}
