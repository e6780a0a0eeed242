"""gather: all bodies at once; the loop completes when the last body has."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    print(f">task done with {n}")


async def main():
    print("Main starting")
    await asyncio.gather(*(work(n) for n in range(10)))
    print("Main done")


asyncio.run(main())
