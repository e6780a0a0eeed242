"""Leaving async-std, after: the same in asyncio, with task groups, which leave no task behind."""

import asyncio

SHORT = 0.2
LONG = 0.6


async def square(n):
    return n * n


async def the_loop():
    print("The loop")
    for result in await asyncio.gather(*(square(n) for n in (3, 1, 2))):
        print(result)


async def check(n, done):
    await asyncio.sleep(SHORT * n)
    done.append(n)
    if n == 0:
        raise ValueError(f"{n} is nothing")


async def a_failure_among_several():
    print("A failure among several")
    done = []
    checks = (check(n, done) for n in range(4))
    for outcome in await asyncio.gather(*checks, return_exceptions=True):
        if isinstance(outcome, Exception):
            print(outcome)
    print(f"{len(done)} completed")


async def a_handle_that_is_dropped():
    print("A handle that is dropped")
    messages = asyncio.Queue()

    async def tell():
        await asyncio.sleep(SHORT)
        messages.put_nowait("keeps running")

    async with asyncio.TaskGroup() as group:
        group.create_task(tell())
        print(f"its task {await messages.get()}")


async def a_task_that_is_to_stop():
    print("A task that is to stop")
    stopped = False

    async def waits():
        nonlocal stopped
        try:
            await asyncio.Event().wait()
        finally:
            stopped = True

    async with asyncio.TaskGroup() as group:
        task = group.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
    print(f"has stopped: {str(stopped).lower()}")


async def tasks_that_block():
    print("Tasks that block")
    messages = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(messages.get())
        group.create_task(messages.put(42))
    print(f"received {waiting.result()}")
    print(f"computed {await asyncio.to_thread(lambda: 6 * 7)}")


async def a_panic():
    print("A panic")

    async def panics():
        raise RuntimeError("out of cheese")

    (outcome,) = await asyncio.gather(panics(), return_exceptions=True)
    print(f"the task said: {outcome}")


async def total():
    await asyncio.sleep(SHORT)
    return 42


async def block_on_inside_a_task():
    print("block_on inside a task")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(total())
    print(f"the total is {task.result()}")


async def a_timer_that_waits_to_be_awaited():
    print("A timer that waits to be awaited")
    nap = asyncio.sleep(LONG)
    await asyncio.sleep(LONG)
    try:
        async with asyncio.timeout(SHORT):
            await nap
        over = True
    except TimeoutError:
        over = False
    print(f"it is over: {str(over).lower()}")


async def main():
    await the_loop()
    await a_failure_among_several()
    await a_handle_that_is_dropped()
    await a_task_that_is_to_stop()
    await tasks_that_block()
    await a_panic()
    await block_on_inside_a_task()
    await a_timer_that_waits_to_be_awaited()


asyncio.run(main())
