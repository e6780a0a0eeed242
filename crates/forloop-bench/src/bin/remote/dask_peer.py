"""The empty body with Dask: `dask_peer.py URL WORKERS LIMIT`. Its scheduler is its own, so the URL is not used."""

import sys
import time

from distributed import Client, LocalCluster, as_completed


def identity(n):
    return n


def main():
    count, limit = int(sys.argv[2]), int(sys.argv[3])
    with LocalCluster(n_workers=count, threads_per_worker=limit, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.submit(identity, 1, pure=False).result()
            items = 5_000
            begin = time.perf_counter()
            futures = client.map(identity, range(items), pure=False)
            total = sum(value for _, value in as_completed(futures, with_results=True))
            seconds = time.perf_counter() - begin
            assert total == items * (items - 1) // 2
            print(f"  {items} items: {items / seconds:.0f} per second, {seconds * 1e3 / items:.3f} ms each")
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.submit(identity, 1, pure=False).result()
            items = 300
            begin = time.perf_counter()
            for n in range(items):
                client.submit(identity, n, pure=False).result()
            seconds = time.perf_counter() - begin
            print(f"  one at a time: {seconds * 1e3 / items:.3f} ms each", flush=True)


if __name__ == "__main__":
    main()
