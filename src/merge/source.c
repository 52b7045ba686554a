/* The folders: are they there, at rest, and of one study? */
#include "base/bug.h"
#include "input/mapped.h"
#include "merge/state.h"
#include "worker/worker.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the study ---------------------------------------------------------------
 */

static enum ens_status load_study(struct ens_merge *m, struct ens_buf *errors,
                                  struct ens_error *err)
{
    struct ens_study_kinds found;
    char path[sizeof(m->out) + 32];
    enum ens_status s;

    ens_finder_init(&m->finder, m->options->kinds, &ens_host);
    found = ens_finder_kinds(&m->finder);
    snprintf(path, sizeof(path), "%s/study.ini", m->source[m->has_out].dir);
    s = ens_study_load(&m->study, path, NULL, NULL, 0, &found, errors, err);
    m->kind = m->finder.kind;
    if (s != ENS_OK)
        return s;
    s = ens_study_check_cells(m->study, err);
    if (s == ENS_OK)
        s = ens_inputs_open(&m->inputs, m->study, NULL, NULL, err);
    if (s == ENS_OK)
        s = ens_plan_make(&m->plan, &ens_host, m->kind, m->study, &m->inputs,
                          err);
    return s;
}

/* -- the folders --------------------------------------------------------------
 */

static int has(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

static enum ens_status add_source(struct ens_merge *m, const char *dir,
                                  int is_out, struct ens_error *err)
{
    struct ens_merge_source *src = &m->source[m->n_sources];
    struct ens_epoch_info info;
    char path[PATH_MAX];
    uint32_t newest;

    if (realpath(dir, path) == NULL)
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", dir);
    if (strlen(path) + 64 > sizeof(src->dir))
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", dir);
    if (!has(path, "epochs") ||
        (!is_out && (!has(path, "study.ini") || !has(path, "run.json"))))
        return ens_fail(err, ENS_ENOTFOUND, "%s: not a results folder", dir);
    for (size_t i = 0; i < m->n_sources; i++)
        if (strcmp(m->source[i].dir, path) == 0)
            return ens_fail(err, ENS_EUSAGE, "%s: named twice", dir);
    newest = ens_epoch_newest(path);
    if (newest > 0 && ens_epoch_read(&info, path, newest, NULL) == ENS_OK &&
        info.alive)
        return ens_fail(err, ENS_ELOCKED,
                        "%s is in use by process %lld on %s (epoch %u); if "
                        "that was lost, run it again to its end",
                        dir, (long long)info.pid, info.host, newest);
    memcpy(src->dir, path, strlen(path) + 1);
    src->is_out = is_out;
    m->n_sources++;
    return ens_log_open(&src->log, src->dir, NULL, err);
}

/* 1 = there and not empty, 0 = not there or empty, -1 with errno. */
static int is_used(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return errno == ENOENT ? 0 : -1;
    for (struct dirent *e; n == 0 && (e = readdir(d)) != NULL;)
        n = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static enum ens_status open_out(struct ens_merge *m, struct ens_error *err)
{
    const char *out = m->options->out;
    int used = is_used(out);

    if (used < 0)
        return ens_fail_errno(err, ENS_EUSAGE, "%s", out);
    if (used == 0 && (out[0] == '\0' || strlen(out) + 64 > sizeof(m->out)))
        return ens_fail(err, ENS_EUSAGE, "%s: no name for a folder", out);
    memcpy(m->out, out, strlen(out) + 1);
    if (!used)
        return ENS_OK;
    if (!has(out, "epochs"))
        return ens_fail(err, ENS_EUSAGE,
                        "%s is there, and is no results folder: name a new or "
                        "empty one, or the results of this study",
                        out);
    m->has_out = 1;
    return add_source(m, out, 1, err);
}

enum ens_status ens_merge_open(struct ens_merge *m, struct ens_buf *errors,
                               struct ens_error *err)
{
    const struct ens_merge_options *o = m->options;
    enum ens_status s;

    m->source = calloc(o->n_dirs + 1, sizeof(*m->source));
    if (m->source == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = open_out(m, err);
    for (size_t i = 0; i < o->n_dirs && s == ENS_OK; i++)
        s = add_source(m, o->dir[i], 0, err);
    if (s == ENS_OK)
        s = load_study(m, errors, err);
    for (size_t i = 0; i < m->n_sources && s == ENS_OK; i++)
        s = ens_folder_read(&m->source[i].folder, m->source[i].dir, m->study,
                            err);
    return s;
}

void ens_merge_close(struct ens_merge *m)
{
    if (m->has_epoch)
        ens_epoch_abandon(&m->epoch);
    for (size_t i = 0; i < m->n_chain; i++)
        ens_stage_fini(&m->chain[i]);
    free(m->chain);
    free(m->cell_ids);
    ens_replay_fini(&m->replay);
    free(m->log.segment); /* paths and maps are the sources' */
    for (size_t i = 0; i < m->n_pieces; i++)
        ens_buf_fini(&m->piece[i].bytes);
    free(m->piece);
    for (size_t i = 0; i < m->n_sources; i++) {
        ens_log_close(&m->source[i].log);
        ens_folder_fini(&m->source[i].folder);
        free(m->source[i].answer);
        free(m->source[i].list);
    }
    free(m->source);
    ens_folder_fini(&m->folder);
    ens_plan_fini(&m->plan);
    ens_inputs_close(&m->inputs);
    ens_study_free(m->study);
    ens_finder_fini(&m->finder);
}

/* -- fingerprints: sorted lines "section.key=value"
 * ----------------------------
 */

static int compare_keys(const char *a, const char *b)
{
    size_t n = strcspn(a, "=\n"), k = strcspn(b, "=\n");
    int c = memcmp(a, b, n < k ? n : k);

    if (*a == '\0' || *b == '\0')
        return *a != '\0' ? -1 : 1; /* the end sorts last */
    return c != 0 ? c : (n > k) - (n < k);
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return p + (*p == '\n');
}

static void put_value(struct ens_buf *out, const char *line, int there)
{
    const char *v = line + strcspn(line, "=\n");

    if (!there)
        ens_buf_puts(out, "not set");
    else
        ens_buf_put(out, v + (*v == '='), strcspn(v + (*v == '='), "\n"));
}

static size_t compare_prints(struct ens_merge_source *a,
                             struct ens_merge_source *b, struct ens_buf *errors)
{
    const char *p = ens_buf_text(&a->folder.print);
    const char *q = ens_buf_text(&b->folder.print);
    size_t n = 0;

    while (*p != '\0' || *q != '\0') {
        int c = compare_keys(p, q);
        size_t k = strcspn(p, "\n");
        const char *key = c <= 0 ? p : q;

        if (c != 0 || k != strcspn(q, "\n") || memcmp(p, q, k) != 0) {
            ens_buf_printf(errors, "%.*s is ", (int)strcspn(key, "=\n"), key);
            put_value(errors, p, c <= 0);
            ens_buf_printf(errors, " in %s, ", a->dir);
            put_value(errors, q, c >= 0);
            ens_buf_printf(errors, " in %s\n", b->dir);
            n++;
        }
        if (c <= 0)
            p = next_line(p);
        if (c >= 0)
            q = next_line(q);
    }
    return n;
}

/* -- inputs -------------------------------------------------------------------
 */

static int is_known(const struct ens_folder_input *in)
{
    return in->id.inode != 0 || in->id.size != 0;
}

/* What all folders say of an input: one content. That of a folder that ended
 * before it knew the digest is the content of the file with the same id. */
static enum ens_status join_input(struct ens_merge *m, size_t i,
                                  struct ens_error *err)
{
    struct ens_folder_input *all = &m->folder.input[i];
    const char *name = ens_study_input_name(m->study, i);
    const char *dir = "";

    for (size_t k = 0; k < m->n_sources; k++) {
        const struct ens_merge_source *src = &m->source[k];
        const struct ens_folder_input *in = &src->folder.input[i];

        if (!src->folder.exists || !is_known(in))
            continue;
        if (in->tainted)
            return ens_fail(err, ENS_ECHANGED,
                            "%s: input %s was changed while tasks read it",
                            src->dir, name);
        if (in->has_digest && all->has_digest &&
            memcmp(&in->digest, &all->digest, sizeof(in->digest)) != 0)
            return ens_fail(err, ENS_ECHANGED,
                            "input %s has other content in %s than in %s", name,
                            src->dir, dir);
        if (all->has_digest || (is_known(all) && !in->has_digest))
            continue;
        *all = *in;
        dir = src->dir;
    }
    for (size_t k = 0; k < m->n_sources; k++) {
        const struct ens_folder_input *in = &m->source[k].folder.input[i];
        int found = in->has_digest || !is_known(in);

        for (size_t j = 0; j < m->n_sources && !found; j++) {
            const struct ens_folder_input *x = &m->source[j].folder.input[i];

            found = ens_file_id_same(&x->id, &in->id) &&
                    (x->has_digest || !all->has_digest) &&
                    (all->has_digest || ens_file_id_same(&all->id, &in->id));
        }
        if (!found)
            return ens_fail(err, ENS_ECHANGED,
                            "%s ended before it knew what input %s holds, and "
                            "no other folder read the same file; run it again "
                            "first",
                            m->source[k].dir, name);
    }
    return ENS_OK;
}

/* -- hosts
 * ----------------------------------------------------------------------
 */

static enum ens_status compare_cpus(struct ens_merge *m, struct ens_error *err)
{
    const struct ens_value *exact = ens_study_value(m->study, "run", "exact");
    struct ens_folder *first = NULL;
    char line[sizeof(m->out) + 1024];

    for (size_t i = 0; i < m->n_sources; i++) {
        struct ens_folder *f = &m->source[i].folder;

        if (!f->exists)
            continue;
        if (first == NULL)
            first = f;
        if (strcmp(ens_buf_text(&f->cpu), ens_buf_text(&first->cpu)) == 0)
            continue;
        snprintf(line, sizeof(line),
                 "%s ran on %s (%s), others on %s (%s): last bits of results "
                 "may differ",
                 m->source[i].dir, ens_buf_text(&f->hosts),
                 ens_buf_text(&f->cpu), ens_buf_text(&first->hosts),
                 ens_buf_text(&first->cpu));
        if (exact != NULL && exact->i)
            return ens_fail(err, ENS_ECHANGED, "[run] exact: %s", line);
        if (m->options->say != NULL)
            m->options->say(m->options->arg, line);
    }
    ens_buf_put(&m->folder.cpu, first->cpu.data, first->cpu.len);
    ens_buf_put(&m->folder.hosts, first->hosts.data, first->hosts.len);
    m->folder.keep_host = 1;
    return ENS_OK;
}

/* Another file of a plugin is for the user to judge, as in a run. */
static void compare_plugins(struct ens_merge *m)
{
    struct ens_merge_source *first = &m->source[m->has_out];
    char line[2 * sizeof(m->out) + 128];

    m->folder.finder = &m->finder;
    for (size_t i = 0; i < m->n_sources && m->options->say != NULL; i++) {
        struct ens_merge_source *src = &m->source[i];

        if (!src->folder.exists ||
            strcmp(ens_buf_text(&src->folder.plugins),
                   ens_buf_text(&first->folder.plugins)) == 0)
            continue;
        snprintf(line, sizeof(line),
                 "%s and %s ran with other files of a plugin: results may "
                 "differ",
                 first->dir, src->dir);
        m->options->say(m->options->arg, line);
    }
}

enum ens_status ens_merge_compare(struct ens_merge *m, struct ens_buf *errors,
                                  struct ens_error *err)
{
    struct ens_merge_source *first = &m->source[m->has_out];
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < m->n_sources; i++) {
        struct ens_merge_source *src = &m->source[i];
        size_t n = src != first && src->folder.exists
                       ? compare_prints(first, src, errors)
                       : 0;

        if (n > 0)
            return ens_fail(err, ENS_ECHANGED,
                            "%s and %s are not of one study: %zu setting%s "
                            "differ%s",
                            first->dir, src->dir, n, n == 1 ? "" : "s",
                            n == 1 ? "s" : "");
    }
    m->folder.n_inputs = ens_study_n_inputs(m->study);
    m->folder.input = calloc(m->folder.n_inputs + 1, sizeof(*m->folder.input));
    if (m->folder.input == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t i = 0; i < m->folder.n_inputs && s == ENS_OK; i++)
        s = join_input(m, i, err);
    if (s == ENS_OK)
        s = compare_cpus(m, err);
    if (s == ENS_OK)
        compare_plugins(m);
    if (s == ENS_OK && m->has_out) {
        m->folder.finished = m->source[0].folder.finished;
        m->folder.shard = m->source[0].folder.shard;
    }
    return s;
}
