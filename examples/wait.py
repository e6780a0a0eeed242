"""wait: waits until all tasks of a set have completed."""

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
