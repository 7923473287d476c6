"""Puts the guest book into an account: ``guest_book.py CONTAINER``, and prints its address."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

MAP = "boot/system.map"
EMPTY = "CREATE TABLE entries (id TEXT PRIMARY KEY, text TEXT NOT NULL)"


def system_map(database: str) -> bytes:
    """One session for each request; it reads the database, and stores it if it has changed."""
    devices = [
        {"name": "python"},
        {"name": "stdin"},
        {"name": "input", "path": database},
        {"name": "output", "path": database, "content_type": "application/vnd.sqlite3", "min_size": 1},
        {"name": "stdout", "content_type": "message/cgi"},
    ]
    program = {"path": "file://python:bin/python", "args": "/service.py"}
    return json.dumps([{"name": "book", "exec": program, "devices": devices}]).encode()


def archive(database: str) -> bytes:
    """The zapp."""
    members = {MAP: system_map(database)}
    members |= {path.name: path.read_bytes() for path in (Path(__file__).parent / "zapp").iterdir() if path.is_file()}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def main(container: str) -> None:
    """Store the zapp and an empty book, and let anybody use it there, and nothing else."""
    storage = os.environ["OS_STORAGE_URL"]
    account = urlsplit(storage).path.rpartition("/")[2]
    place = f"swift://{account}/{container}"

    def put(path: str, body: bytes, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["X-Auth-Token"] = os.environ["OS_AUTH_TOKEN"]
        urlopen(Request(f"{storage}/{path}", body, named, method="PUT")).close()  # noqa: S310 (the user's own cluster)

    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(EMPTY)
        empty = database.serialize()
    put(container, b"", X_Container_Meta_Rest_Endpoint=f"{place}/zapp", X_Container_Meta_Zerovm_Suid=".r:*")
    put(f"{container}/zapp", archive(f"{place}/book.sqlite"), Content_Type="application/x-tar")
    put(f"{container}/book.sqlite", empty, Content_Type="application/vnd.sqlite3")
    print(storage.replace("/v1/", "/api/", 1) + f"/{container}/entries")


if __name__ == "__main__":
    main(*sys.argv[1:])
