"""sequential: one body after another, like a plain loop; ten bodies take ten times as long."""

import asyncio


async def work(n):
    await asyncio.sleep(1)
    print(f">task done with {n}")


async def main():
    print("Main starting")
    for n in range(10):
        await work(n)
    print("Main done")


asyncio.run(main())
