"""crawl [--timeout SECONDS] [--retries N] [--count N]: fetches a thousand pages, fifty at a time and at most eight
of one host, with a timeout and retries for each, logs the failures, and prints a summary.

The site on loopback and the client use only the standard library."""

import argparse
import asyncio
import random
import re
import socket
import struct
import sys
from collections import Counter, defaultdict

HOSTS = ["north.test", "east.test", "south.test", "west.test", "centre.test"]
CLOSED = "closed.test"
LONGEST = 4000
# The number of bad pages of each kind, of a hundred pages.
MIX = [
    ("missing", 3),
    ("error", 2),
    ("flaky", 10),
    ("slow", 1),
    ("stalled", 1),
    ("reset", 1),
    ("half-closed", 1),
    ("refused", 1),
    ("malformed", 1),
]


def kind(index):
    place = index % 100 * 37 % 100
    for name, share in MIX:
        if place < share:
            return name
        place -= share
    return "good"


def url(index):
    host = HOSTS[(index + index // 100) % len(HOSTS)]
    match kind(index):
        case "refused":
            return f"http://{CLOSED}/refused/{index}"
        case "malformed":
            return f"http://{host}/malformed {index}"
        case name:
            return f"http://{host}/{name}/{index}"


def length(index):
    return 100 + index % LONGEST * 7919 % LONGEST


class Site:
    """Responds to each request as its path says."""

    def __init__(self):
        self.visits = Counter()

    async def start(self):
        self.servers = [await asyncio.start_server(self.converse, "127.0.0.1") for _ in HOSTS]
        addresses = [server.sockets[0].getsockname() for server in self.servers]
        # Bound to reserve its port, but not listening.
        self.closed = socket.socket()
        self.closed.bind(("127.0.0.1", 0))
        return dict(zip(HOSTS + [CLOSED], addresses + [self.closed.getsockname()]))

    async def converse(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            _, name, index = head.split(b" ")[1].decode().split("/")
            await self.answer(name, int(index), reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            # A client may disconnect at any time.
            pass
        finally:
            writer.close()

    async def answer(self, name, index, reader, writer):
        self.visits[name, index] += 1
        visit = self.visits[name, index]
        match name:
            case "missing":
                writer.write(status("404 Not Found"))
            case "error":
                writer.write(status("500 Internal Server Error"))
            case "flaky" if visit <= 1 + index % 2 and index // 2 % 2 == 0:
                writer.write(status("503 Service Unavailable"))
            case "flaky" if visit <= 1 + index % 2:
                reset(writer)
            case "slow" if visit == 1:
                await reader.read()
            case "stalled":
                if index % 2 == 1:
                    writer.write(page(index, length(index) // 2))
                await reader.read()
            case "reset":
                reset(writer)
            case "half-closed":
                writer.write(page(index, length(index) // 2))
                writer.write_eof()
                await reader.read()
            case _:
                writer.write(page(index, length(index)))


def status(reason):
    return f"HTTP/1.1 {reason}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


def page(index, sent):
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {length(index)}\r\nconnection: close\r\n\r\n"
    return head.encode() + b"." * sent


def reset(writer):
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


class Failed(Exception):
    """An attempt that failed: how its page ends, and whether a retry may succeed."""

    def __init__(self, end, transient=True):
        super().__init__(end)
        self.transient = transient


class Client:
    def __init__(self, hosts, timeout, retries):
        self.hosts = hosts
        self.timeout = timeout
        self.retries = retries
        self.attempts = 0
        self.room = asyncio.Semaphore(50)
        self.room_of = defaultdict(lambda: asyncio.Semaphore(8))

    async def crawl(self, url):
        host = url.split("/")[2]
        # The host first: a task that waits for its host takes no permit of the common limit.
        async with self.room_of[host], self.room:
            return await self.retry(url)

    async def retry(self, url):
        pause = 0.05
        for left in reversed(range(self.retries + 1)):
            try:
                return await asyncio.wait_for(self.fetch(url), self.timeout)
            except TimeoutError:
                failed = Failed("timed out")
            except Failed as error:
                failed = error
            if left == 0 or not failed.transient:
                raise failed
            await asyncio.sleep(pause + random.uniform(0, pause))
            pause *= 2

    async def fetch(self, url):
        self.attempts += 1
        match = re.fullmatch(r"http://([^/\s]+)(/\S*)", url)
        if match is None:
            raise Failed("no URL", transient=False)
        host, path = match.groups()
        try:
            reader, writer = await asyncio.open_connection(*self.hosts[host])
        except OSError:
            raise Failed("no connection") from None
        try:
            request = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
            writer.write(request.encode())
            return await read(reader)
        finally:
            writer.close()


async def read(reader):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        raise Failed("connection broke") from None
    code = int(head.split(b" ")[1])
    if code != 200:
        raise Failed(f"status {code}", transient=500 <= code)
    promised = int(re.search(rb"content-length: (\d+)", head)[1])
    try:
        return len(await reader.readexactly(promised))
    except asyncio.IncompleteReadError:
        raise Failed("ended too early") from None
    except OSError:
        raise Failed("connection broke") from None


def order(end):
    ends = ["fetched", "no URL", "no connection", "status", "connection broke", "ended too early"]
    return (ends + ["timed out"]).index("status" if end.startswith("status") else end), end


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=float, default=2)
    parser.add_argument("--retries", type=int, default=2)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--mix")
    args = parser.parse_args()
    if args.mix is not None:
        shares = [part.split("=") for part in args.mix.split(",")]
        MIX[:] = [(name, int(share)) for name, share in shares]

    client = Client(await Site().start(), args.timeout, args.retries)
    urls = [url(index) for index in range(args.count)]
    pages = await asyncio.gather(*map(client.crawl, urls), return_exceptions=True)
    ends = Counter()
    total = 0
    for index, (address, page) in enumerate(zip(urls, pages)):
        match page:
            case int(length):
                ends["fetched"] += 1
                total += length
            case Failed() as failed:
                ends[str(failed)] += 1
                print(f"{index}: {address}: {failed}", file=sys.stderr)
            case error:
                raise error
    print(f"{'pages':16} {len(pages):>8}")
    for end in sorted(ends, key=order):
        print(f"  {end:16} {ends[end]:>6}")
    print(f"{'bytes':16} {total:>8}")
    return client


if __name__ == "__main__":
    client = asyncio.run(main())
    print(f"{'attempts':16} {client.attempts:>8}")
