"""The empty body with Celery: `celery_peer.py URL WORKERS LIMIT`.

As with forloop, a task of a worker that dies is delivered again: `acks_late`. The workers are threads, which cost the
least for a body that does nothing.
"""

import os
import subprocess
import sys
import time

from celery import Celery, group

URL = sys.argv[1] if __name__ == "__main__" else os.environ["BENCH_URL"]

app = Celery("celery_peer", broker=URL, backend=URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    worker_hijack_root_logger=False,
)


@app.task(name="identity")
def identity(n):
    return n


def start(count, limit):
    command = [sys.executable, "-m", "celery", "-A", "celery_peer", "worker", "-P", "threads"]
    command += ["-c", str(limit), "--loglevel", "CRITICAL", "--without-gossip", "--without-mingle"]
    environment = dict(os.environ, BENCH_URL=URL)
    folder = os.path.dirname(os.path.abspath(__file__))
    run = [command + ["-n", f"{i}-{limit}@bench"] for i in range(count)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [subprocess.Popen(c, env=environment, cwd=folder, **quiet) for c in run]


def stop(workers):
    for worker in workers:
        worker.kill()
        worker.wait()


def main():
    count, limit = int(sys.argv[2]), int(sys.argv[3])
    workers = start(count, limit)
    try:
        identity.delay(1).get(timeout=60)
        time.sleep(2)
        items = 5_000
        begin = time.perf_counter()
        total = sum(group(identity.s(n) for n in range(items))().get(timeout=300))
        seconds = time.perf_counter() - begin
        assert total == items * (items - 1) // 2
        print(f"  {items} items: {items / seconds:.0f} per second, {seconds * 1e3 / items:.3f} ms each")
    finally:
        stop(workers)
    workers = start(1, 1)
    try:
        identity.delay(1).get(timeout=60)
        items = 300
        begin = time.perf_counter()
        for n in range(items):
            identity.delay(n).get(timeout=60)
        seconds = time.perf_counter() - begin
        print(f"  one at a time: {seconds * 1e3 / items:.3f} ms each", flush=True)
    finally:
        stop(workers)


if __name__ == "__main__":
    sys.modules["celery_peer"] = sys.modules["__main__"]
    main()
