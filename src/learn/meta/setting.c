/* What settings of several methods say. */
#include "learn/meta/method.h"

enum ens_status ens_meta_need_classes(const struct ens_learn_setup *setup,
                                      const char *name, struct ens_error *err)
{
    if (setup->family != ENS_OUTCOME_BINOMIAL)
        return ens_fail(err, ENS_ESTUDY, "%s needs family = binomial", name);
    return ENS_OK;
}

enum ens_status ens_meta_read_risk(const struct ens_learn_setup *setup,
                                   struct ens_meta_options *o,
                                   struct ens_error *err)
{
    static const enum ens_meta_risk loss[] = {
        ENS_META_SQUARED, ENS_META_SQUARED, ENS_META_DEVIANCE, ENS_META_AUC};
    const struct ens_value *v = setup->value(setup, "risk");

    o->loss = loss[v->i];
    if (v->i == 0 && setup->family == ENS_OUTCOME_BINOMIAL)
        o->loss = ENS_META_DEVIANCE;
    if (o->loss == ENS_META_SQUARED)
        return ENS_OK;
    return ens_meta_need_classes(
        setup, v->i == 2 ? "risk = deviance" : "risk = auc", err);
}
