/* For tests of studies: texts parsed with the tables of study_fixture.h. */
#ifndef TESTS_UNIT_STUDY_PARSE_H
#define TESTS_UNIT_STUDY_PARSE_H

#include "study_fixture.h"

#include <check.h>

#define TRIAL "[study]\nkind = trial\n"
#define DATA  "[data]\ngenerator = linear\nn = 5\n"
#define FIT   "[fit]\nfitter = ols\n"
#define FREE  "[study]\nkind = free\n"
#define RULER "[study]\nkind = ruler\n"

static inline enum ens_status parse(struct ens_study **st, const char *text,
                                    const char *const *set,
                                    struct ens_buf *errors)
{
    struct ens_override o[8] = {{NULL}};
    size_t n = 0;

    for (; set != NULL && set[n] != NULL; n++)
        o[n].text = set[n];
    return ens_study_parse(st, "s.ini", text, strlen(text), "/base", o, n,
                           &fix_all, errors, NULL);
}

static inline struct ens_study *must(const char *text, const char *const *set)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = NULL;

    if (parse(&st, text, set, &errors) != ENS_OK)
        ck_abort_msg("%s", ens_buf_text(&errors));
    ck_assert_uint_eq(errors.len, 0);
    ens_buf_fini(&errors);
    return st;
}

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

#endif
