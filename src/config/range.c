/* a:b, a:b:step, linspace, geomspace, logspace. */
#include "config/value_parse.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

struct range {
    const struct ens_setting *s;
    struct ens_slice text;
    struct ens_scalar from, to, step;
    ens_scalar_sink *sink;
    void *arg;
    struct ens_error *err;
};

static enum ens_status too_many(const struct range *r)
{
    return ens_fail(r->err, ENS_ESTUDY, "\"%.*s\" has more than %u values",
                    ENS_SHOW(r->text), (unsigned)ENS_MAX_ELEMENTS);
}

/* from + i step as exact integers over a power of ten. */
static enum ens_status walk(const struct range *r, int64_t from, int64_t to,
                            int64_t step, double scale)
{
    uint64_t span = step > 0 ? (uint64_t)to - (uint64_t)from
                             : (uint64_t)from - (uint64_t)to;
    uint64_t by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    enum ens_status st = ENS_OK;

    if (span / by >= ENS_MAX_ELEMENTS)
        return too_many(r);
    for (uint64_t i = 0; i <= span / by && st == ENS_OK; i++) {
        int64_t v = (int64_t)((uint64_t)from + i * (uint64_t)step);
        struct ens_scalar x = {v, (double)v / scale};

        st = r->sink(r->arg, x, r->err);
    }
    return st;
}

/* Decimals of a number's canonical text; -1 when it has an exponent. */
static int decimals(double v)
{
    char text[ENS_NUMBER_BYTES];
    const char *dot;

    ens_number_format(text, v);
    if (strpbrk(text, "ein") != NULL)
        return -1;
    dot = strchr(text, '.');
    return dot == NULL ? 0 : (int)strlen(dot + 1);
}

/* Power of ten that makes all three integers below 2^53; 0: none. */
static double common_scale(const struct range *r)
{
    double v[3] = {r->from.d, r->to.d, r->step.d};
    int most = 0;
    double scale = 1;

    for (int i = 0; i < 3; i++) {
        int d = decimals(v[i]);

        if (d < 0)
            return 0;
        most = d > most ? d : most;
    }
    for (int i = 0; i < most; i++)
        scale *= 10;
    for (int i = 0; i < 3; i++)
        if (fabs(v[i]) * scale >= 4503599627370496.0)
            return 0;
    return scale;
}

/* 0:1:0.1 gives 0.3, not 0.30000000000000004: steps are taken in decimals
 * where the numbers have some. */
static enum ens_status walk_doubles(const struct range *r)
{
    double scale = common_scale(r);
    double n;
    enum ens_status st = ENS_OK;

    if (scale > 0)
        return walk(r, llround(r->from.d * scale), llround(r->to.d * scale),
                    llround(r->step.d * scale), scale);
    n = floor((r->to.d - r->from.d) / r->step.d * (1 + 1e-12));
    if (!(n < (double)ENS_MAX_ELEMENTS))
        return too_many(r);
    for (int64_t i = 0; i <= (int64_t)n && st == ENS_OK; i++) {
        struct ens_scalar x = {0, r->from.d + (double)i * r->step.d};

        st = r->sink(r->arg, x, r->err);
    }
    return st;
}

static enum ens_status expand_colons(struct range *r)
{
    struct ens_slice part[3];
    struct ens_scalar *to[3] = {&r->from, &r->to, &r->step};
    size_t n = 0;
    size_t at = 0;
    struct ens_slice piece;

    while (ens_slice_next(r->text, ':', &at, &piece) == 1) {
        if (n == 3)
            return ens_fail(r->err, ENS_ESTUDY, "\"%.*s\" is not a:b:step",
                            ENS_SHOW(r->text));
        part[n++] = piece;
    }
    r->step = (struct ens_scalar){1, 1};
    for (size_t i = 0; i < n; i++) {
        enum ens_status st = ens_scalar_parse(r->s, part[i], to[i], r->err);

        if (st != ENS_OK)
            return ens_wrap(r->err, st, "range \"%.*s\"", ENS_SHOW(r->text));
    }
    if (!isfinite(r->from.d) || !isfinite(r->to.d) || !isfinite(r->step.d))
        return ens_fail(r->err, ENS_ESTUDY, "range \"%.*s\" is not finite",
                        ENS_SHOW(r->text));
    if (r->step.d > 0 ? r->to.d < r->from.d
                      : r->step.d >= 0 || r->to.d > r->from.d)
        return ens_fail(r->err, ENS_ESTUDY,
                        "range \"%.*s\" is empty: its step leads away from "
                        "its end",
                        ENS_SHOW(r->text));
    if (r->s->type == ENS_T_INT || r->s->type == ENS_T_BYTES)
        return walk(r, r->from.i, r->to.i, r->step.i, 1);
    return walk_doubles(r);
}

struct grid { /* arguments of linspace and its kin */
    double start, stop, base;
    int64_t num;
    int endpoint;
};

static int set_arg(struct grid *g, const char *key, struct ens_slice v)
{
    double *d = strcmp(key, "start") == 0  ? &g->start
                : strcmp(key, "stop") == 0 ? &g->stop
                : strcmp(key, "base") == 0 ? &g->base
                                           : NULL;

    if (d != NULL)
        return ens_number_parse(v.p, v.n, d) == 0 && isfinite(*d) ? 0 : -1;
    if (strcmp(key, "num") == 0)
        return ens_number_parse_i64(v.p, v.n, &g->num) == 0 && g->num >= 1 &&
                       g->num <= (int64_t)ENS_MAX_ELEMENTS
                   ? 0
                   : -1;
    g->endpoint = v.n == 3 ? 1 : 0;
    return (v.n == 3 && memcmp(v.p, "yes", 3) == 0) ||
                   (v.n == 2 && memcmp(v.p, "no", 2) == 0)
               ? 0
               : -1;
}

/* start, stop, num by place; also endpoint and base by name. */
static int read_grid(struct ens_slice args, int has_base, struct grid *g)
{
    static const char *const name[] = {"start", "stop", "num", "endpoint",
                                       "base"};
    unsigned seen = 0;
    size_t place = 0;
    size_t at = 0;
    struct ens_slice arg, key;
    int more;

    while ((more = ens_slice_next(args, ',', &at, &arg)) == 1) {
        size_t i = 5;

        if (!ens_call_key(&arg, &key))
            i = place++;
        else
            for (i = 0; i < 5; i++)
                if (key.n == strlen(name[i]) &&
                    memcmp(key.p, name[i], key.n) == 0)
                    break;
        if (i >= (has_base ? 5u : 4u) || (seen & 1u << i) != 0 ||
            set_arg(g, name[i], arg) != 0)
            return -1;
        seen |= 1u << i;
    }
    return more == 0 && (seen & 3) == 3 ? 0 : -1;
}

/* Element i as numpy computes it. */
static double grid_value(const struct grid *g, char form, int64_t i)
{
    int64_t div = g->endpoint ? g->num - 1 : g->num;
    double a = form == 'g' ? log10(fabs(g->start)) : g->start;
    double b = form == 'g' ? log10(fabs(g->stop)) : g->stop;
    double x = div > 0 ? a + (double)i * ((b - a) / (double)div) : a;

    if (g->endpoint && i == g->num - 1 && i > 0)
        x = b;
    if (form == 'i')
        return x;
    if (form == 'o')
        return pow(g->base, x);
    if (i == 0)
        return g->start;
    if (g->endpoint && i == g->num - 1)
        return g->stop;
    return copysign(pow(10, x), g->start);
}

static enum ens_status give(const struct range *r, double d)
{
    struct ens_scalar x = {0, d + 0.0};
    char text[ENS_NUMBER_BYTES];

    if (r->s->type == ENS_T_INT || r->s->type == ENS_T_BYTES) {
        double near = nearbyint(d);

        ens_number_format(text, d);
        if (!(fabs(d - near) <= 1e-9 * fmax(1, fabs(d))) ||
            fabs(d) > 9007199254740992.0)
            return ens_fail(r->err, ENS_ESTUDY,
                            "\"%.*s\" gives %s, not an integer",
                            ENS_SHOW(r->text), text);
        x = (struct ens_scalar){(int64_t)near, near + 0.0};
    }
    if (!isfinite(d))
        return ens_fail(r->err, ENS_ESTUDY, "\"%.*s\" is not finite",
                        ENS_SHOW(r->text));
    return r->sink(r->arg, x, r->err);
}

static enum ens_status expand_grid(const struct range *r, char form,
                                   struct ens_slice args)
{
    struct grid g = {0, 0, 10, 50, 1};
    enum ens_status st = ENS_OK;

    if (read_grid(args, form == 'o', &g) != 0)
        return ens_fail(r->err, ENS_ESTUDY,
                        "\"%.*s\": expected (start, stop, num), num from 1 "
                        "to %u",
                        ENS_SHOW(r->text), (unsigned)ENS_MAX_ELEMENTS);
    if (form == 'g' && !(g.start * g.stop > 0))
        return ens_fail(r->err, ENS_ESTUDY,
                        "\"%.*s\": start and stop must have one sign",
                        ENS_SHOW(r->text));
    for (int64_t i = 0; i < g.num && st == ENS_OK; i++)
        st = give(r, grid_value(&g, form, i));
    return st;
}

enum ens_status ens_range_expand(const struct ens_setting *s,
                                 struct ens_slice text, ens_scalar_sink *sink,
                                 void *arg, struct ens_error *err)
{
    static const char *const name[] = {"linspace", "geomspace", "logspace"};
    struct range r = {s, text, {0, 0}, {0, 0}, {0, 0}, sink, arg, err};
    struct ens_slice call, args;

    if (ens_call_split(text, &call, &args))
        for (size_t i = 0; i < 3; i++)
            if (call.n == strlen(name[i]) &&
                memcmp(call.p, name[i], call.n) == 0)
                return expand_grid(&r, "igo"[i], args);
    if (text.n > 0 && memchr(text.p, ':', text.n) != NULL)
        return expand_colons(&r);
    return ENS_ENOTFOUND;
}
