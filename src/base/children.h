/* Processes below this one, found in /proc by their parent. */
#ifndef ENS_BASE_CHILDREN_H
#define ENS_BASE_CHILDREN_H

#include <stdint.h>

/** Call visit for every child of this process (zombies too). */
void ens_children_each(void (*visit)(void *arg, int32_t pid), void *arg);
/** SIGKILL all children and, as they are handed up to a subreaper, theirs,
 * until none is left or seconds have passed; reaps them. */
void ens_children_end(double seconds);

#endif
