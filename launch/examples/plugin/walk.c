/* A kind: how far does a random walk get? Compile, then run the study:
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o walk.so walk.c
 *   ensrun walk.ini */
#include <ensrun/plugin.h>
#include <math.h>

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_SETTING("walk", "steps", INT, AXIS, CELL, "100", 1, 1e9,
                "steps of a walk"),
    ENS_SETTING("walk", "drift", NUM, AXIS, CELL, "0", 0, 0,
                "mean of a step; its standard deviation is 1"),
};

/* The section [walk] has axes, so it is a role. */
static const struct ens_role roles[] = {{.name = "walk"}};

static enum ens_status plan(const struct ens_host *h, struct ens_plan *plan,
                            struct ens_error *err)
{
    static const struct ens_field fields[] = {
        {"end", ENS_F64, "", "where the walk ends"},
        {"highest", ENS_F64, "", "the farthest it came above its start"},
    };
    uint32_t index;
    enum ens_status s = h->plan_schema(plan, fields, 2, &index, err);

    if (s != ENS_OK)
        return s;
    return h->plan_stage(plan, "walk", 0, NULL, NULL, NULL, 0, err);
}

static enum ens_status run(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err)
{
    int64_t steps = host->cell_value(&task->cell, "walk", "steps")->i;
    double drift = host->cell_value(&task->cell, "walk", "drift")->d;
    struct ens_rng *rng = host->rng(result, "walk");
    double at = 0, highest = 0;

    (void)state; /* open would make one; this kind needs none */

    for (int64_t i = 0; i < steps; i++) {
        at += drift + host->normal(rng);
        highest = fmax(highest, at);
    }
    if (!isfinite(at))
        return host->fail(err, ENS_EDOMAIN, "the walk left the numbers");
    host->f64(result, 0, at);
    host->f64(result, 1, highest);
    return ENS_OK;
}

static const struct ens_kind walk = {.abi = ENS_ABI,
                                     .name = "walk",
                                     .help = "random walks",
                                     .results_version = 1,
                                     .settings = settings,
                                     .n_settings = 2,
                                     .roles = roles,
                                     .n_roles = 1,
                                     .plan = plan,
                                     .run = run};
static const struct ens_kind *const kinds[] = {&walk};

const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .kinds = kinds, .n_kinds = 1};
