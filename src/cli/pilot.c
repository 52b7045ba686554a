#include "cli/pilot.h"

#include "base/bug.h"
#include "base/file.h"
#include "cli/page.h"
#include "cli/pilot_sums.h"
#include "cli/progress.h"
#include "kinds/kinds.h"
#include "run/run.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define HOUR 3600.0
#define MIB  1048576.0

static volatile sig_atomic_t was_told; /* to end */

static void take_signal(int number)
{
    (void)number;
    was_told = 1;
}

/* -- running ----------------------------------------------------------------
 */

/* A signal that came before the run's own handlers were there. */
static void show_progress(void *arg, const struct ens_run_progress *p)
{
    char text[512];

    (void)arg;
    if (was_told)
        raise(SIGINT);
    ens_progress_text(text, sizeof(text), p);
    fprintf(stderr, "ensrun: pilot: %s\n", text);
}

static void say(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "ensrun: pilot: %s\n", line);
}

static void set_handlers(void)
{
    static const int number[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction act = {.sa_handler = take_signal};

    for (size_t i = 0; i < ENS_COUNT(number); i++)
        sigaction(number[i], &act, NULL);
}

/* A new folder on the disk that the results will be on: in the nearest folder
 * above them that is there; else where temporary files go. */
static enum ens_status make_scratch(const char *results, char to[PATH_MAX],
                                    struct ens_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char above[PATH_MAX];
    struct stat st;
    char *slash;

    snprintf(above, sizeof(above), "%s", results);
    do {
        slash = strrchr(above, '/');
        if (slash != NULL)
            *slash = '\0';
    } while (slash != NULL && slash != above &&
             (stat(above, &st) != 0 || !S_ISDIR(st.st_mode)));
    if (snprintf(to, PATH_MAX, "%s/.ensrun-pilot-XXXXXX", above) < PATH_MAX &&
        mkdtemp(to) != NULL)
        return ENS_OK;
    snprintf(to, PATH_MAX, "%s/ensrun-pilot-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    return mkdtemp(to) != NULL
               ? ENS_OK
               : ens_fail_errno(err, ENS_EIO, "cannot make %s", to);
}

static enum ens_status run_tasks(const struct ens_pilot_options *o,
                                 const char *dir, struct ens_run_report *report,
                                 struct ens_buf *errors, struct ens_error *err)
{
    static const char *const retain[] = {
        "run.retain=debug", "run.retain.success=debug",
        "run.retain.warning=debug"}; /* to know what each item takes */
    struct ens_override *set =
        calloc(o->n_set + ENS_COUNT(retain), sizeof(*set));
    struct ens_run_options ro = {.study = o->study,
                                 .results = dir,
                                 .set = set,
                                 .n_set = o->n_set + ENS_COUNT(retain),
                                 .workers = o->workers,
                                 .transport = "fork",
                                 .program = "/proc/self/exe",
                                 .kinds = &ens_kinds,
                                 .pilot = o->n,
                                 .progress_s = 2,
                                 .progress = show_progress,
                                 .say = say};
    enum ens_status s;

    if (set == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (o->n_set > 0)
        memcpy(set, o->set, o->n_set * sizeof(*set));
    for (size_t i = 0; i < ENS_COUNT(retain); i++)
        set[o->n_set + i].text = retain[i];
    s = ens_run(&ro, report, errors, err);
    set_handlers(); /* those of the run are gone */
    free(set);
    if (s == ENS_OK && was_told)
        s = ens_fail(err, ENS_ESTOPPED, "stopped by a signal");
    return s;
}

/* -- telling ----------------------------------------------------------------
 */

static void print_seconds(char *to, size_t cap, double s)
{
    static const struct {
        double below, by;
        const char *unit;
    } step[] = {{1e-3, 1e6, "us"},
                {1, 1e3, "ms"},
                {120, 1, "s"},
                {2 * HOUR, 1 / 60.0, "min"},
                {48 * HOUR, 1 / HOUR, "h"},
                {1e300, 1 / (24 * HOUR), "days"}};
    size_t i = 0;

    while (i + 1 < ENS_COUNT(step) && s >= step[i].below)
        i++;
    snprintf(to, cap, "%.3g %s", s * step[i].by, step[i].unit);
}

static void print_bytes(char *to, size_t cap, double bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t i = 0;

    while (bytes >= 1024 && i + 1 < ENS_COUNT(unit)) {
        bytes /= 1024;
        i++;
    }
    snprintf(to, cap, bytes < 9.95 && i > 0 ? "%.1f %s" : "%.0f %s", bytes,
             unit[i]);
}

static void put(struct ens_page *page, const char *text)
{
    ens_page_put(page, text, strlen(text));
}

static void put_row(struct ens_page *page, const struct ens_pilot_row *row,
                    const char *name)
{
    char text[64];
    double mean = row->n > 0 ? row->sum_s / (double)row->n : 0;

    put(page, name);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->n_tasks);
    put(page, text);
    snprintf(text, sizeof(text), "%zu", row->n);
    put(page, text);
    print_seconds(text, sizeof(text), ens_pilot_median(row));
    put(page, text);
    print_seconds(text, sizeof(text), mean);
    put(page, text);
    print_seconds(text, sizeof(text), row->max_s);
    put(page, text);
}

static int print_times(const struct ens_pilot_sums *p)
{
    struct ens_page page = ENS_PAGE_INIT;
    int ok = ens_page_column(&page, "row", 1) &&
             ens_page_column(&page, "tasks", 0) &&
             ens_page_column(&page, "run", 0) &&
             ens_page_column(&page, "median", 0) &&
             ens_page_column(&page, "mean", 0) &&
             ens_page_column(&page, "max", 0);

    for (size_t i = 0; ok && p->n_rows > 1 && i < p->n_rows; i++)
        put_row(&page, &p->row[i], p->row[i].name);
    if (ok)
        put_row(&page, &p->all, p->n_rows > 1 ? "all rows" : "all");
    ok = ok && !page.text.failed;
    printf("\ntime per task\n");
    if (ok)
        ens_page_print(&page, 2);
    ens_page_fini(&page);
    return ok;
}

static void print_item(const struct ens_pilot_sums *p, const char *name,
                       uint64_t bytes, const char *from)
{
    double each = (double)bytes / (double)p->n;
    char one[32];
    char all[32];

    print_bytes(one, sizeof(one), each);
    print_bytes(all, sizeof(all), each * (double)p->n_tasks);
    printf("  %-24s %10s per task %10s in all  (%s)\n", name, one, all, from);
}

static void print_disk(const struct ens_pilot_sums *p, double free_bytes)
{
    static const char *const profile[] = {"minimal", "standard", "debug"};
    char one[32];
    char all[32];
    char from[64];

    printf("\ndisk\n");
    for (size_t i = 0; i < p->n_items; i++) {
        snprintf(from, sizeof(from), "%s%s",
                 p->item[i].profile == NULL ? "kept always" : "from profile ",
                 p->item[i].profile == NULL ? "" : p->item[i].profile);
        print_item(p, p->item[i].name, p->item[i].bytes, from);
    }
    if (p->table_bytes > 0)
        print_item(p, "tables", p->table_bytes, "tasks.csv, timings.csv");
    if (p->array_bytes > 0) {
        print_bytes(all, sizeof(all), p->array_bytes);
        printf("  %-24s %30s in all\n", "output arrays", all);
    }
    for (size_t i = 0; i < ENS_COUNT(profile); i++) {
        double each = ens_pilot_bytes(p, profile[i]);
        char name[64];

        snprintf(name, sizeof(name), "retain = %s", profile[i]);
        print_bytes(one, sizeof(one), each);
        print_bytes(all, sizeof(all), ens_pilot_all_bytes(p, profile[i]));
        printf("  %-24s %10s per task %10s in all%s\n", name, one, all,
               p->array_bytes > 0 ? ", with arrays" : "");
    }
    print_bytes(all, sizeof(all), free_bytes);
    printf("  %-24s %30s\n", "free", all);
}

/* -- a recommendation -------------------------------------------------------
 */

static double memory_available(void)
{
    struct ens_buf b = ENS_BUF_INIT;
    unsigned long long kib = 0;
    const char *p;

    if (ens_file_read(&b, "/proc/meminfo", 65536, NULL) == ENS_OK) {
        p = strstr(ens_buf_text(&b), "MemAvailable:");
        if (p == NULL || sscanf(p, "MemAvailable: %llu", &kib) != 1)
            kib = 0;
    }
    ens_buf_fini(&b);
    return (double)kib * 1024;
}

static void advise_time(double cpu_s, double wall_s, uint32_t workers,
                        const struct ens_pilot_sums *p)
{
    char text[32];
    double cores = cpu_s / (8 * HOUR);

    if (wall_s < HOUR / 6) {
        printf("  this machine will do\n");
    } else if (wall_s < 24 * HOUR) {
        printf("  this machine will do, overnight say; a run may be stopped "
               "and gone on with at any time\n");
    } else {
        print_seconds(text, sizeof(text), p->all.max_s);
        printf("  a cluster is worth it: %.0f cores would take 8 h, %u here "
               "as predicted; the longest task took %s\n",
               cores < workers + 1.0 ? workers + 1.0 : cores, workers, text);
    }
    if (p->all.n > 0 && p->all.sum_s / (double)p->all.n < 20e-6)
        printf("  tasks are short: a larger task each (more work per "
               "replicate) would waste less\n");
}

static void advise_memory(const struct ens_run_report *r)
{
    double own = (double)r->worker_private_bytes;
    double there = memory_available();
    double step = 64 * MIB;
    double limit = step;

    if (own > 0 && there > 0 && own * r->n_workers > 0.8 * there)
        printf("  fewer workers: %.0f of them fit into the memory that is "
               "free\n",
               0.8 * there / own < 1 ? 1 : 0.8 * there / own);
    while (limit < 2 * own)
        limit += step;
    if (own > 0)
        printf("  [run] memory_limit = %.0f MiB would catch a task gone "
               "wrong\n",
               limit / MIB);
}

static void advise_disk(const struct ens_pilot_sums *p, double free_bytes)
{
    if (ens_pilot_all_bytes(p, "debug") < 0.1 * free_bytes)
        printf(p->n_items > 0 ? "  retain = debug fits: every item of every "
                                "task in a tenth of the free disk\n"
                              : "  disk is no concern\n");
    else if (ens_pilot_all_bytes(p, "standard") < 0.5 * free_bytes)
        printf("  retain = standard fits; debug would take more than a tenth "
               "of the free disk\n");
    else if (ens_pilot_all_bytes(p, "minimal") < 0.8 * free_bytes)
        printf("  retain = minimal: more than that would fill half of the "
               "disk\n");
    else
        printf("  the results do not fit: choose another [study] results, "
               "fewer replicates, or split the study\n");
}

static int tell(const struct ens_pilot_sums *p, const struct ens_run_report *r,
                const char *dir, int further)
{
    struct statvfs fs;
    double free_bytes =
        statvfs(dir, &fs) == 0 ? (double)fs.f_bavail * (double)fs.f_frsize : 0;
    double cpu_s = ens_pilot_total_s(p);
    double wall_s = cpu_s / r->n_workers;
    char text[32];

    print_seconds(text, sizeof(text), r->seconds);
    printf("\npilot    %llu of %llu tasks, in %s\n", (unsigned long long)p->n,
           (unsigned long long)p->n_tasks, text);
    if (p->n_not_ok > 0)
        printf("         %llu not ok, the first: %s\n",
               (unsigned long long)p->n_not_ok, p->error);
    if (!print_times(p))
        return 0;
    print_seconds(text, sizeof(text), wall_s);
    printf("\nwhole study, %u worker%s on this machine: about %s", r->n_workers,
           r->n_workers == 1 ? "" : "s", text);
    print_seconds(text, sizeof(text), cpu_s);
    printf(" (%s of one core)%s\n", text,
           r->n_cells > 0 ? "; at most: cells may stop earlier"
           : further      ? "; further stages are not counted"
                          : "");
    printf("\nmemory\n  private, per worker    %8.1f MiB\n"
           "  job, shared pages once %8.1f MiB (PSS)\n",
           (double)r->worker_private_bytes / MIB,
           (double)r->peak_pss_bytes / MIB);
    print_disk(p, free_bytes);
    printf("\nrecommended\n");
    advise_time(cpu_s, wall_s, r->n_workers, p);
    advise_memory(r);
    advise_disk(p, free_bytes);
    return 1;
}

enum ens_status ens_pilot(const struct ens_loaded *l,
                          const struct ens_pilot_options *o,
                          struct ens_buf *errors, struct ens_error *err)
{
    char scratch[PATH_MAX];
    char dir[PATH_MAX + 16];
    struct ens_run_report report;
    struct ens_pilot_sums sums = {0};
    enum ens_status s;

    set_handlers();
    fflush(stdout);
    s = make_scratch(ens_study_results(l->study), scratch, err);
    if (s != ENS_OK)
        return s;
    snprintf(dir, sizeof(dir), "%s/results", scratch);
    s = run_tasks(o, dir, &report, errors, err);
    if (s == ENS_OK)
        s = ens_pilot_sums_read(&sums, dir, report.n_workers, err);
    if (s == ENS_OK && !tell(&sums, &report, scratch, sums.further))
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_pilot_sums_fini(&sums);
    if (ens_file_empty(scratch, NULL) != ENS_OK || rmdir(scratch) != 0)
        fprintf(stderr, "ensrun: cannot remove %s\n", scratch);
    return s;
}
