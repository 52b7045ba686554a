/* The first pass, and what both share. */
#include "artifact/inside.h"

#include "base/utf8.h"
#include "input/dtype.h"
#include "store/pack.h"

#include <stdio.h>
#include <string.h>

#define HEAD_BYTES  512u /* of a .npy read at first: numpy writes 128 */
#define MAGIC_BYTES 10u
#define NAMES_SHOWN 20u

/* -- one artifact ---------------------------------------------------------- */

/* Bytes of head that a .npy file has; 0 when it is none. */
static uint64_t head_bytes(const unsigned char *p, size_t n)
{
    if (n < MAGIC_BYTES || memcmp(p, "\x93NUMPY", 6) != 0)
        return 0;
    return p[6] == 1 || n < 12
               ? 10 + ((uint64_t)p[8] | (uint64_t)p[9] << 8)
               : 12 + ((uint64_t)p[8] | (uint64_t)p[9] << 8 |
                       (uint64_t)p[10] << 16 | (uint64_t)p[11] << 24);
}

static enum ens_status read_numbers(struct ens_stack_item *it,
                                    const struct ens_stack_options *o,
                                    struct ens_error *err)
{
    size_t size = ens_dtype_bytes(o->dtype);

    if (!o->raw)
        return ens_fail(err, ENS_EUSAGE,
                        "not a .npy array; --dtype f8 (or f4, i8 ...) reads "
                        "it as raw numbers, --files -o DIR unpacks it as it "
                        "is");
    if (it->object.length % size != 0)
        return ens_fail(err, ENS_EUSAGE,
                        "%llu bytes are no whole number of elements of %zu",
                        (unsigned long long)it->object.length, size);
    it->npy = (struct ens_npy){.dtype = o->dtype,
                               .swapped = o->swapped,
                               .ndim = 1,
                               .shape = {it->object.length / size},
                               .data_bytes = it->object.length};
    return ENS_OK;
}

static enum ens_status read_head(struct ens_stack_item *it,
                                 const struct ens_stack_options *o,
                                 struct ens_error *err)
{
    unsigned char head[ENS_NPY_MAX_HEADER + 12];
    const struct ens_object *ob = &it->object;
    size_t n = ob->length < HEAD_BYTES ? (size_t)ob->length : HEAD_BYTES;
    uint64_t all;

    if (ens_read_all(ob->fd, head, n, ob->offset) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot read it");
    all = head_bytes(head, n);
    if (all == 0)
        return read_numbers(it, o, err);
    if (all > n) {
        n = ob->length < sizeof(head) ? (size_t)ob->length : sizeof(head);
        if (ens_read_all(ob->fd, head, n, ob->offset) != 0)
            return ens_fail_errno(err, ENS_EIO, "cannot read it");
    }
    return ens_npy_parse(&it->npy, head, n, ob->length, err);
}

enum ens_status ens_stack_wrap(const struct ens_stack *st,
                               const struct ens_stack_item *it,
                               enum ens_status s, struct ens_error *err)
{
    return ens_wrap(err, s, "%s of task %s", st->o->name, it->label);
}

/* -- every task ------------------------------------------------------------ */

struct visit {
    struct ens_stack *st;
    ens_stack_fn *fn;
    int stopped;
};

static int is_named(const struct ens_object *ob, const char *name)
{
    return strlen(name) == ob->name_bytes &&
           memcmp(name, ob->name, ob->name_bytes) == 0;
}

/* *found: the task keeps it, and it is open. */
static enum ens_status find(const char *name, struct ens_objects *all,
                            struct ens_object *ob, int *found,
                            struct ens_error *err)
{
    enum ens_status s;

    do
        s = ens_objects_next(all, found, ob, err);
    while (s == ENS_OK && *found && !is_named(ob, name));
    return s;
}

static enum ens_status visit_task(void *arg, const struct ens_table_task *t,
                                  const struct ens_datum *row,
                                  struct ens_error *err)
{
    struct visit *v = arg;
    const struct ens_stack_options *o = v->st->o;
    struct ens_stack_item it = {.row = row};
    struct ens_objects all;
    int found = 0;
    enum ens_status s;

    ens_plan_label(o->sheet->tables->rq.plan, &t->task, it.label,
                   sizeof(it.label));
    ens_objects_init(&all, o->dir, t->record, t->epoch);
    s = find(o->name, &all, &it.object, &found, err);
    if (s == ENS_OK && found)
        s = read_head(&it, o, err);
    if (s == ENS_OK && found)
        s = v->fn(v->st, &it, err);
    else if (s == ENS_OK)
        *(t->record->status == ENS_TASK_OK ? &v->st->n_without
                                           : &v->st->n_not_ok) += 1;
    else
        ens_stack_wrap(v->st, &it, s, err);
    ens_objects_fini(&all);
    v->stopped = s == ENS_ESTOPPED;
    return s;
}

enum ens_status ens_stack_visit(struct ens_stack *st, ens_stack_fn *fn,
                                struct ens_error *err)
{
    struct visit v = {st, fn, 0};
    enum ens_status s;

    st->n_not_ok = st->n_without = 0;
    s = ens_sheet_tasks(st->o->sheet, visit_task, &v, err);
    /* to the sheet that is a table cut short, and fine */
    return s == ENS_OK && v.stopped ? ens_fail(err, ENS_ESTOPPED, "stopped")
                                    : s;
}

/* -- the first pass -------------------------------------------------------- */

/* "f8 (10, 3)" */
static void describe(char *to, size_t cap, const struct ens_npy *npy)
{
    size_t n = (size_t)snprintf(to, cap, "%s%s (", npy->swapped ? ">" : "",
                                ens_dtype_code(npy->dtype));

    for (uint32_t i = 0; i < npy->ndim && n < cap; i++)
        n += (size_t)snprintf(to + n, cap - n, "%s%llu%s", i == 0 ? "" : ", ",
                              (unsigned long long)npy->shape[i],
                              npy->ndim == 1 ? "," : "");
    if (n < cap)
        snprintf(to + n, cap - n, ")");
}

static int fits(const struct ens_npy *a, const struct ens_npy *b, int join)
{
    if (a->dtype != b->dtype || a->swapped != b->swapped || a->ndim != b->ndim)
        return 0;
    for (uint32_t i = join ? 1 : 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i])
            return 0;
    return 1;
}

static enum ens_status check_fit(const struct ens_stack *st,
                                 const struct ens_stack_item *it,
                                 struct ens_error *err)
{
    char a[300], b[300];

    if (st->o->join && it->npy.ndim == 0)
        return ens_fail(err, ENS_EUSAGE,
                        "%s of task %s is one number: it has no first axis to "
                        "be joined along",
                        st->o->name, it->label);
    if (st->n_tasks == 0 || fits(&st->first, &it->npy, st->o->join))
        return ENS_OK;
    describe(a, sizeof(a), &st->first);
    describe(b, sizeof(b), &it->npy);
    return ens_fail(err, ENS_EUSAGE,
                    "%s is %s in task %s, but %s in task %s: --where chooses "
                    "tasks, %s--to csv takes any shapes",
                    st->o->name, a, st->first_label, b, it->label,
                    !st->o->join && fits(&st->first, &it->npy, 1) &&
                            it->npy.ndim > 0
                        ? "--join joins along the first axis, "
                        : "");
}

static enum ens_status check_csv(const struct ens_stack *st,
                                 const struct ens_stack_item *it,
                                 uint64_t width, struct ens_error *err)
{
    if (it->npy.dtype == ENS_DT_C64 || it->npy.dtype == ENS_DT_C128)
        return ens_fail(err, ENS_EUSAGE,
                        "%s of task %s holds complex numbers: --to npy keeps "
                        "them",
                        st->o->name, it->label);
    if (width > ENS_STACK_MAX_COLUMNS)
        return ens_fail(err, ENS_EUSAGE,
                        "%s of task %s has rows of %llu elements; a csv has at "
                        "most %u columns: --to npy",
                        st->o->name, it->label, (unsigned long long)width,
                        ENS_STACK_MAX_COLUMNS);
    return ENS_OK;
}

enum ens_status ens_stack_note(struct ens_stack *st, struct ens_stack_item *it,
                               struct ens_error *err)
{
    uint64_t n, width;
    enum ens_status s;

    ens_rows_shape(&it->npy, &n, &width);
    s = st->o->npy ? check_fit(st, it, err) : check_csv(st, it, width, err);
    if (s != ENS_OK)
        return s;
    if (st->n_tasks++ == 0) {
        st->first = it->npy;
        memcpy(st->first_label, it->label, sizeof(it->label));
    }
    st->n_rows += n;
    if (width > st->n_columns)
        st->n_columns = width;
    st->bytes += it->object.length;
    if (st->o->progress != NULL &&
        st->o->progress(st->o->arg, "reading", st->bytes, 0))
        return ENS_ESTOPPED;
    return ENS_OK;
}

/* -- nothing has that name ------------------------------------------------- */

struct names {
    const struct ens_stack *st;
    struct ens_buf text; /* "a, b" */
    size_t n;
};

static void note_name(struct names *a, const struct ens_object *ob)
{
    char name[200];
    const char *p = ens_buf_text(&a->text);
    const char *have;

    ens_utf8_show(name, sizeof(name), ob->name, ob->name_bytes);
    for (have = p; (have = strstr(have, name)) != NULL; have += strlen(name)) {
        const char *end = have + strlen(name);

        if ((have == p || have[-1] == ' ') && (*end == ',' || *end == '\0'))
            return;
    }
    if (a->n++ >= NAMES_SHOWN)
        return;
    ens_buf_puts(&a->text, a->text.len > 0 ? ", " : "");
    ens_buf_puts(&a->text, name);
}

static enum ens_status note_names(void *arg, const struct ens_table_task *t,
                                  const struct ens_datum *row,
                                  struct ens_error *err)
{
    struct names *a = arg;
    struct ens_objects all;
    struct ens_object ob;
    int more = 0;
    enum ens_status s;

    (void)row;
    ens_objects_init(&all, a->st->o->dir, t->record, t->epoch);
    while ((s = ens_objects_next(&all, &more, &ob, err)) == ENS_OK && more &&
           a->n <= NAMES_SHOWN)
        note_name(a, &ob);
    ens_objects_fini(&all);
    return s == ENS_OK && a->n > NAMES_SHOWN ? ENS_ESTOPPED : s;
}

static enum ens_status nothing(const struct ens_stack *st,
                               struct ens_error *err)
{
    struct names a = {.st = st};
    enum ens_status s = ens_sheet_tasks(st->o->sheet, note_names, &a, err);

    if (s == ENS_OK && a.n == 0)
        s = ens_fail(err, ENS_EUSAGE,
                     "none of the tasks chosen keeps an artifact%s",
                     st->n_not_ok + st->n_without > 0
                         ? " ([run] retain of the study says what is kept)"
                         : ": there are none");
    else if (s == ENS_OK)
        s = ens_fail(err, ENS_EUSAGE,
                     "no task keeps an artifact %s; there are: %s%s",
                     st->o->name, ens_buf_text(&a.text),
                     a.n > NAMES_SHOWN ? " and more" : "");
    ens_buf_fini(&a.text);
    return s;
}

enum ens_status ens_stack_init(struct ens_stack *st,
                               const struct ens_stack_options *o,
                               struct ens_error *err)
{
    enum ens_status s;

    memset(st, 0, sizeof(*st));
    st->o = o;
    s = ens_stack_visit(st, ens_stack_note, err);
    return s == ENS_OK && st->n_tasks == 0 ? nothing(st, err) : s;
}

/* -- the second pass ------------------------------------------------------- */

static void count_bytes(void *arg, uint64_t bytes)
{
    ((struct ens_stack *)arg)->done += bytes;
}

enum ens_status ens_stack_check(struct ens_stack *st,
                                const struct ens_stack_item *it,
                                struct ens_error *err)
{
    const struct ens_object *ob = &it->object;
    const struct ens_artifact_ref ref = {
        .offset = ob->offset, .length = ob->length, .hash = ob->hash};
    enum ens_status s = ens_pack_check(ob->fd, &ref, count_bytes, st, err);

    return s == ENS_OK ? s : ens_stack_wrap(st, it, s, err);
}

enum ens_status ens_stack_wrote(struct ens_stack *st, uint64_t bytes,
                                const struct ens_out *out,
                                struct ens_error *err)
{
    st->done += bytes;
    if (out->error.status != ENS_OK) { /* the disk is full: stop now */
        *err = out->error;
        return (enum ens_status)out->error.status;
    }
    return st->o->progress != NULL && st->o->progress(st->o->arg, "writing",
                                                      st->done, 2 * st->bytes)
               ? ENS_ESTOPPED
               : ENS_OK;
}
