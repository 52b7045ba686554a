#include "learn/prep/inside.h"

#include "base/bug.h"
#include "base/number.h"

#include <inttypes.h>
#include <string.h>

static const struct ens_prep_op *const table[] = {
#define ENS_PREP(name, help, ...) &ens_prep_##name,
#include "learn/prep/x.def"
#undef ENS_PREP
};

const char ens_prep_choices[] =
#define ENS_PREP(name, help, ...) #name "|"
#include "learn/prep/x.def"
#undef ENS_PREP
    "none";

const char ens_prep_help[] =
    "steps fitted on the training rows of each fit, one after the other, as in "
    "standardise, pca(5)"
#define ENS_PREP(name, help, ...) "; " #name ": " help
#include "learn/prep/x.def"
#undef ENS_PREP
    ;

static size_t place_of(const char *name)
{
    size_t i = 0;

    while (i < ENS_COUNT(table) && strcmp(table[i]->name, name) != 0)
        i++;
    return i;
}

const struct ens_prep_op *ens_prep_find(const char *name)
{
    size_t i = place_of(name);

    return i < ENS_COUNT(table) ? table[i] : NULL;
}

/* -- arguments ----------------------------------------------------------- */

const char *ens_prep_argument(const struct ens_call *call, const char *key,
                              size_t place)
{
    const char *text = NULL;

    for (size_t i = 0; i < call->n; i++)
        if (call->arg[i].key != NULL && strcmp(call->arg[i].key, key) == 0)
            text = call->arg[i].text;
    if (text == NULL && place < call->n && call->arg[place].key == NULL)
        text = call->arg[place].text;
    return text != NULL && *text != '\0' ? text : NULL;
}

enum ens_status ens_prep_number(const struct ens_call *call, const char *key,
                                size_t place, double other, double *value,
                                struct ens_error *err)
{
    const char *text = ens_prep_argument(call, key, place);

    *value = other;
    if (text == NULL || ens_number_parse(text, strlen(text), value) == 0)
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY, "%s: %s = %.60s: a number is expected",
                    call->name, key, text);
}

enum ens_status ens_prep_flag(const struct ens_call *call, const char *key,
                              size_t place, double other, double *value,
                              struct ens_error *err)
{
    const char *text = ens_prep_argument(call, key, place);

    *value = other;
    if (text == NULL)
        return ENS_OK;
    *value = strcmp(text, "yes") == 0;
    if (*value == 1 || strcmp(text, "no") == 0)
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY, "%s: %s = %.60s: yes or no is expected",
                    call->name, key, text);
}

/* -- steps --------------------------------------------------------------- */

static enum ens_status add_step(struct ens_prep *prep,
                                const struct ens_call *call,
                                struct ens_error *err)
{
    struct ens_prep_step *s = &prep->step[prep->n];
    enum ens_status st = ENS_OK;

    if (strcmp(call->name, "none") == 0)
        return ENS_OK;
    if (prep->n == ENS_PREP_STEPS)
        return ens_fail(err, ENS_ESTUDY, "more than %d steps of preprocessing",
                        ENS_PREP_STEPS);
    *s = (struct ens_prep_step){.op = ens_prep_find(call->name), .call = call};
    if (s->op == NULL)
        return ens_fail(err, ENS_ESTUDY, "\"%.60s\" is no preprocessing",
                        call->name);
    if (s->op->options != NULL)
        st = s->op->options(s, err);
    else if (call->n > 0)
        st = ens_fail(err, ENS_ESTUDY, "%s takes no arguments", call->name);
    if (st != ENS_OK)
        return st;
    if (s->op == &ens_prep_indicators)
        prep->texts = s->arg[0] != 0 ? ENS_TEXTS_LEVELS : ENS_TEXTS_CODED;
    else if (s->op == &ens_prep_lag)
        prep->lag += (uint64_t)s->arg[0];
    else
        prep->n++;
    return ENS_OK;
}

enum ens_status ens_prep_read(const struct ens_value *calls,
                              struct ens_prep *prep, struct ens_error *err)
{
    enum ens_status st = ENS_OK;

    *prep = (struct ens_prep){.texts = ENS_TEXTS_REFUSED};
    for (size_t i = 0; i < calls->n_list && st == ENS_OK; i++)
        st = add_step(prep, &calls->list[i].call, err);
    return st;
}

enum ens_status ens_prep_check(const struct ens_prep *prep,
                               const char *const *column, size_t p,
                               struct ens_arena *arena, struct ens_error *err)
{
    for (size_t i = 0; i < prep->n; i++) {
        const struct ens_prep_op *op = prep->step[i].op;
        const char **left;
        enum ens_status st;
        int64_t *place;
        size_t q;

        if (op->form == ENS_PREP_SCALE)
            continue; /* the same columns */
        if (op->columns == NULL)
            return ENS_OK; /* they are known when it is fitted */
        st = op->columns(&prep->step[i], column, p, arena, &place, &q, err);
        if (st != ENS_OK)
            return st;
        left = ens_arena_alloc(arena, q, sizeof(*left));
        if (left == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "columns: out of memory");
        for (size_t j = 0; j < q; j++)
            left[j] = column[place[j]];
        column = left;
        p = q;
    }
    return ENS_OK;
}

const unsigned char *ens_prep_others(const int64_t *left, size_t q, size_t p,
                                     struct ens_arena *arena)
{
    unsigned char *others = ens_arena_alloc(arena, p, 1);

    if (others == NULL)
        return NULL;
    memset(others, 1, p);
    for (size_t j = 0; j < q; j++)
        others[left[j]] = 0;
    return others;
}

/* What only scales columns before does so one by one. */
enum ens_status ens_prep_ignored(const struct ens_prep *prep,
                                 const char *const *column, size_t p,
                                 struct ens_arena *arena,
                                 const unsigned char **ignored,
                                 struct ens_error *err)
{
    const struct ens_prep_step *step = prep->step, *end = step + prep->n;
    int64_t *left;
    size_t q;
    enum ens_status st;

    *ignored = NULL;
    while (step < end && (step->op->form == ENS_PREP_SCALE ||
                          step->op->form == ENS_PREP_NOTHING))
        step++;
    if (step == end || step->op->columns == NULL)
        return ENS_OK;
    st = step->op->columns(step, column, p, arena, &left, &q, err);
    if (st != ENS_OK)
        return st;
    *ignored = ens_prep_others(left, q, p, arena);
    return *ignored != NULL ? ENS_OK
                            : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

const char *ens_prep_screen(const struct ens_prep *prep)
{
    for (size_t i = 0; i < prep->n; i++)
        if (prep->step[i].op->is_screen)
            return prep->step[i].op->name;
    return NULL;
}
