/* Settings of the program itself, as tables like those of kinds. */
#ifndef ENS_CONFIG_BUILTIN_H
#define ENS_CONFIG_BUILTIN_H

#include <ensrun/study.h>

struct ens_settings_table {
    const struct ens_setting *item;
    size_t n;
};

/** Sections study, input and run. */
struct ens_settings_table ens_builtin_settings(void);
/** The key that `name` is another name of in a section; NULL: none. */
const char *ens_builtin_alias(const char *section, const char *name);

#endif
