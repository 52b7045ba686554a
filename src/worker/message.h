/* Messages between a supervisor and its zygote, with descriptors. */
#ifndef ENS_WORKER_MESSAGE_H
#define ENS_WORKER_MESSAGE_H

#include "worker/zygote.h"
#include <stddef.h>

#define ENS_MESSAGE_MAX_FDS 2

/** One message with n_fds descriptors; flags as of sendmsg. Only INIT and
 * FAILED carry their texts. 0, or -1 with errno. */
int ens_message_send(int socket, const struct ens_zygote_message *m,
                     const int *fd, size_t n_fds, int flags);
/** 1 = a message, 0 = the other end is gone, -1 with errno. fd holds
 * ENS_MESSAGE_MAX_FDS entries, -1 where none came; close-on-exec. */
int ens_message_receive(int socket, struct ens_zygote_message *m, int *fd,
                        int flags);

#endif
