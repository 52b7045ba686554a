/* What supervisor.c (a rank other than 0) and supervisor_setup.c (what it does
 * first) share. */
#ifndef ENS_TRANSPORT_SUPERVISED_H
#define ENS_TRANSPORT_SUPERVISED_H

#include "kind/finder.h"
#include "transport/cost.h"
#include "transport/ranks.h"
#include "transport/ticker.h"

struct ens_overdue { /* the task of a slot that was last looked at */
    uint64_t start_ns;
    uint64_t extra_ns; /* the loop was late */
    int told;
};

struct ens_supervisor {
    struct ens_ranks *ranks;
    const char *program;
    const struct ens_kind_table *kinds;
    uv_loop_t loop;
    struct ens_ticker ticker;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct ens_relay_setup setup;
    struct ens_buf text;          /* setup.study_text */
    struct ens_staged_file *file; /* setup.inputs */
    struct ens_study *study;
    struct ens_finder finder;
    struct ens_inputs inputs;
    struct ens_plan plan; /* nothing but the inputs */
    struct ens_relay_opened opened;
    char dir[4096]; /* where workers read; of a far one, to be removed: */
    int hold;       /* ens_folder_hold; -1: none */
    struct ens_transport *crew;  /* NULL: none */
    struct ens_stager *stager;   /* the crew's; NULL: nothing is copied */
    uint64_t staged_bytes;       /* as was told last ... */
    uint64_t staged_ns;          /* ... and when */
    struct ens_overdue *overdue; /* one per slot */
    struct ens_buf up;           /* items to be sent */
    uint32_t credits;
    int has_setup, paused;
    struct ens_cost_meter meter;
    uint64_t heard_ns, beat_ns, tick_ns;
    int over;             /* END came, or there is no use in going on */
    struct ens_error why; /* status ENS_OK: END came */
};

/** From the message to all that a crew needs: study, inputs or the stager of
 * their copies, the folder. */
enum ens_status ens_supervisor_prepare(struct ens_supervisor *s,
                                       struct ens_error *err);

#endif
