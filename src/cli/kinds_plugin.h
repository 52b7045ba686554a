/* `ensrun kinds FILE.so` and `ensrun kinds FILE.so:NAME`. */
#ifndef ENS_CLI_KINDS_PLUGIN_H
#define ENS_CLI_KINDS_PLUGIN_H

#include <ensrun/plugin.h>

/** How what a plugin has is printed. */
struct ens_kinds_printer {
    void (*kind)(const struct ens_kind *kind);
    void (*impl)(const char *key, const struct ens_impl *impl);
};

enum ens_status ens_kinds_plugin(const char *word,
                                 const struct ens_kinds_printer *print,
                                 struct ens_error *err);

#endif
