"""One Python peer, one load, one line: tasks per second. Started by peers.py
in a process of its own (mpi4py.futures under mpirun).

    peer_tasks.py MODE noop|spin1 TASKS WORKERS
"""

import logging
import sys
import time


def noop(i):
    return i


def spin1(i):
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end:
        pass
    return i


def warm(i):
    time.sleep(0.05)
    return i


def joblib(batch):
    def run(fn, n, workers):
        from joblib import Parallel, delayed
        with Parallel(n_jobs=workers, batch_size=batch) as pool:
            pool(delayed(warm)(i) for i in range(workers))
            start = time.perf_counter()
            done = pool(delayed(fn)(i) for i in range(n))
            return time.perf_counter() - start, done
    return run


def mpi4py(chunk):
    def run(fn, n, workers):
        from mpi4py.futures import MPIPoolExecutor
        with MPIPoolExecutor(workers) as pool:
            list(pool.map(warm, range(workers)))
            start = time.perf_counter()
            done = list(pool.map(fn, range(n), chunksize=chunk))
            return time.perf_counter() - start, done
    return run


def dask(fn, n, workers):
    from distributed import Client, LocalCluster
    logging.disable(logging.WARNING)
    with LocalCluster(n_workers=workers, threads_per_worker=1,
                      processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.gather(client.map(warm, range(workers), pure=False))
            start = time.perf_counter()
            done = client.gather(client.map(fn, range(n), pure=False))
            return time.perf_counter() - start, done


MODES = {"joblib": joblib("auto"), "joblib-1": joblib(1),
         "mpi4py": mpi4py(1), "mpi4py-64": mpi4py(64), "dask": dask}


def main():
    mode, load, n, workers = sys.argv[1:]
    n, workers = int(n), int(workers)
    wall, done = MODES[mode]({"noop": noop, "spin1": spin1}[load], n, workers)
    if sum(done) != n * (n - 1) // 2:
        sys.exit(f"{mode}: wrong results")
    print(n / wall, flush=True)


if __name__ == "__main__":
    main()
