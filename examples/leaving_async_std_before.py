"""Leaving async-std, before: the same in asyncio, whose tasks keep running unless they are cancelled."""

import asyncio
import threading

SHORT = 0.2
LONG = 0.6


async def square(n):
    return n * n


async def the_loop():
    print("The loop")
    tasks = [asyncio.create_task(square(n)) for n in (3, 1, 2)]
    for task in tasks:
        print(await task)


async def check(n, done):
    await asyncio.sleep(SHORT * n)
    done.append(n)
    if n == 0:
        raise ValueError(f"{n} is nothing")


async def a_failure_among_several():
    print("A failure among several")
    done = []
    tasks = [asyncio.create_task(check(n, done)) for n in range(4)]
    try:
        await asyncio.gather(*tasks)
    except ValueError as error:
        print(error)
    # The others keep running.
    await asyncio.wait(tasks)
    print(f"{len(done)} completed")


async def a_handle_that_is_dropped():
    print("A handle that is dropped")
    messages = asyncio.Queue()

    async def tell():
        await asyncio.sleep(SHORT)
        messages.put_nowait("keeps running")

    # The loop keeps only a weak reference to a task, so the program must keep a reference.
    background = {asyncio.create_task(tell())}
    print(f"its task {await messages.get()}")
    await asyncio.wait(background)


async def a_task_that_is_to_stop():
    print("A task that is to stop")
    stopped = False

    async def waits():
        nonlocal stopped
        try:
            await asyncio.Event().wait()
        finally:
            stopped = True

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    print(f"has stopped: {str(stopped).lower()}")


async def tasks_that_block():
    print("Tasks that block")
    event = threading.Event()
    waiting = asyncio.create_task(asyncio.to_thread(event.wait))
    await asyncio.to_thread(event.set)
    await waiting
    print("received 42")
    print(f"computed {await asyncio.to_thread(lambda: 6 * 7)}")


async def a_panic():
    print("A panic")

    async def panics():
        raise RuntimeError("out of cheese")

    try:
        await asyncio.create_task(panics())
    except RuntimeError as error:
        print(f"the task said: {error}")


async def total():
    await asyncio.sleep(SHORT)
    return 42


async def block_on_inside_a_task():
    print("block_on inside a task")
    # asyncio.run cannot be called from a running loop.
    print(f"the total is {await asyncio.create_task(total())}")


async def a_timer_that_waits_to_be_awaited():
    print("A timer that waits to be awaited")
    # Its time counts from when it is awaited.
    nap = asyncio.sleep(LONG)
    await asyncio.sleep(LONG)
    try:
        await asyncio.wait_for(nap, SHORT)
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
