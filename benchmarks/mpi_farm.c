/* A plain manager and its workers over MPI, one task in flight per worker:
 * the peer of ensrun under mpirun. Usage: mpirun -n R mpi_farm N MICROSECONDS
 * Prints tasks per second. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static void manage(long n, int ranks)
{
    long next = 0, open = 0, stop = -1;
    double result;
    MPI_Status status;

    for (int i = 1; i < ranks && next < n; i++, next++, open++)
        MPI_Send(&next, 1, MPI_LONG, i, 1, MPI_COMM_WORLD);
    while (open > 0) {
        MPI_Recv(&result, 1, MPI_DOUBLE, MPI_ANY_SOURCE, 2, MPI_COMM_WORLD,
                 &status);
        open--;
        if (next < n) {
            MPI_Send(&next, 1, MPI_LONG, status.MPI_SOURCE, 1, MPI_COMM_WORLD);
            next++;
            open++;
        }
    }
    for (int i = 1; i < ranks; i++)
        MPI_Send(&stop, 1, MPI_LONG, i, 1, MPI_COMM_WORLD);
}

static void work(double seconds)
{
    long task;
    double result;

    for (;;) {
        double end;

        MPI_Recv(&task, 1, MPI_LONG, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (task < 0)
            return;
        end = MPI_Wtime() + seconds;
        while (seconds > 0 && MPI_Wtime() < end)
            ;
        result = (double)task;
        MPI_Send(&result, 1, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    double us = argc > 2 ? strtod(argv[2], NULL) : 0;
    int rank, ranks;
    double start;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Barrier(MPI_COMM_WORLD);
    start = MPI_Wtime();
    if (rank > 0) {
        work(us * 1e-6);
    } else {
        manage(n, ranks);
        printf("%g\n", (double)n / (MPI_Wtime() - start));
    }
    MPI_Finalize();
    return 0;
}
