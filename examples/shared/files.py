"""The files below a folder, their digests, and their lines in the format of sha256sum."""

import hashlib
import os
import stat


def find(top):
    """Finds every file below `top`, sorted by the bytes of their paths."""
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
    """Returns the digest, or the error."""
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
