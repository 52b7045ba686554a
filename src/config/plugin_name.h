/* "FILE:NAME": something that a plugin has, where a name is expected. */
#ifndef ENS_CONFIG_PLUGIN_NAME_H
#define ENS_CONFIG_PLUGIN_NAME_H

#include "base/arena.h"
#include <ensrun/error.h>
#include <stddef.h>

struct ens_plugin_name {
    const char *path;  /* absolute */
    const char *name;  /* what of it */
    const char *label; /* "FILE:NAME" without the folder: its identity, which
                          does not change when a study moves */
    const char *full;  /* "PATH:NAME" */
};

/** Is it meant as one? No other name has a '/', a ':' or ends in ".so". */
int ens_plugin_is_name(const char *text, size_t n);
/** Where the arguments of "FILE:NAME(a, b)" begin; n when it has none. */
size_t ens_plugin_name_end(const char *text, size_t n);
/** Kept in the arena. Relative paths are from dir. ENS_ESTUDY: it is not of
 * that form. */
enum ens_status ens_plugin_name_read(struct ens_plugin_name *p,
                                     struct ens_arena *arena, const char *dir,
                                     const char *text, size_t n,
                                     struct ens_error *err);

#endif
