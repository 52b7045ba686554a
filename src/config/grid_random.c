/* random(N, KEY = DIST(...), ...): a grid whose combinations are drawn.
 *
 * Draw i of a key is a function of the seed, the key's name and i alone, so
 * that a larger N keeps the combinations there were. It is written out as the
 * inline form of grid, to be read as that.
 */
#include "base/hash.h"
#include "base/number.h"
#include "config/grid.h"
#include "config/names.h"
#include "config/value_parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX  256u
#define BOUND_MAX 9007199254740992.0 /* of randint: 2^53 */
#define DRAWS_EACH                                                             \
    100u /* of N: coupons of any number are collected by then                  \
          */
#define DRAWS_MORE 1000u

enum dist { UNIFORM, LOGUNIFORM, RANDINT, CHOICE };

static const char *const dist_name[] = {"uniform", "loguniform", "randint",
                                        "choice"};

#define DISTS "uniform|loguniform|randint|choice"
#define DISTS_ARE                                                              \
    "uniform(a, b), loguniform(a, b), randint(a, b), choice(x, y, ...)"

struct draw { /* of a key */
    struct ens_slice key;
    enum dist dist;
    double bound[2];
    size_t n; /* of choice */
    const struct ens_slice *item;
};

struct drawing {
    struct ens_arena *arena;
    struct ens_error *err;
    uint64_t seed;
    uint64_t n; /* combinations */
    size_t n_keys;
    struct draw key[KEYS_MAX];
    uint64_t *seen; /* hashes of combinations; 0: free */
    uint64_t mask;
};

/* -- reading ----------------------------------------------------------------
 */

static enum ens_status read_n(struct drawing *d, struct ens_slice text)
{
    if (ens_number_parse_u64(text.p, text.n, &d->n) == 0 && d->n >= 1 &&
        d->n <= ENS_MAX_ELEMENTS)
        return ENS_OK;
    return ens_fail(d->err, ENS_ESTUDY,
                    "random: \"%.*s\" is no number of combinations; expected "
                    "random(N, KEY = DIST(...), ...), N from 1 to %u",
                    ENS_SHOW(text), (unsigned)ENS_MAX_ELEMENTS);
}

static enum ens_status refuse(const struct drawing *d, const struct draw *k,
                              struct ens_slice text, const char *why)
{
    return ens_fail(d->err, ENS_ESTUDY, "random: %.*s = %.*s: %s",
                    ENS_SHOW(k->key), ENS_SHOW(text), why);
}

static enum ens_status read_bounds(const struct drawing *d, struct draw *k,
                                   struct ens_slice text, struct ens_slice args)
{
    struct ens_slice arg;
    size_t at = 0, n = 0;
    double *b = k->bound;

    while (ens_slice_next(args, ',', &at, &arg) == 1) {
        if (n < 2 &&
            (ens_number_parse(arg.p, arg.n, &b[n]) != 0 || !isfinite(b[n])))
            return refuse(d, k, text, "its bounds are finite numbers");
        n++;
    }
    if (n != 2)
        return refuse(d, k, text, "takes two bounds");
    if (k->dist == RANDINT &&
        (b[0] != floor(b[0]) || b[1] != floor(b[1]) ||
         fabs(b[0]) > BOUND_MAX / 2 || fabs(b[1]) > BOUND_MAX / 2))
        return refuse(d, k, text,
                      "its bounds, both included, are integers within 2^52");
    if (k->dist == RANDINT ? b[0] > b[1] : b[0] >= b[1])
        return refuse(d, k, text, "the first bound is not below the second");
    if (k->dist == LOGUNIFORM && b[0] <= 0)
        return refuse(d, k, text, "its bounds are above 0");
    return ENS_OK;
}

static enum ens_status read_items(const struct drawing *d, struct draw *k,
                                  struct ens_slice text, struct ens_slice args)
{
    struct ens_slice item, *list;
    size_t at = 0;

    for (k->n = 0; ens_slice_next(args, ',', &at, &item) == 1; k->n++)
        if (item.n == 0)
            return refuse(d, k, text, "nothing between two commas");
    if (k->n == 0)
        return refuse(d, k, text, "there is nothing to choose from");
    list = ens_arena_alloc(d->arena, k->n, sizeof(*list));
    if (list == NULL)
        return ens_out_of_memory(d->err);
    at = 0;
    for (size_t i = 0; i < k->n; i++)
        (void)ens_slice_next(args, ',', &at, &list[i]);
    k->item = list;
    return ENS_OK;
}

static enum ens_status read_dist(const struct drawing *d, struct draw *k,
                                 struct ens_slice text)
{
    struct ens_slice name, args;
    struct ens_near near;
    char word[64] = "";
    size_t i = 0;

    if (!ens_call_split(text, &name, &args) || args.n == 0)
        return refuse(d, k, text, "expected one of " DISTS_ARE);
    while (i <= CHOICE && (strlen(dist_name[i]) != name.n ||
                           memcmp(dist_name[i], name.p, name.n) != 0))
        i++;
    if (i > CHOICE) {
        if (name.n < sizeof(word))
            memcpy(word, name.p, name.n);
        ens_near_init(&near, word);
        ens_near_add_choices(&near, DISTS);
        return refuse(d, k, text, ens_near_text(&near));
    }
    k->dist = (enum dist)i;
    return k->dist == CHOICE ? read_items(d, k, text, args)
                             : read_bounds(d, k, text, args);
}

/* "KEY = DIST(...)" */
static enum ens_status read_key(struct drawing *d, struct ens_slice text)
{
    const char *sign = text.n > 0 ? memchr(text.p, '=', text.n) : NULL;
    struct draw *k = &d->key[d->n_keys];
    size_t n = sign != NULL ? (size_t)(sign - text.p) : 0;

    *k = (struct draw){.key = ens_slice_trim((struct ens_slice){text.p, n})};
    if (k->key.n == 0)
        return ens_fail(d->err, ENS_ESTUDY,
                        "random: \"%.*s\": expected KEY = one of " DISTS_ARE,
                        ENS_SHOW(text));
    for (size_t i = 0; i < k->key.n; i++)
        if (strchr("(),\"", k->key.p[i]) != NULL)
            return ens_fail(d->err, ENS_ESTUDY,
                            "random: \"%.*s\" is no name of a key",
                            ENS_SHOW(k->key));
    if (d->n_keys + 1 == KEYS_MAX)
        return ens_fail(d->err, ENS_ESTUDY, "random: more than %u keys",
                        KEYS_MAX - 1);
    d->n_keys++;
    return read_dist(
        d, k, ens_slice_trim((struct ens_slice){sign + 1, text.n - n - 1}));
}

/* -- drawing ----------------------------------------------------------------
 */

/* To seven digits of scale: a place has as many digits as one can tell apart,
 * and the last bits of log and exp, which machines disagree on, are none. */
static double rounded(double x, double scale)
{
    int power = scale > 0 ? (int)floor(log10(scale)) - 6 : 0;
    double m = scale > 0 ? rint(x / pow(10, power)) : INFINITY;
    char text[2 * ENS_NUMBER_BYTES];
    double v;
    size_t n;

    if (!(fabs(m) < BOUND_MAX))
        return x;
    n = ens_number_format_i64(text, (int64_t)m);
    text[n++] = 'e';
    n += ens_number_format_i64(text + n, power);
    return ens_number_parse(text, n, &v) == 0 ? v : x;
}

/* Draw i of a key, in [0, 1). */
static double unit(const struct drawing *d, const struct draw *k, uint64_t i)
{
    uint64_t key = ens_hash64_seed(k->key.p, k->key.n, d->seed);

    return (double)(ens_hash64_pair(key, i) >> 11) * 0x1p-53;
}

static double between(const struct draw *k, double u)
{
    double a = k->bound[0], b = k->bound[1], x;

    if (k->dist == RANDINT)
        return a + floor(u * (b - a + 1));
    if (k->dist == UNIFORM)
        x = rounded((1 - u) * a + u * b, b / 2 - a / 2);
    else
        x = exp((1 - u) * log(a) + u * log(b));
    if (k->dist == LOGUNIFORM)
        x = rounded(x, x);
    return x < a ? a : x > b ? b : x;
}

/* "(0.01, x)" */
static void put_combination(const struct drawing *d, uint64_t i,
                            struct ens_buf *out)
{
    for (size_t j = 0; j < d->n_keys; j++) {
        const struct draw *k = &d->key[j];
        double u = unit(d, k, i);
        char number[ENS_NUMBER_BYTES];
        struct ens_slice text = {number, 0};

        if (k->dist == CHOICE)
            text = k->item[(size_t)(u * (double)k->n)];
        else
            text.n = ens_number_format(number, between(k, u));
        ens_buf_puts(out, j == 0 ? "(" : ", ");
        ens_buf_put(out, text.p, text.n);
    }
    ens_buf_puts(out, ")");
}

/* Was it not there yet? */
static int is_new(struct drawing *d, const void *p, size_t n)
{
    uint64_t h = ens_hash64(p, n) | 1;
    uint64_t i = h >> 1 & d->mask;

    while (d->seen[i] != 0 && d->seen[i] != h)
        i = (i + 1) & d->mask;
    if (d->seen[i] == h)
        return 0;
    d->seen[i] = h;
    return 1;
}

static enum ens_status too_many(const struct drawing *d, double most)
{
    return ens_fail(d->err, ENS_ESTUDY,
                    "random: %llu combinations are asked for, there are only "
                    "%.0f different ones",
                    (unsigned long long)d->n, most);
}

/* Combinations that were there before are passed over. */
static enum ens_status draw_all(struct drawing *d, struct ens_buf *out)
{
    uint64_t most = d->n * DRAWS_EACH + DRAWS_MORE, n = 0;

    for (uint64_t i = 0; i < most && n < d->n && !out->failed; i++) {
        size_t before = out->len;

        ens_buf_puts(out, ", ");
        put_combination(d, i, out);
        if (!out->failed && is_new(d, out->data + before, out->len - before))
            n++;
        else if (!out->failed)
            out->len = before;
    }
    if (out->failed)
        return ens_out_of_memory(d->err);
    return n == d->n ? ENS_OK : too_many(d, (double)n);
}

static enum ens_status check_number(const struct drawing *d)
{
    double most = 1;

    for (size_t i = 0; i < d->n_keys; i++)
        most *= d->key[i].dist == CHOICE ? (double)d->key[i].n
                : d->key[i].dist == RANDINT
                    ? d->key[i].bound[1] - d->key[i].bound[0] + 1
                    : INFINITY;
    return (double)d->n > most ? too_many(d, most) : ENS_OK;
}

static enum ens_status read_all(struct drawing *d, struct ens_slice args)
{
    struct ens_slice piece;
    enum ens_status s = ENS_OK;
    size_t at = 0, n = 0;
    int more;

    for (; (more = ens_slice_next(args, ',', &at, &piece)) > 0; n++) {
        s = n == 0 ? read_n(d, piece) : read_key(d, piece);
        if (s != ENS_OK)
            return s;
    }
    if (more < 0)
        return ens_fail(d->err, ENS_ESTUDY, "quotes or brackets do not match");
    if (n == 0)
        return read_n(d, args);
    if (s == ENS_OK && d->n_keys == 0)
        s = ens_fail(d->err, ENS_ESTUDY,
                     "random: no key is drawn; expected random(N, KEY = "
                     "DIST(...), ...)");
    return s == ENS_OK ? check_number(d) : s;
}

int ens_grid_is_random(struct ens_slice text, struct ens_slice *args)
{
    struct ens_slice name;

    return ens_call_split(text, &name, args) && name.n == 6 &&
           memcmp(name.p, "random", 6) == 0;
}

enum ens_status ens_grid_draw(struct ens_arena *a, struct ens_slice args,
                              uint64_t seed, struct ens_buf *out,
                              struct ens_error *err)
{
    struct drawing *d = calloc(1, sizeof(*d));
    enum ens_status s;

    if (d == NULL)
        return ens_out_of_memory(err);
    d->arena = a;
    d->err = err;
    d->seed = seed;
    s = read_all(d, args);
    d->mask = 1;
    while (d->mask < 2 * d->n)
        d->mask = 2 * d->mask + 1;
    if (s == ENS_OK)
        d->seen = calloc((size_t)d->mask + 1, sizeof(*d->seen));
    if (s == ENS_OK && d->seen == NULL)
        s = ens_out_of_memory(err);
    for (size_t i = 0; s == ENS_OK && i < d->n_keys; i++) {
        ens_buf_puts(out, i == 0 ? "(" : ", ");
        ens_buf_put(out, d->key[i].key.p, d->key[i].key.n);
    }
    ens_buf_puts(out, ")");
    if (s == ENS_OK)
        s = draw_all(d, out);
    free(d->seen);
    free(d);
    return s;
}
