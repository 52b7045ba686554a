/* Columns by name, by number from 1, by range; all but some with a minus. */
#include "base/number.h"
#include "config/names.h"
#include "learn/prep/step.h"

#include <inttypes.h>
#include <string.h>

struct pick {
    const char *const *column;
    size_t p;
    struct ens_error *err;
};

static enum ens_status unknown(const struct pick *k, const char *name, size_t n)
{
    char text[64];
    struct ens_near near;

    n = n < sizeof(text) ? n : sizeof(text) - 1;
    memcpy(text, name, n);
    text[n] = '\0';
    ens_near_init(&near, text);
    for (size_t j = 0; j < k->p && j < 1000; j++)
        ens_near_add(&near, k->column[j]);
    return ens_fail(k->err, ENS_ESTUDY,
                    "no column \"%s\" among %zu; %s, or a number from 1", text,
                    k->p, ens_near_text(&near));
}

/* A name goes before a number. */
static enum ens_status place_of(const struct pick *k, const char *s, size_t n,
                                size_t *place)
{
    uint64_t number;

    for (*place = 0; *place < k->p; (*place)++)
        if (strlen(k->column[*place]) == n &&
            memcmp(k->column[*place], s, n) == 0)
            return ENS_OK;
    if (ens_number_parse_u64(s, n, &number) != 0 || number < 1 || number > k->p)
        return unknown(k, s, n);
    *place = (size_t)number - 1;
    return ENS_OK;
}

/* "price", "3", "a:f": names may hold colons, so a whole name goes first. */
static enum ens_status range_of(const struct pick *k, const char *s,
                                size_t *first, size_t *last)
{
    size_t n = strlen(s);
    const char *colon = strchr(s, ':');
    enum ens_status st;

    if (colon == NULL || colon == s || colon[1] == '\0' ||
        place_of(&(struct pick){k->column, k->p, NULL}, s, n, first) ==
            ENS_OK) {
        st = place_of(k, s, n, first);
        *last = *first;
        return st;
    }
    st = place_of(k, s, (size_t)(colon - s), first);
    if (st == ENS_OK)
        st = place_of(k, colon + 1, strlen(colon + 1), last);
    if (st == ENS_OK && *last < *first)
        st = ens_fail(k->err, ENS_ESTUDY,
                      "%s: the last column is before the "
                      "first",
                      s);
    return st;
}

static enum ens_status leave_out(const struct pick *k,
                                 const struct ens_call *call, int64_t *left,
                                 size_t *q)
{
    size_t first, last;

    for (size_t j = 0; j < k->p; j++)
        left[j] = 0;
    for (size_t i = 0; i < call->n; i++) {
        const char *text = call->arg[i].text;
        enum ens_status st;

        if (text[0] != '-')
            return ens_fail(k->err, ENS_ESTUDY,
                            "%s: columns to take and columns to leave out are "
                            "not mixed",
                            text);
        st = range_of(k, text + 1, &first, &last);
        if (st != ENS_OK)
            return st;
        for (size_t j = first; j <= last; j++)
            left[j] = -1;
    }
    *q = 0;
    for (size_t j = 0; j < k->p; j++)
        if (left[j] == 0)
            left[(*q)++] = (int64_t)j;
    return ENS_OK;
}

/* In the order they are named, each once. */
static enum ens_status take(const struct pick *k, const struct ens_call *call,
                            int64_t *left, size_t *q, char *taken)
{
    size_t first, last;

    *q = 0;
    for (size_t i = 0; i < call->n; i++) {
        enum ens_status st = range_of(k, call->arg[i].text, &first, &last);

        if (st != ENS_OK)
            return st;
        for (size_t j = first; j <= last; j++) {
            if (taken[j])
                return ens_fail(k->err, ENS_ESTUDY, "%s is named twice",
                                k->column[j]);
            taken[j] = 1;
            left[(*q)++] = (int64_t)j;
        }
    }
    return ENS_OK;
}

static enum ens_status columns(const struct ens_prep_step *s,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, int64_t **left,
                               size_t *q, struct ens_error *err)
{
    const struct pick k = {column, p, err};
    const struct ens_call *call = s->call;
    char *taken = ens_arena_alloc(arena, p, 1);
    enum ens_status st;

    *left = ens_arena_alloc(arena, p, sizeof(**left));
    if (*left == NULL || taken == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    st = call->arg[0].text[0] == '-' ? leave_out(&k, call, *left, q)
                                     : take(&k, call, *left, q, taken);
    if (st == ENS_OK && *q == 0)
        st = ens_fail(err, ENS_ESTUDY, "no column is left of %zu", p);
    return st == ENS_OK ? ENS_OK : ens_wrap(err, st, "subset");
}

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    for (size_t i = 0; i < s->call->n; i++)
        if (s->call->arg[i].key != NULL)
            return ens_fail(err, ENS_ESTUDY,
                            "subset: columns are expected, not %s = ...",
                            s->call->arg[i].key);
    return s->call->n > 0
               ? ENS_OK
               : ens_fail(err, ENS_ESTUDY, "subset: columns are expected");
}

const struct ens_prep_op ens_prep_subset = {.name = "subset",
                                            .form = ENS_PREP_SELECT,
                                            .options = options,
                                            .columns = columns};
