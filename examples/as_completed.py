"""as_completed: all bodies at once; the loop receives each result as it completes."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    return n


async def main():
    print("Main starting")
    for result in asyncio.as_completed([work(n) for n in range(10)]):
        print(f">task done with {await result}")
    print("Main done")


asyncio.run(main())
