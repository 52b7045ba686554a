#include "kinds/superlearner/groups.h"

#include "base/bug.h"
#include "config/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- [group] sections ------------------------------------------------------ */

/* Names are part of those of stages and arrays, whose last word may be a
 * step's: see names.c. */
static enum ens_status check_group(const struct ens_sl *sl, uint32_t g,
                                   struct ens_error *err)
{
    static const char *const taken[] = {"rows",  "lanes", "sums",
                                        "edges", "bins",  "sorted"};
    const char *name = sl->group[g], *last = strrchr(name, '_');

    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] != '\0' ||
        strlen(name) >= ENS_SL_GROUP)
        return ens_fail(err, ENS_ESTUDY,
                        "[group %.80s]: a group's name is letters, digits and "
                        "_, at most %d of them",
                        name, ENS_SL_GROUP - 1);
    last = last == NULL ? name : last + 1;
    for (size_t i = 0; i < ENS_COUNT(taken); i++)
        if (strcmp(last, taken[i]) == 0)
            return ens_fail(err, ENS_ESTUDY,
                            "[group %s]: the name ends in \"%s\", as those of "
                            "stages do; take another",
                            name, last);
    if (sl->layers[g] == 0)
        return ens_fail(err, ENS_ESTUDY,
                        "[group %s]: no learner is in it; [learner NAME] "
                        "group = %s puts one there",
                        name, name);
    return ENS_OK;
}

/* That layer has learners of that group. */
static void mark(struct ens_sl *sl, const char *group, const char *layer)
{
    unsigned long number = strtoul(layer, NULL, 10);
    uint32_t g = 0;

    if (group[0] == '\0')
        g = ENS_SL_GROUPS;
    while (g < sl->n_groups && strcmp(sl->group[g], group) != 0)
        g++;
    if (number >= 1 && number <= ENS_SL_LAYERS)
        sl->layers[g] |= 1u << (number - 1);
}

enum ens_status ens_sl_find_groups(struct ens_sl *sl, struct ens_error *err)
{
    static const char *const keys[] = {"group", "layer"};
    const struct ens_value *v[2];
    const char *name;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; (name = ens_study_row(sl->study, "group", i)) != NULL;
         i++) {
        if (name[0] == '\0') /* no section but [group] */
            return ENS_OK;
        if (i == ENS_SL_GROUPS)
            return ens_fail(err, ENS_ESTUDY, "[group %s]: at most %d groups",
                            name, ENS_SL_GROUPS);
        sl->group[sl->n_groups++] = name;
    }
    for (size_t row = 0; sl->n_groups > 0; row++) {
        size_t i = 0;

        while (ens_study_pair(sl->study, "learner", row, keys, i, v)) {
            mark(sl, v[0]->text, v[1]->text);
            i++;
        }
        if (i == 0)
            break;
    }
    for (uint32_t g = 0; g < sl->n_groups && s == ENS_OK; g++)
        s = check_group(sl, g, err);
    return s;
}

/* -- those of a layer ------------------------------------------------------ */

uint32_t ens_sl_group_index(const struct ens_sl *sl, const char *group)
{
    uint32_t g = 0;

    if (group[0] == '\0')
        return 0;
    while (g < sl->n_groups && strcmp(sl->group[g++], group) != 0) {
    }
    return g;
}

const char *ens_sl_group_after(const struct ens_sl *sl, uint32_t number,
                               const char *group)
{
    uint32_t bit =
        number >= 1 && number <= ENS_SL_LAYERS ? 1u << (number - 1) : 0;
    uint32_t any = 0, g = group == NULL ? 0 : ens_sl_group_index(sl, group);

    for (uint32_t i = 0; i < sl->n_groups; i++)
        any |= sl->layers[i] & bit;
    if (group == NULL && (!any || (sl->layers[ENS_SL_GROUPS] & bit)))
        return "";
    while (g < sl->n_groups && !(sl->layers[g] & bit))
        g++;
    return g < sl->n_groups ? sl->group[g] : NULL;
}

struct ens_sl_layer ens_sl_mapping(const struct ens_sl *sl, uint32_t mapped_by)
{
    const char *group = ens_sl_group_after(sl, mapped_by, NULL);
    struct ens_sl_layer l = {.number = mapped_by};

    snprintf(l.group, sizeof(l.group), "%s", group);
    return l;
}

enum ens_status ens_sl_groups(const struct ens_sl *sl, uint32_t number,
                              struct ens_sl_groups *groups,
                              struct ens_error *err)
{
    const char *g = NULL;
    enum ens_status s = ENS_OK;

    groups->n = 0;
    while (s == ENS_OK && (g = ens_sl_group_after(sl, number, g)) != NULL)
        s = ens_sl_layer(sl, number, g, &groups->of[groups->n++], err);
    return s;
}

const struct ens_sl_layer *ens_sl_in_groups(const struct ens_sl_groups *groups,
                                            const struct ens_cell *cell)
{
    for (uint32_t i = 0; i < groups->n; i++)
        if (ens_sl_is_in(cell, &groups->of[i]))
            return &groups->of[i];
    return NULL;
}
