#include "config/value_parse.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int ens_is_numeric(enum ens_type t)
{
    return t == ENS_T_INT || t == ENS_T_NUM || t == ENS_T_SECONDS ||
           t == ENS_T_BYTES;
}

/* An INT whose upper bound is above 2^63 is unsigned: i holds its bits. */
static int is_unsigned(const struct ens_setting *s)
{
    return s->min < s->max && s->max > 9223372036854775808.0;
}

static enum ens_status parse_int(const struct ens_setting *s,
                                 struct ens_slice t, struct ens_scalar *v,
                                 struct ens_error *err)
{
    uint64_t u;
    double d;

    if (is_unsigned(s) && ens_number_parse_u64(t.p, t.n, &u) == 0) {
        v->i = (int64_t)u;
        v->d = (double)u;
        return ENS_OK;
    }
    if (ens_number_parse_i64(t.p, t.n, &v->i) == 0) {
        v->d = (double)v->i;
        return is_unsigned(s) && v->i < 0
                   ? ens_fail(err, ENS_ESTUDY, "%.*s is below 0", ENS_SHOW(t))
                   : ENS_OK;
    }
    if (ens_number_parse(t.p, t.n, &d) != 0 || d != floor(d) || isinf(d))
        return ens_fail(err, ENS_ESTUDY, "\"%.*s\" is not an integer",
                        ENS_SHOW(t));
    if (is_unsigned(s) && d < 0)
        return ens_fail(err, ENS_ESTUDY, "%.*s is below 0", ENS_SHOW(t));
    /* 1e6 is handy; beyond 2^53 it would be a guess. */
    if (!(fabs(d) <= 9007199254740992.0))
        return ens_fail(err, ENS_ESTUDY, "%.*s is too large", ENS_SHOW(t));
    v->i = (int64_t)d;
    v->d = d;
    return ENS_OK;
}

static enum ens_status parse_num(struct ens_slice t, struct ens_scalar *v,
                                 struct ens_error *err)
{
    double d;

    if (ens_number_parse(t.p, t.n, &d) != 0 || isnan(d))
        return ens_fail(err, ENS_ESTUDY, "\"%.*s\" is not a number",
                        ENS_SHOW(t));
    v->d = d + 0.0; /* -0 is 0 */
    v->i = 0;
    return ENS_OK;
}

/* A number at the front of t, and the letters after it; both cut off. */
static int take_quantity(struct ens_slice *t, double *number,
                         struct ens_slice *unit)
{
    size_t n = 0;
    size_t k;

    while (n < t->n && strchr("0123456789.+-", t->p[n]) != NULL)
        n++;
    /* An exponent: e, then a sign or a digit. */
    if (n > 0 && n + 1 < t->n && (t->p[n] | 32) == 'e' &&
        strchr("0123456789+-", t->p[n + 1]) != NULL)
        for (n++; n < t->n && strchr("0123456789+-", t->p[n]) != NULL;)
            n++;
    if (ens_number_parse(t->p, n, number) != 0)
        return -1;
    *t = ens_slice_trim((struct ens_slice){t->p + n, t->n - n});
    for (k = 0; k < t->n && ((t->p[k] | 32) >= 'a' && (t->p[k] | 32) <= 'z');)
        k++;
    *unit = (struct ens_slice){t->p, k};
    *t = ens_slice_trim((struct ens_slice){t->p + k, t->n - k});
    return 0;
}

static int unit_is(struct ens_slice u, const char *name)
{
    return u.n == strlen(name) && memcmp(u.p, name, u.n) == 0;
}

/* "10", "60 s", "1h 30m": units s m h d, seconds without one. */
static enum ens_status parse_seconds(struct ens_slice t, struct ens_scalar *v,
                                     struct ens_error *err)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    struct ens_slice rest = t;
    double sum = 0;
    int parts = 0;

    do {
        struct ens_slice unit;
        double x;
        double factor = 0;

        if (take_quantity(&rest, &x, &unit) != 0)
            goto bad;
        for (size_t i = 0; i < 4; i++)
            if (unit_is(unit, units[i].unit))
                factor = units[i].seconds;
        if (unit.n == 0 && parts == 0 && rest.n == 0)
            factor = 1;
        if (factor <= 0)
            goto bad;
        sum += x * factor;
        parts++;
    } while (rest.n > 0);
    if (!isfinite(sum))
        goto bad;
    v->d = sum + 0.0;
    v->i = 0;
    return ENS_OK;

bad:
    return ens_fail(err, ENS_ESTUDY,
                    "\"%.*s\" is not a duration (10, 60 s, 1h 30m; units s m "
                    "h d)",
                    ENS_SHOW(t));
}

/* "4096", "64 KiB", "2 G". */
static enum ens_status parse_bytes(struct ens_slice t, struct ens_scalar *v,
                                   struct ens_error *err)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {
        {"", 1},       {"k", 1e3},       {"M", 1e6},           {"G", 1e9},
        {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0}};
    struct ens_slice rest = t;
    struct ens_slice unit;
    double x;

    if (ens_number_parse_i64(t.p, t.n, &v->i) == 0) {
        v->d = (double)v->i;
        return ENS_OK;
    }
    if (take_quantity(&rest, &x, &unit) == 0 && rest.n == 0)
        for (size_t i = 0; i < 7; i++) {
            double b = x * units[i].bytes;

            if (!unit_is(unit, units[i].unit) || b != floor(b) ||
                !(fabs(b) <= 9007199254740992.0))
                continue;
            v->i = (int64_t)b;
            v->d = b;
            return ENS_OK;
        }
    return ens_fail(err, ENS_ESTUDY,
                    "\"%.*s\" is not a size in whole bytes (4096, 64 KiB, "
                    "2 G; units k M G KiB MiB GiB)",
                    ENS_SHOW(t));
}

enum ens_status ens_scalar_parse(const struct ens_setting *s,
                                 struct ens_slice text, struct ens_scalar *v,
                                 struct ens_error *err)
{
    if (s->type == ENS_T_INT)
        return parse_int(s, text, v, err);
    if (s->type == ENS_T_SECONDS)
        return parse_seconds(text, v, err);
    if (s->type == ENS_T_BYTES)
        return parse_bytes(text, v, err);
    return parse_num(text, v, err);
}

static enum ens_status check_bounds(const struct ens_setting *s,
                                    const char *text, double d,
                                    struct ens_error *err)
{
    char bound[ENS_NUMBER_BYTES];
    int positive = s->type == ENS_T_SECONDS || s->type == ENS_T_BYTES;
    double min = s->min < s->max ? s->min : positive ? 0 : -INFINITY;
    double max = s->min < s->max ? s->max : INFINITY;
    const char *unit = s->unit != NULL ? s->unit : "";

    if (d >= min && d <= max)
        return ENS_OK;
    ens_number_format(bound, d < min ? min : max);
    return ens_fail(err, ENS_ESTUDY, "%s is %s %s%s%s", text,
                    d < min ? "below" : "above", bound, *unit ? " " : "", unit);
}

enum ens_status ens_scalar_value(const struct ens_value_context *c,
                                 const struct ens_setting *s,
                                 struct ens_scalar x, struct ens_value *v,
                                 struct ens_error *err)
{
    char text[ENS_NUMBER_BYTES];
    enum ens_status st;

    memset(v, 0, sizeof(*v));
    if (s->type == ENS_T_NUM || s->type == ENS_T_SECONDS)
        ens_number_format(text, x.d);
    else if (is_unsigned(s))
        snprintf(text, sizeof(text), "%llu", (unsigned long long)x.i);
    else
        ens_number_format_i64(text, x.i);
    st = check_bounds(s, text, x.d, err);
    if (st != ENS_OK)
        return st;
    v->set = 1;
    v->i = x.i;
    v->d = x.d;
    v->text = ens_arena_strdup(c->arena, text);
    return v->text == NULL ? ens_out_of_memory(err) : ENS_OK;
}
