"""checksum DIR: the SHA-256 of every file below a folder, sixteen at a time, printed in the order
of paths, as sha256sum prints it."""

import asyncio
import hashlib
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor


def find(top):
    """Finds every file below `top`, in the order of the bytes of their paths."""
    found = []
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            found.append((folder, error))
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif stat.S_ISREG(os.stat(entry.path).st_mode):
                    found.append((entry.path, None))
            except OSError as error:
                found.append((entry.path, error))
    return sorted(found, key=lambda each: each[0])


def digest(path, error):
    """Gives the digest, or the error that says why there is none."""
    try:
        if error is not None:
            raise error
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error


def line(path, digest):
    escaped = path.replace(b"\\", rb"\\").replace(b"\n", rb"\n").replace(b"\r", rb"\r")
    mark = b"" if escaped == path else b"\\"
    return mark + digest.encode() + b"  " + escaped + b"\n"


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
