"""async_comprehension: one expression collects every item of a stream, and the loop
iterates over the list."""

import asyncio


async def numbers():
    for n in range(10):
        await asyncio.sleep(1)
        yield n


async def main():
    print("Main starting")
    values = [n async for n in numbers()]
    for n in values:
        print(f">task done with {n}")
    print("Main done")


asyncio.run(main())
