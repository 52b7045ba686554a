/* What tasks keep, by how they end: [run] retain, and retain.success,
 * retain.warning, retain.error where they are set.
 *
 * What every ok task keeps goes into the pack at once. What depends on the
 * end waits for it in the task's memory. */
#include "worker/inside.h"

#include <stdlib.h>
#include <string.h>

/* minimal < standard < debug; 0 for anything else. */
static int profile_rank(const char *name)
{
    static const char *const order[] = {"minimal", "standard", "debug"};

    for (int i = 0; i < 3; i++)
        if (strcmp(order[i], name) == 0)
            return i + 1;
    return 0;
}

static void retain_word(struct ens_worker *w, const char *word,
                        unsigned char ends)
{
    int rank = profile_rank(word);

    for (size_t i = 0; i < w->kind->n_retained; i++) {
        const struct ens_retained *item = &w->kind->retained[i];

        if (strcmp(item->name, word) == 0 ||
            (rank > 0 && profile_rank(item->profile) <= rank))
            w->retain[i] |= ends;
    }
}

static void retain_list(struct ens_worker *w, const struct ens_value *list,
                        unsigned char ends)
{
    if (list->n_list == 0)
        retain_word(w, list->text, ends);
    for (size_t i = 0; i < list->n_list; i++)
        retain_word(w, list->list[i].text, ends);
}

enum ens_status ens_retain_read(struct ens_worker *w, struct ens_error *err)
{
    static const struct {
        const char *key;
        unsigned char end;
    } by[] = {{"retain.success", ENS_RETAIN_SUCCESS},
              {"retain.warning", ENS_RETAIN_WARNING},
              {"retain.error", ENS_RETAIN_ERROR}};
    const struct ens_study *study = w->plan->study;
    const struct ens_value *all = ens_study_value(study, "run", "retain");
    unsigned char rest = ENS_RETAIN_OK;

    w->retain = calloc(w->kind->n_retained + 1, 1);
    if (w->retain == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
        const struct ens_value *v = ens_study_value(study, "run", by[i].key);

        if (v == NULL || !v->set)
            continue;
        retain_list(w, v, by[i].end);
        rest &= (unsigned char)~by[i].end;
    }
    if (all != NULL && all->set)
        retain_list(w, all, rest);
    else
        retain_word(w, "standard", rest);
    for (size_t i = 0; i < w->kind->n_retained; i++)
        if (strcmp(w->kind->retained[i].profile, "always") == 0)
            w->retain[i] = ENS_RETAIN_OK;
    return ENS_OK;
}

enum ens_status ens_retain_hold(struct ens_result *r, size_t item,
                                const void *data, size_t bytes,
                                const struct ens_artifact_ref *ref,
                                struct ens_error *err)
{
    struct ens_held *h = ens_arena_alloc(&r->arena, 1, sizeof(*h));
    unsigned char *copy =
        h == NULL || data == NULL ? NULL : ens_arena_alloc(&r->arena, bytes, 1);

    if (h == NULL || (data != NULL && copy == NULL))
        return ens_fail(err, ENS_ENOMEMORY, "artifact of %zu bytes", bytes);
    if (data != NULL && bytes > 0)
        memcpy(copy, data, bytes);
    *h = (struct ens_held){.item = item, .data = copy, .bytes = bytes};
    if (ref != NULL)
        h->ref = *ref;
    *r->held_end = h;
    r->held_end = &h->next;
    return ENS_OK;
}

/* Those of a failed task are part of what went wrong; else they are kept
 * unless they are an item that is not. */
static int keeps_warnings(const struct ens_worker *w, unsigned char end)
{
    for (size_t i = 0; i < w->kind->n_retained; i++)
        if (strcmp(w->kind->retained[i].name, "warnings") == 0)
            return (w->retain[i] & end) != 0 || end == ENS_RETAIN_ERROR;
    return 1;
}

enum ens_status ens_retain_settle(struct ens_worker *w, struct ens_error *err)
{
    struct ens_result *r = &w->result;
    unsigned char end = r->draft.status != ENS_TASK_OK ? ENS_RETAIN_ERROR
                        : r->warned                    ? ENS_RETAIN_WARNING
                                                       : ENS_RETAIN_SUCCESS;
    enum ens_status s = ENS_OK;

    for (struct ens_held *h = r->held; s == ENS_OK && h != NULL; h = h->next) {
        if ((w->retain[h->item] & end) == 0)
            continue;
        if (h->data != NULL)
            s = ens_result_store(r, h->data, h->bytes, &h->ref, err);
        if (s == ENS_OK)
            ens_result_refer(r, &h->ref, w->kind->retained[h->item].name);
    }
    if (r->warned && !keeps_warnings(w, end))
        ens_draft_forget_warnings(&r->draft);
    return s;
}
