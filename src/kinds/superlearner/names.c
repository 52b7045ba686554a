#include "kinds/superlearner/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const step_text[ENS_SL_N_STEPS] = {
    "_rows", "_lanes",  "_sums",      "_edges",     "_bins",
    "",      "_sorted", "meta_lanes", "meta_risks", "meta"};

struct ens_sl_at ens_sl_at(const struct ens_sl_layer *layer,
                           enum ens_sl_step step)
{
    struct ens_sl_at at = {layer->number, step, ""};

    memcpy(at.group, layer->group, sizeof(at.group));
    return at;
}

void ens_sl_stage_key(struct ens_sl_at at, char key[ENS_SL_KEY])
{
    if (at.step >= ENS_SL_META_LANES)
        snprintf(key, ENS_SL_KEY, "%s", step_text[at.step]);
    else
        snprintf(key, ENS_SL_KEY, "layer%u%s%s%s", at.layer,
                 at.group[0] != '\0' ? "_" : "", at.group, step_text[at.step]);
}

static int ends_in(const char *text, const char *word)
{
    size_t n = strlen(text), k = strlen(word);

    return n > k && k > 0 && strcmp(text + n - k, word) == 0;
}

enum ens_status ens_sl_stage_of(const char *key, struct ens_sl_at *at,
                                struct ens_error *err)
{
    char text[ENS_SL_KEY];
    size_t n;

    *at = (struct ens_sl_at){0, ENS_SL_META, ""};
    for (int i = ENS_SL_META_LANES; i <= ENS_SL_META; i++)
        if (strcmp(key, step_text[i]) == 0) {
            at->step = (enum ens_sl_step)i;
            return ENS_OK;
        }
    at->step = ENS_SL_FIT; /* but for the last word */
    for (int i = 0; i < ENS_SL_META_LANES; i++)
        if (ends_in(key, step_text[i]))
            at->step = (enum ens_sl_step)i;
    n = strlen(key) - strlen(step_text[at->step]);
    if (n < sizeof(text)) {
        memcpy(text, key, n);
        text[n] = '\0';
        if (ens_sl_array_parse(text, &n, &at->layer, at->group) == ENS_OK &&
            n == 5 && memcmp(text, "layer", n) == 0 && at->layer > 0)
            return ENS_OK;
    }
    return ens_fail(err, ENS_EPROTOCOL, "superlearner has no stage %s", key);
}

void ens_sl_array(char to[ENS_SL_KEY], const char *stem,
                  const struct ens_sl_layer *layer)
{
    if (layer == NULL)
        snprintf(to, ENS_SL_KEY, "%s", stem);
    else
        snprintf(to, ENS_SL_KEY, "%s%u%s%s", stem, layer->number,
                 layer->group[0] != '\0' ? "_" : "", layer->group);
}

enum ens_status ens_sl_array_parse(const char *name, size_t *stem,
                                   uint32_t *layer, char group[ENS_SL_GROUP])
{
    const char *p = name + strcspn(name, "0123456789");

    *stem = (size_t)(p - name);
    *layer = 0;
    group[0] = '\0';
    while (*p >= '0' && *p <= '9' && *layer <= ENS_SL_LAYERS)
        *layer = *layer * 10 + (uint32_t)(*p++ - '0');
    if (*p == '_' && *layer > 0 && p[1] != '\0') {
        snprintf(group, ENS_SL_GROUP, "%s", p + 1);
        p += 1 + strlen(group);
    }
    return *p == '\0' && *layer <= ENS_SL_LAYERS ? ENS_OK : ENS_ENOTFOUND;
}
