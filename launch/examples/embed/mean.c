/* A program that runs a study over an array of its own, in worker processes
 * that share it without a copy: the standard error of a mean.
 *
 *   cc -std=c11 -O2 -o mean mean.c $(pkg-config --cflags --libs ensrun)
 *   ./mean 1000      (replicates; the kind is in ./blocks.so, see blocks.c)
 *
 * Run again with more replicates it runs those that are new only. */
#include <ensrun/run.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 9000000 /* 72 MB */

static const char study[] = "[study]\n"
                            "kind = ./blocks.so:blocks\n"
                            "name = mean\n"
                            "[blocks]\n"
                            "input = X\n";

static void fill(double *x, double first)
{
    for (int i = 0; i < ROWS; i++)
        x[i] = first + i / 40000 % 7;
}

static void show(void *arg, const struct ens_embed_progress *p)
{
    (void)arg;
    printf("%llu of %llu\n", (unsigned long long)p->n_done,
           (unsigned long long)p->n_tasks);
}

static void print_table(const char *folder)
{
    char line[4200];
    FILE *file;

    snprintf(line, sizeof(line), "%s/cells.csv", folder);
    file = fopen(line, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        fputs(line, stdout);
    if (file != NULL)
        fclose(file);
}

int main(int argc, char **argv)
{
    const uint64_t shape[] = {ROWS};
    char replicates[64];
    const char *set[] = {replicates, "run.workers=2"};
    struct ens_embed_input input = {.name = "X"};
    struct ens_embed_options options = {.text = study,
                                        .inputs = &input,
                                        .n_inputs = 1,
                                        .set = set,
                                        .n_set = 2,
                                        .progress_s = 1,
                                        .progress = show};
    struct ens_embed_report report;
    struct ens_error err;

    snprintf(replicates, sizeof(replicates), "study.replicates=%s",
             argc > 1 ? argv[1] : "1000");
    if (ens_array_new(&input.array, ENS_DT_F64, 1, shape, &err) != ENS_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    fill(ens_array_data(input.array), argc > 2 ? atof(argv[2]) : 0);
    if (ens_embed_run(&options, &report, &err) == ENS_OK)
        print_table(report.results);
    else
        fprintf(stderr, "%s%s\n", report.errors, err.text);
    printf("%llu new tasks, exit status %d\n", (unsigned long long)report.n_new,
           report.exit_code);
    ens_array_free(input.array);
    return report.exit_code;
}
