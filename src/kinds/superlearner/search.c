#include "kinds/superlearner/search.h"

#include "kinds/superlearner/scoring.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct ens_field ens_sl_search_fields[13] = {
    {"layer", ENS_I64, "", "layer the learner is in"},
    ENS_SL_GROUP_FIELD,
    {"partition", ENS_I64, "", "part of the rows it is fitted on"},
    {"rank", ENS_I64, "", "by score, of those of layer and partition"},
    {"rank_in_section", ENS_I64, "", "of those of its [learner NAME], too"},
    {"case", ENS_TEXT, "", "how its columns are prepared"},
    {"learner", ENS_TEXT, "", "its section, and values of its axes"},
    {"folds", ENS_I64, "", "folds with a score"},
    {"failed", ENS_I64, "", "folds whose fit failed: no rank"},
    {"score", ENS_F64, "", "of the rows held out: mean over folds"},
    {"score_sd", ENS_F64, "",
     "standard deviation over folds (of n, not n - 1)"},
    {"train_score", ENS_F64, "", "of the rows fitted on: mean over folds"},
    {"train_score_sd", ENS_F64, "", "the same"},
};

/* -- order ------------------------------------------------------------------
 */

static int is_ranked(const struct ens_sl_found *f)
{
    return f->failed == 0 && !isnan(f->score[0]);
}

static int by_place(const void *a, const void *b)
{
    const struct ens_sl_found *x = a, *y = b;

    return x->place < y->place ? -1 : x->place > y->place;
}

static int by_part(const struct ens_sl_found *x, const struct ens_sl_found *y)
{
    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return 0;
}

static int by_score(const void *a, const void *b)
{
    const struct ens_sl_found *x = a, *y = b;
    int c = by_part(x, y);

    if (c != 0)
        return c;
    if (is_ranked(x) != is_ranked(y))
        return is_ranked(x) ? -1 : 1;
    if (is_ranked(x) && x->score[0] != y->score[0])
        return x->score[0] < y->score[0] ? -1 : 1;
    return by_place(x, y);
}

static int by_larger_score(const void *a, const void *b)
{
    struct ens_sl_found x = *(const struct ens_sl_found *)a;
    struct ens_sl_found y = *(const struct ens_sl_found *)b;

    x.score[0] = -x.score[0];
    y.score[0] = -y.score[0];
    return by_score(&x, &y);
}

static int by_section(const void *a, const void *b)
{
    const struct ens_sl_found *x = a, *y = b;
    int c = by_part(x, y);

    if (c == 0)
        c = strcmp(x->section, y->section);
    return c != 0 ? c : by_place(x, y);
}

static void rank(struct ens_sl_found *f, size_t n, int smaller_is_better)
{
    for (size_t i = 0; i < n; i++)
        f[i].place = i;
    qsort(f, n, sizeof(*f), smaller_is_better ? by_score : by_larger_score);
    for (size_t i = 0; i < n; i++) {
        int first = i == 0 || by_part(&f[i], &f[i - 1]) != 0;

        f[i].place = i;
        f[i].rank = !is_ranked(&f[i]) ? 0 : first ? 1 : f[i - 1].rank + 1;
    }
    qsort(f, n, sizeof(*f), by_section);
    for (size_t i = 0; i < n; i++) {
        int first = i == 0 || by_part(&f[i], &f[i - 1]) != 0 ||
                    strcmp(f[i].section, f[i - 1].section) != 0;

        f[i].rank_in_section = !is_ranked(&f[i]) ? 0
                               : first           ? 1
                                                 : f[i - 1].rank_in_section + 1;
    }
    qsort(f, n, sizeof(*f), by_place);
}

/* -- rows ------------------------------------------------------------------ */

static int64_t or_missing(uint64_t count)
{
    return count > 0 ? (int64_t)count : ENS_I64_MISSING;
}

static enum ens_status put(const struct ens_sl_tables_at *at,
                           const struct ens_sl_found *f, struct ens_error *err)
{
    union ens_table_value row[ENS_COUNT(ens_sl_search_fields)];
    char learner[ENS_SL_NAME];
    struct ens_cell cell;

    at->host->plan_cell(at->plan, f->cell, &cell);
    ens_sl_row_name(&cell, learner, ENS_SL_NAME);
    row[0].i64 = f->layer;
    row[1] = ens_sl_text(ens_sl_group_of(&cell));
    row[2].i64 = (int64_t)f->partition + 1;
    row[3].i64 = or_missing(f->rank);
    row[4].i64 = or_missing(f->rank_in_section);
    row[5] = ens_sl_text(ens_cell_value(&cell, "learner", "case")->text);
    row[6] = ens_sl_text(learner);
    row[7].i64 = (int64_t)f->folds;
    row[8].i64 = (int64_t)f->failed;
    for (int i = 0; i < 2; i++) {
        row[9 + i].f64 = f->score[i];
        row[11 + i].f64 = f->train[i];
    }
    return ens_sl_put_row(at, row, ENS_COUNT(row), err);
}

enum ens_status ens_sl_put_search(const struct ens_sl_tables_at *at,
                                  struct ens_error *err)
{
    struct ens_sl_found *f = (void *)at->found->data;
    size_t n = at->found->len / sizeof(*f);
    const struct ens_score *score, *risk;
    struct ens_cell cell;
    enum ens_status s = ens_sl_scores(&at->sl, &score, &risk, err);

    if (s != ENS_OK || n == 0)
        return s;
    for (size_t i = 0; i < n; i++) {
        at->host->plan_cell(at->plan, f[i].cell, &cell);
        f[i].section = ens_cell_row(&cell, "learner");
    }
    rank(f, n, score->smaller_is_better);
    for (size_t i = 0; i < n && s == ENS_OK; i++)
        s = put(at, &f[i], err);
    return s;
}
