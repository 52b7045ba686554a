/* Faults inside mapped inputs, while a kind runs.
 *
 * A task that writes to an input gets SIGSEGV: it has failed, and the worker
 * goes on. An input that shrank under its map gives SIGBUS: the run ends. Any
 * other fault is left to kill the process with its own signal.
 *
 * Use (sigsetjmp must be in the frame that makes the call):
 *     if (sigsetjmp(f->env, 0) != 0)
 *         ... f->signal, f->input ...
 *     ens_fault_arm(f);
 *     call();
 *     ens_fault_disarm();
 *
 * Not for threads: one guard is armed at a time in a process.
 */
#ifndef ENS_WORKER_FAULT_H
#define ENS_WORKER_FAULT_H

#include "input/input.h"
#include <ensrun/error.h>
#include <setjmp.h>

struct ens_fault {
    const struct ens_inputs *inputs;
    sigjmp_buf env; /* saved without the signal mask: no system call */
    int signal;     /* that came: SIGSEGV or SIGBUS */
    const struct ens_mapped *input;
};

/** Take SIGSEGV and SIGBUS over, on a stack of their own. Counts: handlers
 * go back to what they were with the last ens_fault_remove. */
enum ens_status ens_fault_install(struct ens_error *err);
void ens_fault_remove(void);
void ens_fault_arm(struct ens_fault *f);
void ens_fault_disarm(void);

#endif
