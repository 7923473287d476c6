"""Puts the paste bin into an account: ``paste_bin.py CONTAINER``, and prints its address."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path
from urllib.parse import quote

from zerocloud.client import connect

GROUP = {
    "name": "front",
    "exec": {"path": "file://python:bin/python", "args": "/front.py"},
    "devices": [{"name": "python"}, {"name": "stdout", "content_type": "message/cgi"}],
}


def archive(container: str) -> bytes:
    """The zapp."""
    program = (Path(__file__).parent / "front.py").read_text().replace("@container@", quote(container))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in (("boot/system.map", json.dumps([GROUP]).encode()), ("front.py", program.encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def main(container: str) -> None:
    """Store the zapp, and have its container answer requests."""
    with connect() as cloud:
        endpoint = f"swift://{cloud.login.account}/{quote(container)}/.front.zapp"
        cloud.request("PUT", f"/{container}", headers={"X-Container-Meta-Rest-Endpoint": endpoint})
        tar = {"Content-Type": "application/x-tar"}
        cloud.request("PUT", f"/{container}/.front.zapp", data=archive(container), headers=tar)
        print(cloud.login.storage_url.replace("/v1/", "/api/", 1) + f"/{quote(container)}/")


if __name__ == "__main__":
    main(*sys.argv[1:])
