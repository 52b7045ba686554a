/* Powers and products of columns, in the order of scikit-learn's
 * PolynomialFeatures without its bias: by degree, then as words of columns.
 *
 * A product of degree d is a column times a product of degree d - 1 whose
 * first column does not come before it: those are the last ones of that
 * degree, as they are sorted by their first column. */
#include "base/bug.h"
#include "learn/prep/step.h"

#include <math.h>
#include <string.h>

enum products { WITH, WITHOUT, ONLY };

struct own {
    int64_t degree, products;
};

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    const char *text = ens_prep_argument(s->call, "interactions", 1);
    static const char *const choice[] = {"yes", "no", "only"};
    enum ens_status st =
        ens_prep_number(s->call, "degree", 0, 2, &s->arg[0], err);

    if (st != ENS_OK)
        return st;
    if (!(s->arg[0] >= 1 && s->arg[0] <= 10) || s->arg[0] != floor(s->arg[0]))
        return ens_fail(err, ENS_ESTUDY, "poly: degree: 1 to 10");
    s->arg[1] = 0;
    for (size_t k = 0; text != NULL && k < ENS_COUNT(choice); k++)
        if (strcmp(text, choice[k]) == 0) {
            s->arg[1] = (double)k;
            text = NULL;
        }
    return text == NULL
               ? ENS_OK
               : ens_fail(err, ENS_ESTUDY,
                          "poly: interactions: yes, no or only, not %.60s",
                          text);
}

/* Columns of degree d, from[0..p]: where those that begin with column i begin
 * among them; from[p] is their number. Counts stop at the most. */
static void next_degree(enum products products, size_t p, const size_t *last,
                        size_t *from)
{
    size_t n = 0;

    for (size_t i = 0; i < p; i++) {
        size_t skip = products == ONLY ? last[i + 1] : last[i];

        from[i] = n;
        n += products == WITHOUT ? 1 : last[p] - skip;
        n = n < ENS_PREP_MOST_COLUMNS + 1 ? n : ENS_PREP_MOST_COLUMNS + 1;
    }
    from[p] = n;
}

static void first_degree(size_t p, size_t *from)
{
    for (size_t i = 0; i <= p; i++)
        from[i] = i;
}

/* 0: too many. from: 2 (p + 1) of work. */
static size_t count(const struct own *o, size_t p, size_t *from)
{
    size_t *last = from, *now = from + p + 1, n = p;

    first_degree(p, last);
    for (int64_t d = 2; d <= o->degree; d++) {
        size_t *swap = last;

        next_degree((enum products)o->products, p, last, now);
        n += now[p];
        if (n > ENS_PREP_MOST_COLUMNS)
            return 0;
        last = now;
        now = swap;
    }
    return n;
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    const struct own o = {(int64_t)f->step->arg[0], (int64_t)f->step->arg[1]};
    size_t p = f->rows->p;
    size_t *from = ens_arena_alloc(f->arena, 2 * (p + 1), sizeof(*from));
    struct own *own;
    size_t q;

    if (from == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    q = count(&o, p, from);
    if (q == 0)
        return ens_fail(err, ENS_EDOMAIN,
                        "it would make more than %d columns of %zu",
                        ENS_PREP_MOST_COLUMNS, p);
    own = ens_prep_own(f, q, sizeof(o), err);
    if (own == NULL)
        return ENS_ENOMEMORY;
    *own = o;
    return ENS_OK;
}

/* Sizes fit into doubles of work: 2 (p + 1) per block, however few rows. */
static int check(struct ens_prep_part *part)
{
    const struct own *o = part->own;
    struct ens_arena arena = ENS_ARENA_INIT;
    size_t *from;
    int ok;

    if (part->bytes != sizeof(*o) || o->degree < 1 || o->degree > 10 ||
        o->products < WITH || o->products > ONLY)
        return 0;
    from = ens_arena_alloc(&arena, 2 * (part->p + 1), sizeof(*from));
    ok = from != NULL && count(o, part->p, from) == part->q;
    ens_arena_fini(&arena);
    part->work = 2 * (part->p + 1);
    return ok;
}

/* Products of the next degree of a row. */
static void multiply(enum products products, const double *x, size_t p,
                     const size_t *last, const double *before, double *out)
{
    for (size_t i = 0; i < p; i++) {
        size_t first = products == ONLY ? last[i + 1] : last[i];

        if (products == WITHOUT) {
            *out++ = x[i] * before[i];
            continue;
        }
        for (size_t k = first; k < last[p]; k++)
            *out++ = x[i] * before[k];
    }
}

static void apply(const struct ens_prep_part *part, const double *in, size_t n,
                  double *out, double *work)
{
    const struct own *o = part->own;
    size_t p = part->p, *last = (size_t *)(void *)work, *now = last + p + 1;
    size_t before = 0, at = p;

    _Static_assert(sizeof(size_t) <= sizeof(double), "work");
    first_degree(p, last);
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * part->q, in + i * p, p * sizeof(*in));
    for (int64_t d = 2; d <= o->degree; d++) {
        size_t *swap = last;

        for (size_t i = 0; i < n; i++)
            multiply((enum products)o->products, in + i * p, p, last,
                     out + i * part->q + before, out + i * part->q + at);
        next_degree((enum products)o->products, p, last, now);
        before = at;
        at += now[p];
        last = now;
        now = swap;
    }
}

/* -- names: "a^2:b" ------------------------------------------------------ */

/* A column before a product: one power more, or another factor. */
static const char *product_name(struct ens_arena *arena, const char *column,
                                const char *product)
{
    size_t n = strlen(column);
    unsigned power = 1;

    if (strncmp(product, column, n) == 0 &&
        (product[n] == '\0' || product[n] == ':' || product[n] == '^')) {
        product += n;
        if (*product == '^' && product[1] >= '2' && product[1] <= '9') {
            power = (unsigned)(product[1] - '0');
            product += 2;
        }
        return ens_arena_printf(arena, "%s^%u%s", column, power + 1, product);
    }
    return ens_arena_printf(arena, "%s:%s", column, product);
}

struct naming {
    const struct ens_prep_part *part;
    const char *const *column;
    struct ens_arena *arena;
    const char **name;
};

static int name_degree(const struct naming *g, const size_t *last,
                       size_t before, size_t at)
{
    const struct own *o = g->part->own;
    size_t p = g->part->p;

    for (size_t i = 0; i < p; i++) {
        size_t first = o->products == ONLY ? last[i + 1] : last[i];
        size_t end = o->products == WITHOUT ? i + 1 : last[p];

        if (o->products == WITHOUT)
            first = i;
        for (size_t k = first; k < end; k++) {
            g->name[at] =
                product_name(g->arena, g->column[i], g->name[before + k]);
            if (g->name[at++] == NULL)
                return -1;
        }
    }
    return 0;
}

static enum ens_status names(const struct ens_prep_part *part,
                             const char *const *column, struct ens_arena *arena,
                             const char **name, struct ens_error *err)
{
    const struct own *o = part->own;
    const struct naming g = {part, column, arena, name};
    size_t p = part->p, before = 0, at = p;
    size_t *last = ens_arena_alloc(arena, 2 * (p + 1), sizeof(*last));
    size_t *now = last + p + 1;

    if (last == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    first_degree(p, last);
    memcpy(name, column, p * sizeof(*name));
    for (int64_t d = 2; d <= o->degree; d++) {
        size_t *swap = last;

        if (name_degree(&g, last, before, at) != 0)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        next_degree((enum products)o->products, p, last, now);
        before = at;
        at += now[p];
        last = now;
        now = swap;
    }
    return ENS_OK;
}

const struct ens_prep_op ens_prep_poly = {.name = "poly",
                                          .form = ENS_PREP_OWN,
                                          .options = options,
                                          .fit = fit,
                                          .check = check,
                                          .apply = apply,
                                          .names = names};
