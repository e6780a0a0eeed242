"""hash_folder DIR [THREADS]: the SHA-256 of every file below a folder, on several threads, from a
synchronous program."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from shared.files import digest, find, line


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: hash_folder DIR [THREADS]", file=sys.stderr)
        return 2
    files = find(os.fsencode(sys.argv[1]))
    threads = int(sys.argv[2]) if len(sys.argv) == 3 else os.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        digests = list(pool.map(lambda file: digest(*file), files))
    status = 0
    for (path, _), sum in zip(files, digests):
        match sum:
            case OSError() as error:
                status = 1
                name = path.decode(errors="replace")
                print(f"hash_folder: {name}: {error.strerror}", file=sys.stderr)
            case sum:
                sys.stdout.buffer.write(line(path, sum))
    sys.stdout.buffer.flush()
    return status


sys.exit(main())
