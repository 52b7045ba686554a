#include "kinds/simulation/generators/truths.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

/* "TERM = VALUE": where the term ends, and the value; NULL: it has none. */
static const char *split(const char *text, size_t *n_term)
{
    const char *eq = strrchr(text, '=');

    *n_term = eq == NULL ? strlen(text) : (size_t)(eq - text);
    while (*n_term > 0 && text[*n_term - 1] == ' ')
        (*n_term)--;
    return eq == NULL ? NULL : eq + 1 + strspn(eq + 1, " ");
}

static int read_value(const struct ens_cell *cell, const char *text, double *v)
{
    const struct ens_value *key;

    if (ens_number_parse(text, strlen(text), v) == 0)
        return 1;
    key = ens_cell_value(cell, "data", text);
    return key != NULL &&
           ens_number_parse(key->text, strlen(key->text), v) == 0;
}

static enum ens_status read_one(const struct ens_cell *cell, const char *text,
                                int may_vary, double *v, size_t *n_term,
                                struct ens_error *err)
{
    const char *value = split(text, n_term);

    *v = NAN;
    if ((value == NULL && !may_vary) || *n_term == 0)
        return ens_fail(err, ENS_ESTUDY, "truth: \"%.60s\" is not TERM=VALUE",
                        text);
    if (value != NULL && !read_value(cell, value, v))
        return ens_fail(err, ENS_ESTUDY,
                        "truth: \"%.60s\": \"%.60s\" is neither a number nor "
                        "a key of this row that is one",
                        text, value);
    return ENS_OK;
}

enum ens_status ens_truths_read(const struct ens_setup *setup,
                                const struct ens_cell *cell, int may_vary,
                                struct ens_data_shape *out,
                                struct ens_error *err)
{
    const struct ens_value *list = ens_cell_value(cell, "data", "truth");
    size_t n = list->n_list;
    const char **name = setup->alloc(setup, n + 1, sizeof(*name));
    double *v = setup->alloc(setup, n + 1, sizeof(*v));

    if (name == NULL || v == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truth");
    for (size_t i = 0; i < n; i++) {
        const char *text = list->list[i].text;
        size_t n_term;
        enum ens_status s = read_one(cell, text, may_vary, &v[i], &n_term, err);
        char *term = s == ENS_OK ? setup->alloc(setup, n_term + 1, 1) : NULL;

        if (s != ENS_OK)
            return s;
        if (term == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "truth");
        memcpy(term, text, n_term);
        name[i] = term;
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[k], term) == 0)
                return ens_fail(err, ENS_ESTUDY,
                                "truth: \"%.60s\" is given twice", term);
    }
    out->n_truth = n;
    out->truth = name;
    out->truth_value = v;
    out->any_family = 1;
    return ENS_OK;
}
