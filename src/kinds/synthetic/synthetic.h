/* The kind `synthetic`. */
#ifndef ENS_KINDS_SYNTHETIC_SYNTHETIC_H
#define ENS_KINDS_SYNTHETIC_SYNTHETIC_H

#include <ensrun/kind.h>

extern const struct ens_kind ens_kind_synthetic;

#endif
