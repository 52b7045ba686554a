#include "cli/shard.h"

#include "cli/results.h"
#include "cli/screen.h"
#include "merge/merge.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ens_shard ens_shard_of(const char *dir)
{
    struct ens_shard shard = {0, 0, 0};
    char path[4128];
    json_error_t why;
    json_t *root;
    const char *text;

    snprintf(path, sizeof(path), "%s/run.json", dir);
    root = json_load_file(path, 0, &why);
    text = json_string_value(json_object_get(root, "shard"));
    if (text != NULL)
        ens_shard_parse(&shard, text, NULL);
    json_decref(root);
    return shard;
}

static enum ens_status copy_path(char *to, size_t cap, const char *path,
                                 struct ens_error *err)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n + 64 > cap)
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", path);
    memcpy(to, path, n);
    to[n] = '\0';
    return ENS_OK;
}

/* The study's own results folder is that of all. */
static enum ens_status base_of_study(const struct ens_run_options *ro,
                                     struct ens_shard_place *p,
                                     struct ens_buf *errors,
                                     struct ens_error *err)
{
    struct ens_loaded l;
    enum ens_status s =
        ens_loaded_open(&l, ro->study, ro->set, ro->n_set, errors, err);

    if (s != ENS_OK)
        return s;
    s = copy_path(p->base, sizeof(p->base), ens_study_results(l.study), err);
    ens_loaded_close(&l);
    return s;
}

static enum ens_status choose(struct ens_run_options *ro, const char *dir,
                              struct ens_shard_place *p, struct ens_buf *errors,
                              struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    memset(p, 0, sizeof(*p));
    if (ro->results != NULL)
        s = copy_path(p->own, sizeof(p->own), ro->results, err);
    if (s != ENS_OK)
        return s;
    if (ro->study == NULL) {
        if (ens_shard_of(dir).n > 0 && ro->results == NULL)
            return copy_path(p->own, sizeof(p->own), dir, err);
        s = copy_path(p->base, sizeof(p->base), dir, err);
        snprintf(p->study, sizeof(p->study), "%s/study.ini", p->base);
    } else if (ro->results == NULL) {
        s = base_of_study(ro, p, errors, err);
    }
    if (s == ENS_OK && p->own[0] == '\0' &&
        snprintf(p->own, sizeof(p->own), "%s-shard-%u-of-%u", p->base,
                 ro->shard.k, ro->shard.n) >= (int)sizeof(p->own))
        s = ens_fail(err, ENS_EUSAGE, "%s: path too long", p->base);
    return s;
}

static void say(void *arg, const char *line)
{
    ens_screen_clear(arg);
    fprintf(stderr, "ensrun: %s\n", line);
}

/* What is there to be taken over: a folder that has run. */
static int is_results(const char *dir)
{
    char path[4128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/run.json", dir);
    return stat(path, &st) == 0;
}

enum ens_status ens_shard_prepare(struct ens_run_options *ro, const char *dir,
                                  struct ens_shard_place *p,
                                  struct ens_screen *screen,
                                  struct ens_buf *errors, struct ens_error *err)
{
    enum ens_status s = choose(ro, dir, p, errors, err);
    const char *base = p->base;
    const struct ens_merge_options mo = {.dir = &base,
                                         .n_dirs = 1,
                                         .out = p->own,
                                         .kinds = ro->kinds,
                                         .arg = screen,
                                         .say = say,
                                         .progress = ens_screen_tell};
    struct ens_merge_report report;
    char line[9000];

    if (s != ENS_OK)
        return s;
    ro->results = p->own;
    if (p->study[0] != '\0')
        ro->study = p->study;
    if (p->base[0] == '\0' || ro->restart || !is_results(p->base))
        return ENS_OK;
    s = ens_merge(&mo, &report, errors, err);
    ens_screen_clear(screen);
    if (s == ENS_OK && report.n_segments > 0) {
        snprintf(line, sizeof(line),
                 "shard %u/%u: took over %llu segments of %s", ro->shard.k,
                 ro->shard.n, (unsigned long long)report.n_segments, p->base);
        say(screen, line);
    }
    return s;
}

void ens_shard_print(const struct ens_run_report *r)
{
    char suffix[64];
    size_t n = strlen(r->dir), k;

    fprintf(stderr, "  shard %u/%u of stage %s: %llu of %llu tasks done\n",
            r->shard.k, r->shard.n, r->stage,
            (unsigned long long)(r->n_part - r->n_part_left),
            (unsigned long long)r->n_part);
    if (r->n_part_left > 0) {
        fprintf(stderr, "  to go on: ensrun %s --shard %u/%u\n", r->dir,
                r->shard.k, r->shard.n);
        return;
    }
    k = (size_t)snprintf(suffix, sizeof(suffix), "-shard-%u-of-%u", r->shard.k,
                         r->shard.n);
    if (n > k && strcmp(r->dir + n - k, suffix) == 0)
        fprintf(stderr,
                "  when all shards are done: ensrun merge %.*s-shard-*-of-%u "
                "-o %.*s\n",
                (int)(n - k), r->dir, r->shard.n, (int)(n - k), r->dir);
    else
        fprintf(stderr, "  when all shards are done: ensrun merge DIR... -o "
                        "DIR\n");
}
