"""on_workers: a few workers that pull from one iterator; in asyncio they share one core."""

import asyncio
import os


def steps(n):
    """Counts the Collatz steps from n to 1: an even number is halved, an odd one tripled and incremented."""
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


async def worker(numbers, found):
    for n in numbers:
        found.append((steps(n), n))


async def main():
    print("Main starting")
    numbers, found = iter(range(1, 20_001)), []
    async with asyncio.TaskGroup() as workers:
        for _ in range(os.cpu_count() or 1):
            workers.create_task(worker(numbers, found))
    most, n = max(found)
    print(f"{n} takes the most steps: {most}")
    print("Main done")


asyncio.run(main())
