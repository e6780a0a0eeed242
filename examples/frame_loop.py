"""frame_loop: the program has its own main loop; each frame runs a few steps of a concurrent loop, and
is drawn whether or not the bodies have completed."""

import asyncio

# The number of rounds of the event loop in a frame.
TICKS = 8


class Stage:
    """The state that the frames and the bodies share."""

    def __init__(self):
        self.frame = 0
        self.waiting = []
        self.in_flight = []

    def begin_frame(self):
        self.frame += 1
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.set_result(None)

    def draw(self):
        print(f"frame {self.frame}: {self.in_flight} in flight")

    async def frames(self, count):
        """Waits until `count` more frames have begun."""
        due = self.frame + count
        while self.frame < due:
            waiter = asyncio.get_running_loop().create_future()
            self.waiting.append(waiter)
            await waiter


async def work(stage, n):
    stage.in_flight.append(n)
    await stage.frames(1 + n % 3)
    stage.in_flight.remove(n)
    print(f">task done with {n}")


async def work_all(stage):
    limit = asyncio.Semaphore(3)

    async def work_limited(n):
        async with limit:
            await work(stage, n)

    await asyncio.gather(*(work_limited(n) for n in range(10)))


def tick(loop):
    loop.call_soon(loop.stop)
    loop.run_forever()


def main():
    print("Main starting")
    stage = Stage()
    loop = asyncio.new_event_loop()
    bodies = loop.create_task(work_all(stage))
    while not bodies.done():
        stage.begin_frame()
        for _ in range(TICKS):
            tick(loop)
        stage.draw()
    loop.close()
    print("Main done")


main()
