/* A process and all below it, as /proc shows them: memory and CPU time. A
 * process that ends while it is read counts as far as it was; none of this
 * ever fails for that. */
#ifndef ENS_BASE_TREE_H
#define ENS_BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

/** Memory of a process, in bytes. */
struct ens_memory {
    uint64_t pss;       /* shared pages by share */
    uint64_t rss;       /* shared pages in full */
    uint64_t own_bytes; /* anonymous pages that no other process maps: its heap
                           and stack, what it changed of mapped files */
};

struct ens_tree_process {
    int32_t pid, parent;
    uint64_t cpu_ns; /* its own and of children that it has waited for */
    int is_ended;    /* a zombie: has CPU time, no memory */
    int is_hidden;   /* another user's: its memory cannot be read */
    struct ens_memory memory;
};

struct ens_tree {
    size_t n, cap;
    struct ens_tree_process *process; /* the root is the first */
};

/** Read root and all below it; those of an earlier call are forgotten. 0, or
 * -1: no memory, or no /proc. Zero t before the first call. */
int ens_tree_read(struct ens_tree *t, int32_t root);
/** Memory of these processes alone; without a look at all that there are,
 * which a busy host has thousands of. */
int ens_tree_read_list(struct ens_tree *t, const int32_t *pid, size_t n);
void ens_tree_fini(struct ens_tree *t);

#endif
