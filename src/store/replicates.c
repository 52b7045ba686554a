#include "store/replicates.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

/* Adding to a run container never changes its form, and arrays become bitmaps
 * at 4,096 members: looking again each time the additions have doubled keeps
 * the best form at a constant cost per addition. */
#define FIRST_OPTIMIZE 64u

struct ens_replicates_map {
    roaring_bitmap_t *bits;
    uint32_t min; /* 0: empty */
    uint64_t adds, optimize_at;
};

void ens_replicates_fini(struct ens_replicates *s)
{
    if (s->map != NULL) {
        roaring_bitmap_free(s->map->bits);
        free(s->map);
    }
    memset(s, 0, sizeof(*s));
}

static int make_map(struct ens_replicates *s)
{
    struct ens_replicates_map *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return -1;
    m->bits = roaring_bitmap_create();
    if (m->bits == NULL) {
        free(m);
        return -1;
    }
    m->optimize_at = FIRST_OPTIMIZE;
    for (uint32_t i = 0; i < s->n; i++)
        roaring_bitmap_add(m->bits, s->few[i]);
    m->min = s->n > 0 ? s->few[0] : 0;
    s->n = 0;
    s->map = m;
    return 0;
}

static void added(struct ens_replicates_map *m, uint32_t first, uint64_t n)
{
    if (m->min == 0 || first < m->min)
        m->min = first;
    m->adds += n;
    if (m->adds >= m->optimize_at) {
        roaring_bitmap_run_optimize(m->bits);
        m->optimize_at = 2 * m->adds;
    }
}

static int add_few(struct ens_replicates *s, uint32_t r)
{
    uint32_t i = s->n;

    for (uint32_t j = 0; j < s->n; j++)
        if (s->few[j] == r)
            return 0;
    for (; i > 0 && s->few[i - 1] > r; i--)
        s->few[i] = s->few[i - 1];
    s->few[i] = r;
    s->n++;
    return 1;
}

int ens_replicates_add(struct ens_replicates *s, uint32_t r)
{
    if (s->map == NULL) {
        if (s->n < ENS_REPLICATES_FEW || ens_replicates_has(s, r))
            return add_few(s, r);
        if (make_map(s) != 0)
            return -1;
    }
    if (!roaring_bitmap_add_checked(s->map->bits, r))
        return 0;
    added(s->map, r, 1);
    return 1;
}

int ens_replicates_add_range(struct ens_replicates *s, uint32_t first,
                             uint32_t last)
{
    if (last - first < ENS_REPLICATES_FEW) {
        for (uint64_t r = first; r <= last; r++)
            if (ens_replicates_add(s, (uint32_t)r) < 0)
                return -1;
        return 0;
    }
    if (s->map == NULL && make_map(s) != 0)
        return -1;
    roaring_bitmap_add_range_closed(s->map->bits, first, last);
    added(s->map, first, 1);
    return 0;
}

static uint32_t map_next(const struct ens_replicates_map *m, uint32_t from)
{
    roaring_uint32_iterator_t it;

    if (m->min == 0 || from <= m->min)
        return m->min;
    roaring_init_iterator(m->bits, &it);
    if (!roaring_move_uint32_iterator_equalorlarger(&it, from))
        return 0;
    return it.current_value;
}

int ens_replicates_remove(struct ens_replicates *s, uint32_t r)
{
    if (s->map != NULL) {
        if (!roaring_bitmap_remove_checked(s->map->bits, r))
            return 0;
        if (r == s->map->min)
            s->map->min = roaring_bitmap_is_empty(s->map->bits)
                              ? 0
                              : roaring_bitmap_minimum(s->map->bits);
        return 1;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->few[i] != r)
            continue;
        s->n--;
        memmove(&s->few[i], &s->few[i + 1], (s->n - i) * sizeof(s->few[0]));
        return 1;
    }
    return 0;
}

void ens_replicates_remove_run(struct ens_replicates *s, uint32_t first,
                               uint32_t last)
{
    struct ens_replicates_map *m = s->map;

    if (m == NULL) {
        for (uint64_t r = first; r <= last; r++)
            ens_replicates_remove(s, (uint32_t)r);
        return;
    }
    roaring_bitmap_remove_range_closed(m->bits, first, last);
    if (roaring_bitmap_is_empty(m->bits))
        m->min = 0;
    else if (first <= m->min)
        m->min = roaring_bitmap_minimum(m->bits);
}

int ens_replicates_has(const struct ens_replicates *s, uint32_t r)
{
    if (s->map != NULL)
        return s->map->min != 0 && r >= s->map->min &&
               roaring_bitmap_contains(s->map->bits, r);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->few[i] == r)
            return 1;
    return 0;
}

uint32_t ens_replicates_min(const struct ens_replicates *s)
{
    if (s->map != NULL)
        return s->map->min;
    return s->n > 0 ? s->few[0] : 0;
}

uint32_t ens_replicates_max(const struct ens_replicates *s)
{
    if (s->map != NULL)
        return s->map->min == 0 ? 0 : roaring_bitmap_maximum(s->map->bits);
    return s->n > 0 ? s->few[s->n - 1] : 0;
}

uint32_t ens_replicates_next(const struct ens_replicates *s, uint32_t from)
{
    if (s->map != NULL)
        return map_next(s->map, from);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->few[i] >= from)
            return s->few[i];
    return 0;
}

/* Not roaring_bitmap_contains_range: in 0.2.66 it asserts when the range ends
 * behind the last container. */
static int has_all(const roaring_bitmap_t *b, uint64_t first, uint64_t end)
{
    return roaring_bitmap_range_cardinality(b, first, end) == end - first;
}

/* Gallop, then halve: O(log run) looks at containers. */
static uint32_t map_run_end(const roaring_bitmap_t *b, uint32_t r)
{
    uint64_t step = 1, low = r, high;

    while (low + step <= UINT32_MAX && has_all(b, low + 1, low + step + 1)) {
        low += step;
        step *= 2;
    }
    high = low + step; /* low + 1 .. high are not all members */
    if (high > UINT32_MAX)
        high = (uint64_t)UINT32_MAX + 1;
    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (has_all(b, low + 1, mid + 1))
            low = mid;
        else
            high = mid;
    }
    return (uint32_t)low;
}

uint32_t ens_replicates_run_end(const struct ens_replicates *s, uint32_t r)
{
    if (s->map != NULL)
        return map_run_end(s->map->bits, r);
    while (r < UINT32_MAX && ens_replicates_has(s, r + 1))
        r++;
    return r;
}

uint64_t ens_replicates_count(const struct ens_replicates *s, uint32_t first,
                              uint32_t last)
{
    uint64_t n = 0;

    if (first > last)
        return 0;
    if (s->map != NULL)
        return roaring_bitmap_range_cardinality(s->map->bits, first,
                                                (uint64_t)last + 1);
    for (uint32_t i = 0; i < s->n; i++)
        n += s->few[i] >= first && s->few[i] <= last;
    return n;
}

/* -- bytes --------------------------------------------------------------- */
static uint32_t count_runs(const struct ens_replicates *s, uint32_t *max)
{
    uint32_t n = 0, end = 0;

    for (uint32_t r = ens_replicates_min(s); r != 0; n++) {
        end = ens_replicates_run_end(s, r);
        r = end == UINT32_MAX ? 0 : ens_replicates_next(s, end + 1);
    }
    *max = end;
    return n;
}

static void write_runs(const struct ens_replicates *s, struct ens_buf *out)
{
    for (uint32_t r = ens_replicates_min(s); r != 0;) {
        uint32_t end = ens_replicates_run_end(s, r);

        ens_buf_u32(out, r);
        ens_buf_u32(out, end);
        r = end == UINT32_MAX ? 0 : ens_replicates_next(s, end + 1);
    }
}

static void write_bits(const struct ens_replicates *s, uint32_t min,
                       uint32_t n_bytes, struct ens_buf *out)
{
    unsigned char *to;

    ens_buf_u32(out, min);
    to = ens_buf_reserve(out, n_bytes);
    if (to == NULL)
        return;
    memset(to, 0, n_bytes);
    for (uint32_t r = min; r != 0;) {
        uint32_t end = ens_replicates_run_end(s, r);

        for (uint64_t k = r; k <= end; k++)
            to[(k - min) / 8] |= (unsigned char)(1u << ((k - min) % 8));
        r = end == UINT32_MAX ? 0 : ens_replicates_next(s, end + 1);
    }
    out->len += n_bytes;
}

void ens_replicates_write(const struct ens_replicates *s, struct ens_buf *out)
{
    uint32_t min = ens_replicates_min(s), max;
    uint32_t n_runs = count_runs(s, &max);
    uint32_t n_bytes = min == 0 ? 0 : (max - min) / 8 + 1;

    if ((uint64_t)n_runs * 8 <= (uint64_t)n_bytes + 4) {
        ens_buf_u8(out, 0);
        ens_buf_u32(out, n_runs);
        write_runs(s, out);
    } else {
        ens_buf_u8(out, 1);
        ens_buf_u32(out, n_bytes);
        write_bits(s, min, n_bytes, out);
    }
}

static int read_runs(struct ens_replicates *s, struct ens_cursor *c, uint32_t n)
{
    uint64_t before = 0; /* a run begins behind before + 1 */

    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = ens_cursor_u32(c), last = ens_cursor_u32(c);

        if (c->bad || first > last || first == 0 ||
            (i > 0 && first <= before + 1) ||
            ens_replicates_add_range(s, first, last) != 0)
            return -1;
        before = last;
    }
    return 0;
}

static int read_bits(struct ens_replicates *s, struct ens_cursor *c, uint32_t n)
{
    uint64_t first = ens_cursor_u32(c);
    const unsigned char *p = ens_cursor_bytes(c, n);

    if (p == NULL || n == 0 || first == 0 || (p[0] & 1) == 0 || p[n - 1] == 0)
        return -1;
    for (uint64_t i = 0; i < (uint64_t)n * 8; i++) {
        if ((p[i / 8] >> (i % 8) & 1) == 0)
            continue;
        if (first + i > UINT32_MAX ||
            ens_replicates_add(s, (uint32_t)(first + i)) < 0)
            return -1;
    }
    return 0;
}

int ens_replicates_read(struct ens_replicates *s, struct ens_cursor *c)
{
    uint8_t form = ens_cursor_u8(c);
    uint32_t n = ens_cursor_u32(c);

    if (c->bad || form > 1)
        return -1;
    if ((form == 0 ? read_runs(s, c, n) : read_bits(s, c, n)) != 0) {
        ens_replicates_fini(s);
        return -1;
    }
    return 0;
}
