"""merged: readings of two sensors and a user's commands arrive over time. Three tasks put them into one queue,
and a single loop records what comes."""

import asyncio


async def over_time(events, queue):
    for seconds, event in events:
        await asyncio.sleep(seconds)
        await queue.put(event)


async def merge(*sources):
    queue = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        producers = [group.create_task(over_time(source, queue)) for source in sources]
        end = asyncio.gather(*producers)
        end.add_done_callback(lambda _: queue.put_nowait(None))
        while (event := await queue.get()) is not None:
            yield event


async def main():
    print("Main starting")
    # At 1, 4, 7 and 10 seconds; at 2, 5 and 8; at 3 and 6.
    kitchen = [(1, ("kitchen", 21)), (3, ("kitchen", 23)), (3, ("kitchen", 25)), (3, ("kitchen", 22))]
    garden = [(2, ("garden", 14)), (3, ("garden", 12)), (3, ("garden", 11))]
    commands = [(3, ("report", None)), (3, ("report", None))]

    warmest, readings = -100, 0
    async for name, degrees in merge(kitchen, garden, commands):
        await asyncio.sleep(0.4)
        if degrees is None:
            print(f">{name}: {readings} readings, {warmest} degrees at most")
        else:
            print(f">{name}: {degrees} degrees")
            warmest = max(warmest, degrees)
            readings += 1
    print(f"Main done: {readings} readings, {warmest} degrees at most")


asyncio.run(main())
