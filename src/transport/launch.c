#include "transport/launch.h"

#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ZYGOTE_FD      3
#define ZYGOTE_FD_TEXT "3"
#define PROGRAM_FD     4 /* closed by exec */
#define PROGRAM_PATH   "/proc/self/fd/4"

/* Numerical libraries must not start threads before a fork, and a task that
 * is an MPI program must not take itself for a rank of ours. */
static const char *const dropped[] = {
    "OMPI_",           "PMIX_", "PMI_", "ORTE_", "OPENBLAS_NUM_THREADS=",
    "OMP_NUM_THREADS="};
static char one_blas[] = "OPENBLAS_NUM_THREADS=1";
static char one_omp[] = "OMP_NUM_THREADS=1";

static int is_dropped(const char *variable)
{
    for (size_t i = 0; i < ENS_COUNT(dropped); i++)
        if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
            return 1;
    return 0;
}

/* To be freed; the texts are the environment's own. */
static char **clean_environment(void)
{
    size_t n = 0, k = 0;
    char **env;

    while (environ != NULL && environ[n] != NULL)
        n++;
    env = calloc(n + 3, sizeof(*env));
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_dropped(environ[i]))
            env[k++] = environ[i];
    env[k++] = one_blas;
    env[k] = one_omp;
    return env;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(attr) != 0)
        return -1;
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
                                       POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attr, 0);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    return 0;
}

/* stdout is the coordinator's alone: what kinds print goes to stderr. */
static int set_files(posix_spawn_file_actions_t *files, const char *program,
                     int socket)
{
    if (posix_spawn_file_actions_init(files) != 0)
        return -1;
    posix_spawn_file_actions_adddup2(files, socket, ZYGOTE_FD);
    posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (fcntl(2, F_GETFD) < 0)
        posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(files, 2, 1);
    posix_spawn_file_actions_addclosefrom_np(files, ZYGOTE_FD + 1);
    posix_spawn_file_actions_addopen(files, PROGRAM_FD, program,
                                     O_PATH | O_CLOEXEC, 0);
    return 0;
}

/* Opened, then executed: under valgrind, opening /proc/self/exe gives the
 * program it runs, executing it would run valgrind's own. */
static int spawn(const char *program, int socket, pid_t *pid)
{
    char name[] = "ensrun", flag[] = "--zygote", number[] = ZYGOTE_FD_TEXT;
    char *argv[] = {name, flag, number, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    char **env = clean_environment();
    int r = ENOMEM;

    if (env == NULL)
        return ENOMEM;
    if (set_attributes(&attr) != 0)
        goto fail_env;
    if (set_files(&files, program, socket) != 0)
        goto fail_attr;
    r = posix_spawn(pid, PROGRAM_PATH, &files, &attr, argv, env);
    posix_spawn_file_actions_destroy(&files);
fail_attr:
    posix_spawnattr_destroy(&attr);
fail_env:
    free(env);
    return r;
}

/* Both ends above the standard files and ZYGOTE_FD, so that no file action
 * overwrites the other's source. */
static int socket_pair(int sv[2])
{
    int raw[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, raw) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        sv[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, ZYGOTE_FD + 1);
        close(raw[i]);
    }
    if (sv[0] >= 0 && sv[1] >= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (sv[i] >= 0)
            close(sv[i]);
    return -1;
}

enum ens_status ens_zygote_launch(const char *program, int *socket, pid_t *pid,
                                  struct ens_error *err)
{
    int sv[2];
    int r;

    if (socket_pair(sv) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot make a socket pair");
    r = spawn(program, sv[1], pid);
    close(sv[1]);
    if (r != 0) {
        close(sv[0]);
        errno = r;
        return ens_fail_errno(err, ENS_EPROCESS, "cannot run %s", program);
    }
    *socket = sv[0];
    return ENS_OK;
}
