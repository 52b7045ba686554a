#include "worker/fault.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)64 * 1024)

/* What a signal handler can reach is global by nature; all of it is here. */
static struct ens_fault *volatile armed;
static size_t n_installed;
static void *stack;
static stack_t old_stack;
static struct sigaction old_segv, old_bus;

/* A kill(2) or a fault elsewhere: die of it, as if there were no handler. A
 * real fault comes again when its instruction is repeated. */
static void die_of(int sig, const siginfo_t *info)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    sigemptyset(&plain.sa_mask);
    sigaction(sig, &plain, NULL);
    if (info->si_code <= 0)
        raise(sig);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    struct ens_fault *f = armed;
    const struct ens_mapped *input = NULL;

    (void)context;
    if (f != NULL && f->inputs != NULL && info->si_code > 0)
        input = ens_inputs_at(f->inputs, info->si_addr);
    if (input == NULL) {
        die_of(sig, info);
        return;
    }
    armed = NULL;
    f->signal = sig;
    f->input = input;
    siglongjmp(f->env, 1);
}

static enum ens_status take_stack(struct ens_error *err)
{
    stack_t s = {0};

    stack = malloc(STACK_BYTES);
    if (stack == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "no memory for a signal stack");
    s.ss_sp = stack;
    s.ss_size = STACK_BYTES;
    if (sigaltstack(&s, &old_stack) != 0) {
        free(stack);
        return ens_fail_errno(err, ENS_EPROCESS, "cannot set a signal stack");
    }
    return ENS_OK;
}

enum ens_status ens_fault_install(struct ens_error *err)
{
    /* SA_NODEFER: the handler is left by a jump that restores no mask. */
    struct sigaction sa = {.sa_sigaction = on_fault,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    enum ens_status s;

    if (n_installed == 0) {
        s = take_stack(err);
        if (s != ENS_OK)
            return s;
        sigemptyset(&sa.sa_mask);
        sigaction(SIGSEGV, &sa, &old_segv);
        sigaction(SIGBUS, &sa, &old_bus);
    }
    n_installed++;
    return ENS_OK;
}

void ens_fault_remove(void)
{
    if (n_installed == 0 || --n_installed > 0)
        return;
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGBUS, &old_bus, NULL);
    sigaltstack(&old_stack, NULL);
    free(stack);
    stack = NULL;
}

void ens_fault_arm(struct ens_fault *f)
{
    armed = f;
}

void ens_fault_disarm(void)
{
    armed = NULL;
}
