/* `ensrun export --artifact NAME` and `--files`. */
#ifndef ENS_CLI_EXPORT_ARTIFACT_H
#define ENS_CLI_EXPORT_ARTIFACT_H

#include "cli/options.h"
#include "cli/results.h"
#include "cli/screen.h"

/** Is it one of the two? */
int ens_export_is_artifact(const struct ens_options *o);
/** Options that do not go together, or are missing. */
enum ens_status ens_export_artifact_check(const struct ens_options *o,
                                          struct ens_error *err);
/** Write it, and say on stderr what was written and what was not there. */
enum ens_status ens_export_artifact(struct ens_results *r,
                                    const struct ens_options *o,
                                    struct ens_screen *screen,
                                    struct ens_error *err);

#endif
