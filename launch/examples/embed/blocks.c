/* The kind of the example: a Bayesian bootstrap of the mean of an array whose
 * rows come in blocks (Rubin 1981, weights of blocks are exponential).
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o blocks.so blocks.c -lm */
#include <ensrun/plugin.h>
#include <math.h>

#define BLOCKS 256

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_SETTING("blocks", "input", INPUT, ONE, STUDY, NULL, 0, 0,
                "a one-dimensional array of doubles"),
};

static enum ens_status plan(const struct ens_host *h, struct ens_plan *plan,
                            struct ens_error *err)
{
    static const struct ens_field field = {"mean", ENS_F64, "",
                                           "weighted mean"};
    uint32_t index;
    enum ens_status s = h->plan_schema(plan, &field, 1, &index, err);

    return s == ENS_OK
               ? h->plan_stage(plan, "mean", 0, NULL, NULL, NULL, 0, err)
               : s;
}

static enum ens_status run(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err)
{
    const struct ens_value *name =
        host->study_value(task->cell.study, "blocks", "input");
    const struct ens_input *in = host->input(result, name->text);
    const double *x = host->view_pointer_f64(&in->view);
    struct ens_rng *rng = host->rng(result, "weights");
    uint64_t n = in->n_rows / BLOCKS;
    double sum = 0, weights = 0;

    (void)state;
    if (x == NULL)
        return host->fail(err, ENS_EINPUT, "%s is not an array of doubles",
                          in->name);
    for (uint64_t b = 0; b < BLOCKS; b++) {
        double weight = -log1p(-host->uniform(rng));
        double total = 0;

        for (uint64_t i = 0; i < n; i++)
            total += x[b * n + i];
        sum += weight * total;
        weights += weight * (double)n;
    }
    host->f64(result, 0, sum / weights);
    return ENS_OK;
}

static const struct ens_kind blocks = {
    .abi = ENS_ABI,
    .name = "blocks",
    .help = "Bayesian bootstrap of a mean",
    .results_version = 1,
    .settings = settings,
    .n_settings = 1,
    .plan = plan,
    .run = run,
};
static const struct ens_kind *const kinds[] = {&blocks};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .kinds = kinds, .n_kinds = 1};
