"""task_list: every body is spawned as a task at once; the loop awaits one handle after another."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    print(f">task done with {n}")


async def main():
    print("Main starting")
    tasks = [asyncio.create_task(work(n)) for n in range(10)]
    for task in tasks:
        await task
    print("Main done")


asyncio.run(main())
