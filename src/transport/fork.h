/* What fork.c (workers' sockets) and supervise.c (the zygote) share.
 *
 * A worker is dead when its zygote has reaped it and its socket is read
 * empty; only then `dead` is raised, so all its frames came before.
 */
#ifndef ENS_TRANSPORT_FORK_H
#define ENS_TRANSPORT_FORK_H

#include "base/buf.h"
#include "transport/transport.h"
#include "worker/zygote.h"

#define ENS_LINK_BYTES    131072 /* two frames at most */
#define ENS_MAX_RESTARTS  3
#define ENS_RESTART_NS    60000000000u
#define ENS_CLOSE_SECONDS 1.0

enum ens_link_state {
    ENS_LINK_EMPTY,
    ENS_LINK_WANTED, /* start was called */
    ENS_LINK_LIVE    /* SPAWN was sent */
};

/* One incarnation's socket; freed by its close callback. */
struct ens_pipe {
    uv_pipe_t pipe;
    struct ens_link *link;
};

struct ens_link { /* what the supervisor knows of a slot's worker */
    struct ens_transport *t;
    uint32_t index;
    uint32_t incarnation;
    enum ens_link_state state;
    struct ens_pipe *pipe; /* NULL once closed */
    int32_t pid;           /* 0: not known, or reaped */
    int kill_wanted;       /* KILL is to be sent */
    int asked;             /* to be killed or to stop */
    int reaped;            /* death is filled in */
    int eof;               /* nothing more comes */
    struct ens_death death;
    uint64_t pack_end; /* far: where the next worker goes on */
    size_t have;       /* bytes in data */
    unsigned char *data;
};

struct ens_supervised { /* a zygote; freed by its close callback */
    uv_poll_t poll;
    struct ens_transport *t;
    int socket;
    pid_t pid;
};

struct ens_transport {
    struct ens_transport_config config;
    struct ens_link *link;
    struct ens_slot *slots; /* shared */
    int slots_fd, study_fd;
    int *input_fd;
    size_t n_inputs;
    int has_inputs;        /* all of them: a zygote may open the study */
    struct ens_buf before; /* int32_t each: children that we had */
    struct ens_supervised *zygote; /* NULL: none */
    int opened;                    /* it has opened the study */
    uint64_t restart_ns[ENS_MAX_RESTARTS];
    uint32_t n_restarts;
    uv_idle_t later; /* what must not be raised from inside a call */
    int paused, closing, broken;
    struct ens_error why; /* of broken */
    size_t n_handles;
};

/* fork.c ------------------------------------------------------------------ */
/** Raise `dead` for every link that is reaped, if reading may go on. */
void ens_links_finish(struct ens_transport *t);
/** The worker of a link is gone; takes the slot's last words. */
void ens_link_reaped(struct ens_link *l, int wait_status, int zygote_lost);
/** It could not even be started. */
void ens_link_died(struct ens_link *l);
/** Read its frames from fd, which is taken over unless -1 is returned. */
int ens_link_connect(struct ens_link *l, int fd);
/** A handle's close callback ran; the last one frees the transport. */
void ens_fork_released(struct ens_transport *t);

/* supervise.c ---------------------------------------------------------------
 */
enum ens_status ens_zygote_boot(struct ens_transport *t, struct ens_error *err);
/** All inputs are kept: this zygote and later ones get them. */
enum ens_status ens_zygote_give_inputs(struct ens_transport *t,
                                       struct ens_error *err);
/** Send what is wanted: spawns and kills. Raises nothing. */
void ens_zygote_pump(struct ens_transport *t);
/** End the zygote and everything below it; waits. */
void ens_zygote_end(struct ens_transport *t);

#endif
