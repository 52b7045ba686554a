/* How much memory there is, and bringing maps into it. */
#ifndef ENS_INPUT_MEMORY_H
#define ENS_INPUT_MEMORY_H

#include "input/input.h"

/** MemAvailable in bytes; 0 when unknown. */
uint64_t ens_memory_available(void);
/** MemAvailable from the text of /proc/meminfo; 0 when it is not there. */
uint64_t ens_memory_parse(const char *text, size_t n);

#endif
