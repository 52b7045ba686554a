/* For tests of preprocessing: steps from a text. */
#ifndef TESTS_PREP_H
#define TESTS_PREP_H

#include "learn/prep/prep.h"

#include <check.h>
#include <string.h>

/* "pca(3, whiten=yes) poly": steps without checks of their tables. */
static inline enum ens_status read_steps(const char *text,
                                         struct ens_arena *arena,
                                         struct ens_prep *prep,
                                         struct ens_error *err)
{
    struct ens_value *list =
        ens_arena_alloc(arena, ENS_PREP_STEPS + 2, sizeof(*list));
    struct ens_value all = {.list = list};
    char *s = ens_arena_strdup(arena, text);

    while (*s != '\0') {
        struct ens_call *c = &list[all.n_list++].call;
        struct ens_call_arg *arg = ens_arena_alloc(arena, 16, sizeof(*arg));
        size_t n = strcspn(s, " (");
        char end = s[n];

        ck_assert_uint_le(all.n_list, ENS_PREP_STEPS + 2);
        s[n] = '\0';
        c->name = s;
        c->arg = arg;
        s += n + (end != '\0');
        while (end == '(' && *s != '\0' && *s != ' ') {
            struct ens_call_arg *a = &arg[c->n++];
            char *equal;

            n = strcspn(s, ",)");
            end = s[n] == ')' ? ' ' : '(';
            s[n] = '\0';
            equal = strchr(s, '=');
            if (equal != NULL)
                *equal = '\0';
            a->key = equal != NULL ? s : NULL;
            a->text = equal != NULL ? equal + 1 : s;
            s += n + 1;
            s += *s == ' ';
        }
    }
    return ens_prep_read(&all, prep, err);
}

#endif
