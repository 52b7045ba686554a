/* What each rank is told first. */
#include "base/clock.h"
#include "transport/mpi.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Messages of a frame's size that may wait here for the journal, of all ranks
 * together; and of each. */
#define POOL_MESSAGES 512
#define RANK_MESSAGES 8

static uint32_t credits(const struct ens_ranks *r)
{
    int n = POOL_MESSAGES / r->size;

    return n < 1 ? 1 : n > RANK_MESSAGES ? RANK_MESSAGES : (uint32_t)n;
}

static enum ens_status put_inputs(struct ens_transport *t, struct ens_buf *b,
                                  struct ens_error *err)
{
    const struct ens_inputs *in = t->config.plan->inputs;
    enum ens_status s =
        in != NULL ? ens_staged_files(&t->file, in, err) : ENS_OK;

    for (size_t i = 0; s == ENS_OK && in != NULL && i < in->n; i++)
        ens_relay_put_staged_file(b, &t->file[i]);
    if (s == ENS_OK && b->failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return s;
}

/* But for what each rank has of its own. */
static enum ens_status describe(const struct ens_transport *t,
                                struct ens_relay_setup *s,
                                struct ens_error *err)
{
    const struct ens_transport_config *c = &t->config;
    struct stat st;

    *s = (struct ens_relay_setup){
        .n_inputs = c->plan->inputs != NULL ? c->plan->inputs->n : 0,
        .study_text = c->study_text,
        .study_bytes = c->study_bytes,
        .epoch = c->epoch,
        .credits = credits(t->ranks),
        .run_id = c->run_id,
        .memory_limit = c->memory_limit,
        .plugins = c->plugins,
        .timeout_s = c->timeout_s,
        .dead_man_s = c->dead_man_s,
        .heartbeat_s = t->beat_s,
    };
    if (strlen(c->dir) >= sizeof(s->dir))
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", c->dir);
    if (stat(c->dir, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", c->dir);
    s->dir_dev = st.st_dev;
    s->dir_ino = st.st_ino;
    memcpy(s->host, t->ranks->self.host, sizeof(s->host));
    memcpy(s->boot, t->ranks->self.boot, sizeof(s->boot));
    memcpy(s->dir, c->dir, strlen(c->dir) + 1);
    return ENS_OK;
}

static void put_setup(struct ens_transport *t, int rank,
                      struct ens_relay_setup *s)
{
    struct ens_peer *p = &t->peer[rank];

    if (t->config.stager != NULL) {
        ens_ranks_place(t->ranks, rank, &s->n_staging, &s->staging_index);
        t->n_copies += s->staging_index == 0;
    }
    s->first_slot = p->first_slot;
    s->n_slots = p->n_slots;
    ens_relay_put_setup(ens_mpi_down(t, rank), s);
    p->heard_ns = p->told_ns = ens_clock_ns();
}

enum ens_status ens_mpi_set_up(struct ens_transport *t, struct ens_error *err)
{
    struct ens_buf inputs = ENS_BUF_INIT;
    struct ens_relay_setup setup;
    enum ens_status s = describe(t, &setup, err);

    if (s == ENS_OK)
        s = put_inputs(t, &inputs, err);
    setup.inputs = inputs.data;
    for (int i = 1; s == ENS_OK && i < t->ranks->size; i++)
        put_setup(t, i, &setup);
    ens_buf_fini(&inputs);
    return s;
}
