"""wait: a set of running tasks, waited for until all have ended."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    print(f">task done with {n}")


async def main():
    print("Main starting")
    running = [asyncio.create_task(work(n)) for n in range(10)]
    _done, _pending = await asyncio.wait(running)
    print("Main done")


asyncio.run(main())
