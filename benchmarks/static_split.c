/* The physical limit of a schedule: W processes, each with its fixed share of
 * N tasks that spin for S microseconds. Usage: static_split W N S */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    long w = argc > 1 ? strtol(argv[1], NULL, 10) : 2;
    long n = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
    double s = (argc > 3 ? strtod(argv[3], NULL) : 1000) * 1e-6;

    for (long i = 0; i < w; i++) {
        if (fork() != 0)
            continue;
        for (long k = i; k < n; k += w) {
            double end = now() + s;

            while (now() < end)
                ;
        }
        _exit(0);
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
