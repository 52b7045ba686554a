/* Deaths and time-outs. An attempt is charged only when exactly this worker
 * died, or was killed for a time-out, in phase `running`, with its zygote
 * alive and no stop in progress (DESIGN section 8). */
#include "base/bug.h"
#include "base/clock.h"
#include "dispatch/state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LATE_NS 1000000000u /* a loop this late was stopped, not busy */
/* A task that is not wanted any more may take so long: a new worker costs some
 * milliseconds, and its result may be of use when a rule is made stricter. */
#define FREE_NS 1000000000u

/* -- charges --------------------------------------------------------------- */

void ens_charges_clear(struct ens_dispatch *d)
{
    d->n_charges = 0;
    if (d->cap_charges > 0)
        memset(d->charge, 0, d->cap_charges * sizeof(*d->charge));
}

static struct ens_charge *find_charge(struct ens_charge *table, size_t cap,
                                      uint64_t place)
{
    size_t i = (size_t)((place + 1) * 0x9e3779b97f4a7c15u) & (cap - 1);

    while (table[i].key != 0 && table[i].key != place + 1)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static void grow_charges(struct ens_dispatch *d)
{
    size_t cap = d->cap_charges > 0 ? 2 * d->cap_charges : 64;
    struct ens_charge *table = calloc(cap, sizeof(*table));

    ENS_BUG_ON(table == NULL); /* 16 bytes per task that killed a worker */
    for (size_t i = 0; i < d->cap_charges; i++)
        if (d->charge[i].key != 0)
            *find_charge(table, cap, d->charge[i].key - 1) = d->charge[i];
    free(d->charge);
    d->charge = table;
    d->cap_charges = cap;
}

uint16_t ens_charges_of(const struct ens_dispatch *d, uint64_t place)
{
    const struct ens_charge *c;

    if (d->n_charges == 0)
        return 0;
    c = find_charge(d->charge, d->cap_charges, place);
    if (c->key == 0)
        return 0;
    return c->attempts < UINT16_MAX ? (uint16_t)c->attempts : UINT16_MAX;
}

struct ens_charge *ens_charges_at(struct ens_dispatch *d, uint64_t place)
{
    struct ens_charge *c;

    if (2 * (d->n_charges + 1) > d->cap_charges)
        grow_charges(d);
    c = find_charge(d->charge, d->cap_charges, place);
    if (c->key == 0) {
        c->key = place + 1;
        c->attempts = c->killed = 0;
        d->n_charges++;
    }
    return c;
}

void ens_dispatch_charged(struct ens_dispatch *d, uint64_t cell,
                          uint32_t replicate, uint32_t attempts,
                          uint32_t killed)
{
    uint64_t place = ens_stage_place(d->stage, cell, replicate);
    struct ens_charge *c;

    if (place == UINT64_MAX)
        return;
    c = ens_charges_at(d, place);
    c->attempts = attempts;
    c->killed = killed;
}

/* -- verdicts ---------------------------------------------------------------
 */

/* The same text for the same death, whatever the run: it reaches tables. */
static void death_text(const struct ens_death *death, char *to, size_t cap)
{
    int w = death->wait_status;

    if (WIFSIGNALED(w))
        snprintf(to, cap, "killed by signal %d (SIG%s)", WTERMSIG(w),
                 sigabbrev_np(WTERMSIG(w)) != NULL ? sigabbrev_np(WTERMSIG(w))
                                                   : "?");
    else
        snprintf(to, cap, "exited with status %d", WEXITSTATUS(w));
}

static void timeout_text(const struct ens_dispatch *d, char *to, size_t cap)
{
    snprintf(to, cap, "no result after %g s", d->config.timeout_s);
}

/* The task at `place` has used up an attempt. A SIGKILL comes from elsewhere
 * (a person, the kernel short of memory): those are counted apart, so that one
 * of them neither ends a task that would crash anyway with another text, nor
 * takes an attempt from it. */
static void charge(struct ens_dispatch *d, uint64_t place,
                   const struct ens_death *death, int timed_out)
{
    uint32_t limit =
        timed_out ? d->config.attempts_timeout : d->config.attempts;
    uint32_t killed = !timed_out && WIFSIGNALED(death->wait_status) &&
                      WTERMSIG(death->wait_status) == SIGKILL;
    struct ens_charge *c = ens_charges_at(d, place);
    uint64_t cell;
    uint32_t replicate;
    char text[128];

    c->attempts++;
    c->killed += killed;
    ens_stage_task(d->stage, place, &cell, &replicate);
    if ((killed ? c->killed : c->attempts - c->killed) >= limit) {
        if (timed_out)
            timeout_text(d, text, sizeof(text));
        else
            death_text(death, text, sizeof(text));
        d->config.events.ended(d->config.events.arg, cell, replicate,
                               timed_out ? ENS_TASK_TIMEOUT : ENS_TASK_CRASHED,
                               c->attempts, text);
        return;
    }
    d->config.events.attempt(d->config.events.arg, cell, replicate, c->attempts,
                             c->killed);
    if (killed)
        ens_ranges_put_last(d->ranges, place);
    else
        ens_ranges_put_back(d->ranges, (struct ens_range){place, 1});
}

/* Everything the worker had in hand but the culprit goes back. */
static void give_back(struct ens_dispatch *d, struct ens_hand *h,
                      uint64_t culprit)
{
    for (uint32_t i = h->n_ranges; i-- > 0;) {
        uint32_t skip = i == 0 ? h->n_received : 0;
        uint64_t first = h->range[i].first + skip;
        uint64_t end = h->range[i].first + h->range[i].n;

        if (culprit >= first && culprit < end) {
            ens_ranges_put_back(
                d->ranges,
                (struct ens_range){culprit + 1, (uint32_t)(end - culprit - 1)});
            end = culprit;
        }
        ens_ranges_put_back(d->ranges,
                            (struct ens_range){first, (uint32_t)(end - first)});
    }
    d->n_busy -= h->n_ranges > 0;
    h->n_ranges = 0;
    h->n_received = 0;
    h->alone = 0;
}

static int owns(const struct ens_hand *h, uint64_t place)
{
    for (uint32_t i = 0; i < h->n_ranges; i++) {
        uint32_t skip = i == 0 ? h->n_received : 0;

        if (place >= h->range[i].first + skip &&
            place < h->range[i].first + h->range[i].n)
            return 1;
    }
    return 0;
}

static void next_died(struct ens_dispatch *d, const struct ens_death *death,
                      int charged)
{
    struct ens_error err;
    char text[128];

    d->next_running = 0;
    if (d->stopping)
        return;
    if (charged && ++d->next_attempts >= d->config.attempts) {
        death_text(death, text, sizeof(text));
        ens_fail(&err, ENS_EPROCESS, "next of stage %s: worker %s",
                 d->stage->key, text);
        d->config.events.answered(d->config.events.arg, &err);
        return;
    }
    d->next_waiting = 1;
}

/* Workers that die before their first task, three in a row: give up. */
static void count_early(struct ens_dispatch *d, const struct ens_death *death)
{
    struct ens_error err;
    char text[128];

    if (death->phase != ENS_PHASE_STARTING && death->phase != ENS_PHASE_OPENING)
        return;
    if (++d->early_deaths < 3)
        return;
    death_text(death, text, sizeof(text));
    ens_fail(&err, d->ran_a_task ? ENS_EPROCESS : ENS_EINPUT,
             "three workers in a row %s while %s", text,
             ens_phase_text(death->phase));
    ens_dispatch_break(d, &err);
}

void ens_dispatch_dead(void *arg, uint32_t slot, const struct ens_death *death)
{
    struct ens_dispatch *d = arg;
    struct ens_hand *h = &d->hand[slot];
    int running = death->phase == ENS_PHASE_RUNNING && !death->zygote_lost &&
                  !d->stopping;
    int timed_out = running && death->asked && death->place == h->killed_place;
    int charged = running && (timed_out || !death->asked);
    uint64_t culprit = ENS_NO_PLACE;

    if (d->broken)
        return;
    d->n_deaths++;
    h->state = ENS_HAND_EMPTY;
    h->stage = 0;
    h->killed_place = ENS_NO_PLACE;
    h->freed = 0;
    if (h->has_next) {
        h->has_next = 0;
        next_died(d, death, charged);
    }
    if (d->stage != NULL) {
        if (charged && owns(h, death->place))
            culprit = death->place;
        give_back(d, h, culprit);
        if (culprit != ENS_NO_PLACE) {
            d->ran_a_task = 1;
            charge(d, culprit, death, timed_out);
        }
    }
    d->config.events.died(d->config.events.arg, slot, death);
    if (!death->zygote_lost && !d->stopping)
        count_early(d, death);
    ens_dispatch_feed_all(d);
    ens_dispatch_check_end(d);
}

/* -- time -------------------------------------------------------------------
 */

static void check_timeout(struct ens_dispatch *d, uint32_t slot, uint64_t now,
                          uint64_t late_ns)
{
    struct ens_hand *h = &d->hand[slot];
    const struct ens_slot *s = d->ops->slot(d->transport, slot);
    uint64_t limit = (uint64_t)(d->config.timeout_s * 1e9);
    uint64_t start;

    if (s == NULL || h->state != ENS_HAND_READY ||
        atomic_load(&s->phase) != ENS_PHASE_RUNNING ||
        h->killed_place != ENS_NO_PLACE)
        return;
    start = atomic_load(&s->start_ns);
    if (h->timed_start != start) {
        h->timed_start = start;
        h->extra_ns = 0;
    }
    h->extra_ns += late_ns;
    if (now <= start || now - start < limit + h->extra_ns || h->has_next)
        return;
    h->killed_place = atomic_load(&s->place);
    d->ops->kill(d->transport, slot);
}

/* A worker that is long at a task of a cell that stopped before it is wanted
 * elsewhere, or is all that the run still waits for. */
static void free_worker(struct ens_dispatch *d, uint32_t slot, uint64_t now)
{
    struct ens_hand *h = &d->hand[slot];
    const struct ens_slot *s = d->ops->slot(d->transport, slot);
    uint64_t start;
    uint64_t place;

    if (s == NULL || h->state != ENS_HAND_READY || h->n_ranges == 0 ||
        h->freed || atomic_load(&s->phase) != ENS_PHASE_RUNNING)
        return;
    place = atomic_load(&s->place);
    if (!owns(h, place) ||
        ens_ranges_is_wanted(d->ranges, (struct ens_range){place, 1}))
        return;
    start = atomic_load(&s->start_ns);
    if (now <= start || now - start < FREE_NS)
        return;
    h->freed = 1;
    d->ops->kill(d->transport, slot);
}

void ens_dispatch_tick(uv_timer_t *timer)
{
    struct ens_dispatch *d = timer->data;
    uint64_t now = ens_clock_ns();
    uint64_t late = now - d->tick_ns;

    d->tick_ns = now;
    late = late > LATE_NS ? late : 0;
    if (d->stopping) {
        d->stop_ns += late;
        if (!d->killed && now > d->stop_ns &&
            (double)(now - d->stop_ns) > d->config.grace_s * 1e9)
            ens_dispatch_kill(d);
        return;
    }
    if (d->paused || d->broken)
        return;
    for (uint32_t i = 0; d->stage != NULL && i < d->config.n_slots; i++)
        free_worker(d, i, now);
    if (d->config.timeout_s <= 0)
        return;
    for (uint32_t i = 0; i < d->config.n_slots; i++)
        check_timeout(d, i, now, late);
}
