"""site: visits every page of a site by its links, two at a time, each page once. A page that is not
there does not end the visit."""

import asyncio

PAGES = {
    "/": ["/news", "/about", "/"],
    "/news": ["/news/1", "/news/2", "/"],
    "/news/1": ["/news", "/about"],
    "/news/2": ["/news", "/news/3"],
    "/about": ["/team"],
    "/team": ["/about", "/"],
}


async def fetch(page):
    await asyncio.sleep(0.1)
    if page not in PAGES:
        raise LookupError(f"{page}: not found")
    return PAGES[page]


async def main():
    print("Main starting")
    queue, seen = asyncio.Queue(), {"/"}
    queue.put_nowait("/")
    visited, errors = [], []

    async def worker():
        while True:
            page = await queue.get()
            try:
                for link in await fetch(page):
                    if link not in seen:
                        seen.add(link)
                        queue.put_nowait(link)
                visited.append(page)
            except LookupError as error:
                errors.append(str(error))
            finally:
                queue.task_done()

    workers = [asyncio.create_task(worker()) for _ in range(2)]
    await queue.join()
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    print(f"{len(visited)} ok, {len(errors)} failed")
    for line in sorted(visited + errors):
        print(line)
    print("Main done")


asyncio.run(main())
