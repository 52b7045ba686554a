/* Executing a zygote. */
#ifndef ENS_TRANSPORT_LAUNCH_H
#define ENS_TRANSPORT_LAUNCH_H

#include <ensrun/error.h>
#include <sys/types.h>

/** Run `program --zygote FD` in a process group of its own, with a cleaned
 * environment; *socket is our end (blocking, close-on-exec). The program
 * /proc/self/exe is the caller's own, even when its file was replaced or
 * deleted since; do not read that link and keep the path. */
enum ens_status ens_zygote_launch(const char *program, int *socket, pid_t *pid,
                                  struct ens_error *err);

#endif
