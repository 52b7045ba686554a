/* ensrun checkpoints DIR: list them, remove old ones. */
#include "cli/command.h"
#include "base/bug.h"
#include "store/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define LIST_MAX 4096

static const struct ens_option options[] = {
    {"keep", 0, ENS_OPTION_COUNT, 0, "N", "remove all but the newest N"},
};

static enum ens_status check_folder(const char *dir, struct ens_error *err)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/journal", dir);

    if (stat(dir, &st) != 0)
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", dir);
    if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) != 0)
        return ens_fail(err, ENS_ENOTFOUND,
                        "%s: not a results folder: it has no journal", dir);
    return ENS_OK;
}

static void print_list(const char *dir)
{
    static struct ens_checkpoint_info info[LIST_MAX];
    size_t n = ens_checkpoint_list(dir, info, LIST_MAX);

    if (n > 0)
        printf("%-8s %-8s %12s %16s %12s  %s\n", "epoch", "number", "records",
               "journal_bytes", "bytes", "state");
    for (size_t i = 0; i < n; i++)
        printf("%-8u %-8u %12llu %16llu %12llu  %s\n", info[i].epoch,
               info[i].number, (unsigned long long)info[i].n_records,
               (unsigned long long)info[i].journal_end,
               (unsigned long long)info[i].bytes,
               info[i].valid ? "valid" : "damaged");
}

static int run(const struct ens_options *o)
{
    struct ens_error err = {0};
    enum ens_status s = check_folder(o->word[0], &err);

    if (s == ENS_OK && ens_options_has(o, "keep"))
        s = ens_checkpoint_keep(o->word[0],
                                (size_t)ens_options_count(o, "keep", 0), &err);
    if (s != ENS_OK)
        return ens_cli_fail(s, &err);
    print_list(o->word[0]);
    return 0;
}

const struct ens_command ens_command_checkpoints = {
    .name = "checkpoints",
    .words = "DIR",
    .help = "list the checkpoints of a results folder",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more = "Checkpoints only shorten a resume: results never depend on "
            "them.\n",
};
