/* One program, run to its end: its output bounded, its process group gone when
 * it is.
 *
 * The program's end is its first process's end. What that process leaves
 * behind is killed: its group at once; what left the group (a daemon) comes
 * to us, as we are a subreaper, and is killed too. Output counts that was
 * written before the end.
 */
#ifndef ENS_PROGRAM_PROCESS_H
#define ENS_PROGRAM_PROCESS_H

#include "base/buf.h"
#include <ensrun/error.h>
#include <sys/types.h>

#define ENS_PROGRAM_OUT_MAX ((size_t)1 << 20) /* bytes of stdout kept */
#define ENS_PROGRAM_ERR_MAX ((size_t)2048)    /* last bytes kept */

struct ens_program {
    const char *const *argv; /* NULL-terminated; argv[0] without / is looked up
                                in PATH */
    const char *const *env;
    const char *folder; /* to run in */
    pid_t join;         /* group to be in; 0: one of its own */
    const int *file;    /* n_files descriptors, open as 3, 4 ... there; their
                           numbers here are larger than those */
    size_t n_files;
    /* Called with the group when it exists, and with 0 before it is reaped. */
    void (*group)(void *arg, pid_t group);
    void *arg;
};

struct ens_program_end {
    int status;         /* as of waitpid */
    struct ens_buf out; /* stdout, at most ENS_PROGRAM_OUT_MAX */
    int out_cut;        /* there was more */
    struct ens_buf err; /* the end of stderr, at most twice the limit */
};

/** Once per process: its orphaned descendants become its children, and it
 * sees signals that stop the job (stop.h). */
enum ens_status ens_program_adopt(struct ens_error *err);
/** ENS_EDOMAIN when it cannot be started; else ENS_OK, whatever its end. out
 * and err of `end` are emptied first. Blocks until its end. */
enum ens_status ens_program_run(const struct ens_program *p,
                                struct ens_program_end *end,
                                struct ens_error *err);
/** Only start it, with these as stdin (-1: /dev/null), stdout and stderr, and
 * nothing else open; 0 or an errno. */
int ens_program_start(pid_t *pid, const struct ens_program *p, int in, int out,
                      int errors);
/** Read what is there, into `end`, bounded; 1 when there was something. At the
 * end of file *fd is closed and -1. */
int ens_program_take_out(int *fd, struct ens_program_end *end);
int ens_program_take_err(int *fd, struct ens_program_end *end);
void ens_program_end_fini(struct ens_program_end *end);

#endif
