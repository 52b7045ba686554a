/* What dispatch.c (feeding) and blame.c (deaths, time-outs) share. */
#ifndef ENS_DISPATCH_STATE_H
#define ENS_DISPATCH_STATE_H

#include "dispatch/dispatch.h"

enum ens_hand_state {
    ENS_HAND_EMPTY,    /* no worker */
    ENS_HAND_STARTING, /* asked for */
    ENS_HAND_READY
};

struct ens_hand { /* what one slot's worker has in hand */
    enum ens_hand_state state;
    uint64_t stage; /* id of the stage it was told last; 0 none */
    uint32_t round;
    struct ens_range range[2]; /* in the order given */
    uint32_t n_ranges;
    uint32_t n_received; /* records of range[0] */
    int has_next;        /* runs kind.next */
    int alone;           /* range[0] is a last attempt */
    /* time-outs */
    uint64_t killed_place; /* task we killed it for; else UINT64_MAX - 1 */
    uint64_t timed_start;  /* start_ns that extra_ns belongs to */
    uint64_t extra_ns;     /* added to its deadline: the loop was late */
    int freed;             /* killed as its task is not wanted any more */
};

struct ens_charge { /* open-addressed by place + 1 */
    uint64_t key;
    uint32_t attempts, killed;
};

struct ens_dispatch {
    struct ens_dispatch_config config;
    const struct ens_transport_ops *ops;
    struct ens_transport *transport;
    struct ens_hand *hand;
    uint32_t n_busy;               /* hands with ranges */
    const struct ens_stage *stage; /* NULL: none */
    uint32_t round;
    const struct ens_done *done; /* of the stage */
    int only;                    /* some of its tasks may have ended */
    int restore;                 /* all of them have: for their blocks */
    struct ens_ranges *ranges;
    uint64_t turn; /* of the tracker, when all were fed last */
    struct ens_charge *charge;
    size_t n_charges, cap_charges;
    struct ens_buf next_order; /* waiting for a worker */
    int next_waiting, next_running;
    uint32_t next_attempts;
    int stopping, killed, paused, broken, stage_told;
    int ran_a_task; /* in this epoch */
    uint32_t early_deaths;
    uint64_t n_deaths;
    uint32_t n_started;
    uint64_t stop_ns;
    uint64_t deadline_ns; /* 0: none */
    uint64_t n_forgotten; /* tasks not handed out for it */
    uint64_t tick_ns;     /* of the last tick */
    uv_timer_t timer;
    uv_idle_t done_idle; /* raises stage_done outside of callbacks */
};

#define ENS_NO_PLACE (UINT64_MAX - 1)

/** Give the slot's worker what it may have. */
void ens_dispatch_feed(struct ens_dispatch *d, uint32_t slot);
void ens_dispatch_feed_all(struct ens_dispatch *d);
/** Start workers for what there is to do. */
void ens_dispatch_staff(struct ens_dispatch *d);
/** See whether the stage has ended. */
void ens_dispatch_check_end(struct ens_dispatch *d);
void ens_dispatch_break(struct ens_dispatch *d, const struct ens_error *err);
/* blame.c */
void ens_dispatch_dead(void *arg, uint32_t slot, const struct ens_death *death);
void ens_dispatch_tick(uv_timer_t *timer);
void ens_charges_clear(struct ens_dispatch *d);
/** Attempts charged to the task at a place so far. */
uint16_t ens_charges_of(const struct ens_dispatch *d, uint64_t place);
struct ens_charge *ens_charges_at(struct ens_dispatch *d, uint64_t place);

#endif
