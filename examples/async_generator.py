"""async_generator: a generator produces the items, with a pause before each; the loop receives them
one by one."""

import asyncio


async def numbers():
    for n in range(10):
        await asyncio.sleep(1)
        yield n


async def main():
    print("Main starting")
    async for n in numbers():
        print(f">task done with {n}")
    print("Main done")


asyncio.run(main())
