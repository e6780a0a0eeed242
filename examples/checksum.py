"""checksum DIR: prints the SHA-256 of every file below a folder, sixteen at a time, in the
order of paths and in the format of sha256sum."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from shared.files import digest, find, line


async def checksum(top):
    loop = asyncio.get_running_loop()
    status = 0
    with ThreadPoolExecutor(16) as pool:
        found = await loop.run_in_executor(pool, find, top)
        digests = [loop.run_in_executor(pool, digest, *each) for each in found]
        for (path, _), pending in zip(found, digests):
            match await pending:
                case OSError() as error:
                    status = 1
                    name = path.decode(errors="replace")
                    reason = f"{error.strerror} (os error {error.errno})"
                    print(f"checksum: {name}: {reason}", file=sys.stderr)
                case sum:
                    sys.stdout.buffer.write(line(path, sum))
                    sys.stdout.buffer.flush()
    return status


if len(sys.argv) != 2:
    print("usage: checksum DIR", file=sys.stderr)
    sys.exit(2)
sys.exit(asyncio.run(checksum(os.fsencode(sys.argv[1]))))
