#include "stop/rules.h"

#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define FORM "mcse(MEASURE, TERM) < NUMBER"
#define Z    1.959963984540054 /* 97.5 % quantile of the normal */

/* Names that others give to measures. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"emp_se", "sd"},
    {"empirical_se", "sd"},
    {"mean_se", "model_se"},
};

/* -- reading ----------------------------------------------------------------
 */

struct span {
    const char *p;
    size_t n;
};

static struct span trim(const char *p, const char *end)
{
    while (p < end && isspace((unsigned char)*p))
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    return (struct span){p, (size_t)(end - p)};
}

static enum ens_status take_name(char to[ENS_STOP_NAME], struct span s,
                                 const char *what, struct ens_error *err)
{
    if (s.n == 0 || s.n >= ENS_STOP_NAME)
        return ens_fail(err, ENS_ESTUDY, "no %s; allowed: " FORM, what);
    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return ENS_OK;
}

/* MEASURE[, TERM]: a term may hold commas and brackets of its own. */
static enum ens_status take_names(struct ens_stop_rule *rule, const char *p,
                                  const char *end, struct ens_error *err)
{
    const char *comma = memchr(p, ',', (size_t)(end - p));
    enum ens_status s;

    s = take_name(rule->measure, trim(p, comma != NULL ? comma : end),
                  "measure", err);
    if (s != ENS_OK || comma == NULL)
        return s;
    return take_name(rule->term, trim(comma + 1, end), "term", err);
}

enum ens_status ens_stop_rule_parse(struct ens_stop_rule *rule,
                                    const char *text, struct ens_error *err)
{
    const char *less = strrchr(text, '<');
    struct span left, number;
    enum ens_status s;

    memset(rule, 0, sizeof(*rule));
    rule->text = text;
    strncpy(rule->term, "*", sizeof(rule->term) - 1);
    left = less != NULL ? trim(text, less) : (struct span){text, 0};
    if (left.n < 7 || memcmp(left.p, "mcse(", 5) != 0 ||
        left.p[left.n - 1] != ')')
        return ens_fail(err, ENS_ESTUDY, "not of the form " FORM);
    s = take_names(rule, left.p + 5, left.p + left.n - 1, err);
    if (s != ENS_OK)
        return s;
    number = trim(less + 1, text + strlen(text));
    if (ens_number_parse(number.p, number.n, &rule->below) != 0 ||
        !(rule->below > 0) || isinf(rule->below))
        return ens_fail(err, ENS_ESTUDY, "\"%.*s\" is not a number above 0",
                        (int)number.n, number.p);
    return ENS_OK;
}

static enum ens_status fail_at(const struct ens_study *study, const char *key,
                               const char *text, enum ens_status s,
                               struct ens_error *err)
{
    char where[320];

    ens_study_where(study, "stop", key, where, sizeof(where));
    return ens_wrap(err, s, "%s: [stop] %s: %.100s", where, key, text);
}

/* Count of a key, or what it is when the study does not set it. */
static uint32_t count(const struct ens_study *study, const char *key,
                      uint32_t unset)
{
    const struct ens_value *v = ens_study_value(study, "stop", key);

    return v != NULL && v->set ? (uint32_t)v->i : unset;
}

static enum ens_status read_counts(struct ens_stop_rules *rules,
                                   const struct ens_study *study,
                                   struct ens_error *err)
{
    uint32_t max = ens_study_replicates(study);

    rules->min = count(study, "min", ENS_STOP_MIN);
    rules->every = count(study, "every", rules->min);
    if (rules->min <= max)
        return ENS_OK;
    ens_fail(err, ENS_ESTUDY,
             "the rules are never looked at: [study] replicates, the most a "
             "cell has, is %u, and min %u",
             max, rules->min);
    return fail_at(study, "rule", rules->rule[0].text, ENS_ESTUDY, err);
}

enum ens_status ens_stop_rules_read(struct ens_stop_rules *rules,
                                    const struct ens_study *study,
                                    struct ens_error *err)
{
    const struct ens_value *v = ens_study_value(study, "stop", "rule");

    memset(rules, 0, sizeof(*rules));
    if (v == NULL || !v->set || v->n_list == 0)
        return ENS_OK;
    for (size_t i = 0; i < v->n_list; i++) {
        const char *text = v->list[i].text;
        enum ens_status s = ENS_OK;

        if (i == ENS_STOP_MAX_RULES)
            s = ens_fail(err, ENS_ESTUDY, "more than %d rules",
                         ENS_STOP_MAX_RULES);
        if (s == ENS_OK)
            s = ens_stop_rule_parse(&rules->rule[i], text, err);
        if (s != ENS_OK)
            return fail_at(study, "rule", text, s, err);
    }
    rules->n = v->n_list;
    return read_counts(rules, study, err);
}

/* -- looking ----------------------------------------------------------------
 */

double ens_stop_mcse(const struct ens_measure *m)
{
    if (m->n_used < 2)
        return NAN;
    if (m->is_share && (m->value == 0 || m->value == 1))
        return Z / (2 * ((double)m->n_used + Z * Z));
    return m->mcse;
}

int ens_stop_is_measure(const char *wanted, const char *name)
{
    if (strcmp(wanted, name) == 0)
        return 1;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
        if (strcmp(wanted, aliases[i].alias) == 0 &&
            strcmp(name, aliases[i].name) == 0)
            return 1;
    return 0;
}

static void note_worst(struct ens_stop_look *look, size_t rule, double mcse,
                       const char *term)
{
    double ratio =
        isnan(mcse) ? INFINITY : mcse / look->rules->rule[rule].below;

    if (look->worst.ratio > 0 && !(ratio > look->worst.ratio))
        return;
    look->worst.ratio = ratio;
    look->worst.mcse = mcse;
    look->worst.rule = rule;
    memset(look->worst.term, 0, sizeof(look->worst.term));
    strncpy(look->worst.term, term, sizeof(look->worst.term) - 1);
}

enum ens_status ens_stop_look_row(void *arg, const struct ens_measure *m,
                                  struct ens_error *err)
{
    struct ens_stop_look *look = arg;
    double mcse = ens_stop_mcse(m);

    (void)err;
    for (size_t i = 0; i < look->rules->n; i++) {
        const struct ens_stop_rule *rule = &look->rules->rule[i];

        if (!ens_stop_is_measure(rule->measure, m->measure))
            continue;
        look->measured |= 1u << i;
        if (strcmp(rule->term, "*") != 0 &&
            strcmp(rule->term, m->estimand) != 0)
            continue;
        look->named |= 1u << i;
        if (mcse < rule->below) /* NaN is not */
            look->met |= 1u << i;
        else
            look->failed |= 1u << i;
        note_worst(look, i, mcse, m->estimand);
    }
    return ENS_OK;
}

int ens_stop_look_holds(struct ens_stop_look *look)
{
    uint32_t lacking = look->rules->unchecked & ~look->named;

    for (size_t i = 0; i < look->rules->n; i++)
        if (lacking >> i & 1)
            note_worst(look, i, NAN, look->rules->rule[i].term);
    if (lacking != 0)
        return 0;
    return look->met != 0 && look->failed == 0;
}
