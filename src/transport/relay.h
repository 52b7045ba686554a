/* What a coordinator and the supervisors of other ranks say to each other.
 *
 * A message is a row of items, little-endian, each at a multiple of 8:
 *
 *   offset size  field
 *        0    4  type (enum ens_relay_type)
 *        4    4  slot: of the whole job, counted through all ranks
 *        8    4  n, bytes of the body
 *       12    4  zero
 *       16    n  body, then zeros up to a multiple of 8
 *
 * All of it is read as bytes from outside: whatever is cut short or makes no
 * sense is refused. HELLO keeps its first four fields in every version.
 */
#ifndef ENS_TRANSPORT_RELAY_H
#define ENS_TRANSPORT_RELAY_H

#include "base/buf.h"
#include "transport/transport.h"

#define ENS_RELAY_HEAD     16u
#define ENS_RELAY_PROTOCOL 2u
/** A message is sent before it is longer, unless one item alone is. */
#define ENS_RELAY_BYTES 65536u

enum ens_relay_type {
    /* down */
    ENS_RELAY_SETUP = 1,  /* struct ens_relay_setup */
    ENS_RELAY_START = 2,  /* a worker in the slot */
    ENS_RELAY_ORDER = 3,  /* whole orders, as in worker/order.h */
    ENS_RELAY_KILL = 4,   /* the slot's worker */
    ENS_RELAY_CREDIT = 5, /* u32: so many more messages with data may come */
    ENS_RELAY_PING = 6,   /* the coordinator lives */
    ENS_RELAY_END = 7,    /* end your workers, say GONE, end */
    ENS_RELAY_FORGET = 8, /* far: files that were sent are not read any more */
    ENS_RELAY_FILE = 9,   /* far: struct ens_relay_file; answer: STORED */
    ENS_RELAY_PART = 10,  /* struct ens_staged_part; answer: GOT */
    /* up */
    ENS_RELAY_HELLO = 32,   /* struct ens_relay_hello */
    ENS_RELAY_READY = 33,   /* the slot's worker wants orders */
    ENS_RELAY_FRAME = 34,   /* a frame of the slot's worker */
    ENS_RELAY_DEAD = 35,    /* the slot's worker: struct ens_death */
    ENS_RELAY_OVERDUE = 36, /* u64 place, u64 stage: a task of the slot has
                               run for longer than the time-out */
    ENS_RELAY_BROKEN = 37,  /* struct ens_error, as bytes */
    ENS_RELAY_GONE = 38,    /* the last word */
    ENS_RELAY_COST = 39,    /* struct ens_relay_cost, so far */
    ENS_RELAY_OPENED = 40,  /* set up: struct ens_relay_opened; beats come
                               from now on */
    ENS_RELAY_STORED = 41,  /* a FILE is written */
    ENS_RELAY_WANT = 42,    /* u64: send the file of this input in PARTs */
    ENS_RELAY_GOT = 43,     /* a PART is written */
    ENS_RELAY_STAGED = 44   /* u64: bytes of inputs that are copied so far */
};

struct ens_relay_item {
    enum ens_relay_type type;
    uint32_t slot;
    const unsigned char *body; /* lent by the message, at a multiple of 8 */
    size_t n;
};

void ens_relay_put(struct ens_buf *b, enum ens_relay_type type, uint32_t slot,
                   const void *body, size_t n);
/** The item at p (n bytes there): the bytes it takes, 0 when it is not whole.
 * Types are not checked. Pure. */
size_t ens_relay_read(struct ens_relay_item *item, const void *p, size_t n);

/** What every rank says of itself first. */
struct ens_relay_hello {
    uint32_t protocol;
    uint32_t abi;
    char version[32];
    char host[64];
    char boot[64];          /* id of the running kernel */
    char cpu[192];          /* class of its processor */
    uint32_t n_cores;       /* it may use */
    uint32_t cpus_per_task; /* as Slurm says; 0: it does not */
};
void ens_relay_put_hello(struct ens_buf *b, const struct ens_relay_hello *h);
/** 0, or -1. Of another protocol only version, host and abi are filled in. */
int ens_relay_get_hello(struct ens_relay_hello *h,
                        const struct ens_relay_item *item);

/** What a supervisor needs to begin. Texts are lent. */
struct ens_relay_setup {
    size_t n_inputs;
    const unsigned char *inputs; /* struct ens_staged_file each, of rank 0 */
    const char *study_text;
    size_t study_bytes;
    char dir[4096];
    char host[64], boot[64]; /* of rank 0, and the folder there: */
    uint64_t dir_dev, dir_ino;
    uint32_t epoch, n_slots, first_slot, credits;
    uint64_t run_id, memory_limit, plugins;
    double timeout_s, dead_man_s, heartbeat_s;
    /* copies of inputs: n ranks of its host share them, of which it is one; 0:
     * there are none */
    uint32_t n_staging, staging_index;
};
void ens_relay_put_staged_file(struct ens_buf *b,
                               const struct ens_staged_file *f);
/** Of an input of the set-up, i < n_inputs. */
struct ens_staged_file ens_relay_staged_file(const struct ens_relay_setup *s,
                                             size_t i);
void ens_relay_put_setup(struct ens_buf *b, const struct ens_relay_setup *s);
int ens_relay_get_setup(struct ens_relay_setup *s,
                        const struct ens_relay_item *item);

/** A supervisor that does not see rank 0's results folder is far: it has a
 * folder of its own for what its workers read. */
struct ens_relay_opened {
    uint32_t far;
    uint64_t dev, ino; /* of that folder: ranks of one host share it */
};
void ens_relay_put_opened(struct ens_buf *b, const struct ens_relay_opened *o);
int ens_relay_get_opened(struct ens_relay_opened *o,
                         const struct ens_relay_item *item);

/** Part of a file of the results folder. */
struct ens_relay_file {
    char path[256]; /* below the folder: arrays/NAME or artifacts/NAME */
    uint64_t offset;
    const unsigned char *data; /* lent */
    size_t n;
};
void ens_relay_put_file(struct ens_buf *b, const struct ens_relay_file *f);
int ens_relay_get_file(struct ens_relay_file *f,
                       const struct ens_relay_item *item);

/** Data are lent. */
void ens_relay_put_part(struct ens_buf *b, const struct ens_staged_part *p);
int ens_relay_get_part(struct ens_staged_part *p,
                       const struct ens_relay_item *item);
/** WANT and STAGED. */
void ens_relay_put_u64(struct ens_buf *b, enum ens_relay_type type,
                       uint64_t value);
int ens_relay_get_u64(uint64_t *value, const struct ens_relay_item *item);

void ens_relay_put_death(struct ens_buf *b, uint32_t slot,
                         const struct ens_death *d);
int ens_relay_get_death(struct ens_death *d, const struct ens_relay_item *item);

struct ens_relay_cost {
    uint64_t busy_ns;      /* of the rank's workers, in tasks */
    uint64_t cpu_ns;       /* of supervisor and zygote */
    uint64_t pss_bytes;    /* of them and the workers; 0: not read yet */
    uint64_t worker_bytes; /* the most of its own that a worker had */
};
void ens_relay_put_cost(struct ens_buf *b, const struct ens_relay_cost *c);
int ens_relay_get_cost(struct ens_relay_cost *c,
                       const struct ens_relay_item *item);

void ens_relay_put_error(struct ens_buf *b, const struct ens_error *err);
int ens_relay_get_error(struct ens_error *err,
                        const struct ens_relay_item *item);

#endif
