#include "cli/command.h"

#include "base/bug.h"
#include "transport/launcher.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define X(name) extern const struct ens_command ens_command_##name;
#include "cli/commands.def"
#undef X

static const struct ens_command *const commands[] = {
#define X(name) &ens_command_##name,
#include "cli/commands.def"
#undef X
};

int ens_cli_fail(enum ens_status s, const struct ens_error *err)
{
    fflush(stdout);
    fprintf(stderr, "ensrun: %s\n",
            err->text[0] != '\0' ? err->text : ens_status_text(s));
    return ens_status_exit(s);
}

#define ERROR_SAME 200u /* characters that make two errors one */

int ens_cli_fail_lines(enum ens_status s, struct ens_buf *errors,
                       const struct ens_error *err)
{
    const char *p = ens_buf_text(errors);
    size_t first = strcspn(p, "\n");
    int told;

    fflush(stdout);
    /* err repeats the first line, perhaps cut, and counts the others */
    if (first > ERROR_SAME)
        first = ERROR_SAME;
    told = first > 0 && strncmp(p, err->text, first) == 0;
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");

        fputs("ensrun: ", stderr);
        fwrite(p, 1, n, stderr);
        fputc('\n', stderr);
        p += n + (p[n] == '\n');
    }
    return told ? ens_status_exit(s) : ens_cli_fail(s, err);
}

static const struct ens_command *find_command(const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_program_help(void)
{
    printf("ensrun %s: runs ensembles of independent tasks over shared "
           "inputs\n\n",
           ens_version());
    if (find_command("run") != NULL)
        printf("usage: ensrun STUDY.ini       run a study (config.ini when "
               "none is named)\n"
               "       ensrun DIR             resume a results folder\n"
               "       ensrun COMMAND ...\n\n");
    for (size_t i = 0; i < ENS_COUNT(commands); i++)
        printf("  %-12s %s\n", commands[i]->name, commands[i]->help);
    printf("\n`ensrun COMMAND --help` lists the options of a command; "
           "`man ensrun` has more.\n");
}

static void print_command_help(const struct ens_command *c)
{
    printf("usage: ensrun %s%s%s\n\n%s\n", c->name,
           c->words[0] == '\0' ? "" : " ", c->words, c->help);
    if (c->n_options > 0)
        printf("\n");
    ens_options_print(stdout, c->options, c->n_options);
    if (c->more != NULL)
        printf("\n%s", c->more);
}

static int run_command(const struct ens_command *c, int argc, char **argv)
{
    struct ens_options o;
    struct ens_error err = {0};
    enum ens_status s =
        ens_options_parse(&o, c->options, c->n_options, argc, argv, &err);

    if ((s != ENS_OK || o.help || strcmp(c->name, "run") != 0) &&
        ens_launched().rank > 0)
        return 0; /* rank 0 says it, or does it */
    if (s == ENS_OK && o.help) {
        print_command_help(c);
        return 0;
    }
    if (s == ENS_OK && o.n_words < c->min_words)
        s = ens_fail(&err, ENS_EUSAGE, "usage: ensrun %s %s", c->name,
                     c->words);
    if (s == ENS_OK && o.n_words > c->max_words)
        s = ens_fail(&err, ENS_EUSAGE,
                     "%s: one word too many; usage: ensrun "
                     "%s %s",
                     o.word[c->max_words], c->name, c->words);
    return s == ENS_OK ? c->run(&o) : ens_cli_fail(s, &err);
}

/* The first word is not a command: a study or a folder, so `run` is meant,
 * unless it is a plain word and nothing of that name is there. */
static int run_study(int argc, char **argv)
{
    const struct ens_command *run = find_command("run");
    const char *names[ENS_COUNT(commands)];
    const char *word = argc > 0 ? argv[0] : "";
    int plain = *word != '\0' && *word != '-' && strpbrk(word, "./") == NULL;
    const char *near;
    struct ens_error err = {0};

    for (size_t i = 0; i < ENS_COUNT(commands); i++)
        names[i] = commands[i]->name;
    if (run != NULL && (!plain || access(word, F_OK) == 0))
        return run_command(run, argc, argv);
    near = ens_nearest(word, names, ENS_COUNT(commands));
    if (ens_launched().rank > 0)
        return 0;
    if (near != NULL)
        ens_fail(&err, ENS_EUSAGE, "%s: no such command; did you mean %s?",
                 word, near);
    else
        ens_fail(&err, ENS_EUSAGE, "%s: no such command; --help lists them",
                 word);
    return ens_cli_fail(ENS_EUSAGE, &err);
}

static int dispatch(int argc, char **argv)
{
    const struct ens_command *c;
    int speaks = ens_launched().rank == 0; /* of several ranks only one */

    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        if (speaks)
            printf("ensrun %s\n", ens_version());
        return 0;
    }
    if (argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
         (argc == 2 && strcmp(argv[1], "help") == 0))) {
        if (speaks)
            print_program_help();
        return 0;
    }
    c = argc > 1 ? find_command(argv[1]) : NULL;
    if (c != NULL)
        return run_command(c, argc - 2, argv + 2);
    return run_study(argc - 1, argv + 1);
}

int ens_cli_main(int argc, char **argv)
{
    struct ens_error err = {0};
    int code = dispatch(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        ens_fail_errno(&err, ENS_EIO, "cannot write to standard output");
        code = ens_cli_fail((enum ens_status)err.status, &err);
    }
    return code;
}
