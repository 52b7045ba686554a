/* Processes below this one, found in /proc by their parent. */
#ifndef ENS_BASE_CHILDREN_H
#define ENS_BASE_CHILDREN_H

/** SIGKILL all children and, as they are handed up to a subreaper, theirs,
 * until none is left or seconds have passed; reaps them. */
void ens_children_end(double seconds);

#endif
