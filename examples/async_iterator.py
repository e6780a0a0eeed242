"""async_iterator: a hand-written stream produces the items, with a pause before each; the loop
receives them one by one."""

import asyncio


class Numbers:
    def __init__(self):
        self.range = iter(range(10))

    def __aiter__(self):
        return self

    async def __anext__(self):
        for n in self.range:
            await asyncio.sleep(1)
            return n
        raise StopAsyncIteration


async def main():
    print("Main starting")
    async for n in Numbers():
        print(f">task done with {n}")
    print("Main done")


asyncio.run(main())
