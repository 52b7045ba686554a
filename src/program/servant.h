/* A program that stays: a line in, a line out, task after task.
 *
 * Started before its first task, in a process group of its own or that of
 * another (crew.h). Its death is the worker's: the one ends with the signal of
 * the other, so that the task is charged, tried again and given up like any
 * task whose worker died. It is killed when the worker ends. One that is
 * `alone` is no worker's: its death is an error like others, and signals are
 * for who started it.
 */
#ifndef ENS_PROGRAM_SERVANT_H
#define ENS_PROGRAM_SERVANT_H

#include "program/process.h"
#include <stdint.h>

#define ENS_SERVANT_STARTS 3

struct ens_servant {
    pid_t pid;   /* 0: none */
    pid_t group; /* its own, or the one it joined; 0: killed already */
    int in, out;
    int err;
    int alone;
    uint64_t n_answers;
    struct ens_program_end said; /* of the present task */
};

/** ENS_EDOMAIN when it cannot be started. p->group is not used. */
enum ens_status ens_servant_start(struct ens_servant *v,
                                  const struct ens_program *p,
                                  struct ens_error *err);
/** Kills it and all it started; harmless when there is none. */
void ens_servant_stop(struct ens_servant *v);
/**
 * One line there (n bytes, the last a newline) and one back, without its
 * newline, in v->said.out. When it is not ENS_OK there is no servant now:
 * ENS_ESTOPPED  it died; *status as of waitpid.
 * ENS_EINPUT    it ended by itself, or wrote, without having read a line: it
 *               cannot be started (a module that is missing), which is no
 *               task's fault. To be tried ENS_SERVANT_STARTS times.
 * ENS_EDOMAIN   it wrote more than a line, or one that is too long.
 */
enum ens_status ens_servant_ask(struct ens_servant *v, const void *line,
                                size_t n, int *status, struct ens_error *err);
/** As its program died, so does the worker: who hands out tasks then charges
 * this one and has it tried again. */
_Noreturn void ens_servant_follow(int status);

#endif
