/* Formulas: any text is parsed or refused; what is parsed can be evaluated. */
#include "fit/formula.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void evaluate(const struct ens_formula *f)
{
    static const double ones[4] = {1, 1, 1, 1};
    size_t n = f->n_vars + 1;
    const double **vars = malloc(n * sizeof(*vars));
    double *stack = malloc((f->depth + 1) * ENS_FORMULA_BLOCK * sizeof(*stack));
    double out[4];

    if (vars && stack) {
        for (size_t v = 0; v < n; v++)
            vars[v] = ones;
        ens_formula_eval(&f->response, vars, 4, stack, out);
        for (size_t j = 0; j < f->n_variables; j++)
            ens_formula_eval(&f->variable[j].expr, vars, 4, stack, out);
        for (size_t k = 0; k < f->n_groups; k++)
            ens_formula_eval(&f->group[k], vars, 4, stack, out);
        if (f->se.n_ops > 0)
            ens_formula_eval(&f->se, vars, 4, stack, out);
    }
    free(vars);
    free(stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const columns[] = {"a", "b c", "y"};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_error err = {0};
    struct ens_formula f;
    char *text = malloc(n + 1);

    if (!text)
        return 0;
    memcpy(text, data, n);
    text[n] = '\0';
    if (ens_formula_parse(&f, text, columns, 3, &arena, &err) == ENS_OK)
        evaluate(&f);
    else if (err.status != ENS_ESTUDY)
        abort();
    free(text);
    ens_arena_fini(&arena);
    return 0;
}
