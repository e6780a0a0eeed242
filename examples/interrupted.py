"""interrupted: what stops bodies and loops early: a timeout, a deadline, the first success, a signal."""

import asyncio

TIME = 3
MINUTE = 60_000


async def work(ms):
    await asyncio.sleep(ms / 1000)
    if ms % 2 == 0:
        return ms
    raise ValueError(f"{ms} is odd")


async def stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def main():
    print("Some time for each body")
    bodies = [asyncio.wait_for(work(ms), TIME) for ms in (100, MINUTE, 201)]
    for index, outcome in enumerate(await asyncio.gather(*bodies, return_exceptions=True)):
        match outcome:
            case TimeoutError():
                print(f"{index}: TimedOut")
            case ValueError():
                print(f"{index}: failed, {outcome}")
            case ms:
                print(f"{index}: {ms}")

    print("Some time for the loop")
    tasks = [asyncio.create_task(work(ms)) for ms in (200, MINUTE, 100)]
    done, pending = await asyncio.wait(tasks, timeout=TIME)
    await stop(pending)
    print(f"{len(done)} were ready, stopped: {sorted(tasks.index(task) for task in pending)}")

    print("The first success")
    tasks = [asyncio.create_task(work(ms)) for ms in (MINUTE, 201, 400)]
    pending = tasks
    won = None
    while won is None:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        won = next((task for task in done if task.exception() is None), None)
    await stop(pending)
    print(f"{tasks.index(won)} has won with {won.result()}")

    print("A signal")
    tasks = [asyncio.create_task(work(MINUTE)) for _ in range(3)]
    await asyncio.sleep(0.2)
    pending = [index for index, task in enumerate(tasks) if not task.done()]
    await stop(tasks)
    print(f"stopped: {pending}")


asyncio.run(main())
