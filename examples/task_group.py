"""task_group: a block that completes when every task that it spawned has completed."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    print(f">task done with {n}")


async def main():
    print("Main starting")
    async with asyncio.TaskGroup() as group:
        for n in range(10):
            group.create_task(work(n))
    print("Main done")


asyncio.run(main())
