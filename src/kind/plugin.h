/* Files of plugins: opened, checked, asked for what they have. */
#ifndef ENS_KIND_PLUGIN_H
#define ENS_KIND_PLUGIN_H

#include "base/hash.h"
#include <ensrun/plugin.h>

struct ens_plugin_file {
    char *path;                /* absolute */
    struct ens_hash128 digest; /* of its content when it was opened */
    const struct ens_plugin *plugin;
};

/**
 * Open and check a plugin. Its library stays loaded for ever: what a study
 * points to must. alone: this process has one thread and must keep to it.
 * Errors name the file: missing, no library, of another machine, truncated,
 * without the symbol, for another interface, an incomplete table, threads.
 */
enum ens_status ens_plugin_open(struct ens_plugin_file *file, const char *path,
                                const struct ens_host *host, int alone,
                                struct ens_error *err);
void ens_plugin_close(struct ens_plugin_file *file);

/** What it has: ENS_ENOTFOUND lists all that there is. */
enum ens_status ens_plugin_kind(const struct ens_plugin_file *file,
                                const char *name, const struct ens_kind **kind,
                                struct ens_error *err);
enum ens_status ens_plugin_part(const struct ens_plugin_file *file,
                                const char *key, const char *name,
                                const struct ens_impl **impl,
                                struct ens_error *err);

/** Is it a library that this process could load? (plugin_elf.c) */
enum ens_status ens_plugin_check_file(const void *bytes, size_t n,
                                      struct ens_error *err);
/** Is its table complete and sound? Its version fits. (plugin_check.c) */
enum ens_status ens_plugin_check(const struct ens_plugin *plugin,
                                 struct ens_error *err);

#endif
