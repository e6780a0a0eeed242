"""disk_usage DIR: the number of files below a folder, and of their bytes. Eight folders are read at
once, and each adds the folders in it to the queue."""

import asyncio
import os
import sys


def read(folder):
    """The folders in a folder, and the sizes of its files."""
    folders, sizes = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                sizes.append(entry.stat(follow_symlinks=False).st_size)
    return folders, sizes


async def main():
    if len(sys.argv) != 2:
        print("usage: disk_usage DIR", file=sys.stderr)
        return 2
    queue = asyncio.LifoQueue()
    queue.put_nowait(sys.argv[1])
    all_sizes, status = [], 0

    async def worker():
        nonlocal status
        while True:
            folder = await queue.get()
            try:
                folders, sizes = await asyncio.to_thread(read, folder)
                for found in folders:
                    queue.put_nowait(found)
                all_sizes.extend(sizes)
            except OSError as error:
                status = 1
                print(f"disk_usage: {folder}: {error.strerror}", file=sys.stderr)
            finally:
                queue.task_done()

    workers = [asyncio.create_task(worker()) for _ in range(8)]
    await queue.join()
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    print(f"{sum(all_sizes)} bytes in {len(all_sizes)} files")
    return status


sys.exit(asyncio.run(main()))
