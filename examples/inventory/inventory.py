"""What a container holds, by its database: ``inventory.py CONTAINER``."""

from __future__ import annotations

import sys

from zerocloud.client import connect

SCRIPT = """#!file://python:bin/python
import sqlite3
import shutil

with open("/dev/input", "rb") as channel, open("/database", "wb") as copy:
    shutil.copyfileobj(channel, copy)
database = sqlite3.connect("/database")
TYPES = '''SELECT content_type, count(*), sum(size) FROM object WHERE deleted = 0
    GROUP BY 1 ORDER BY 3 DESC, 1'''
LARGEST = "SELECT name, size FROM object WHERE deleted = 0 ORDER BY size DESC, name LIMIT 5"
for kind, number, size in database.execute(TYPES):
    print(f"{number:10} {size:15} {kind}")
print()
for name, size in database.execute(LARGEST):
    print(f"{size:26} {name}")
"""
STORED = ".inventory.py"


def main(container: str) -> None:
    """Print it."""
    group = {
        "name": "inventory",
        "exec": {"path": "file://python:bin/python", "args": "/dev/script"},
        "attach": "input",
        "devices": [
            {"name": "python"},
            {"name": "script", "path": f"swift://~/{container}/{STORED}"},
            {"name": "input", "path": f"swift://~/{container}"},
            {"name": "stdout", "content_type": "text/plain"},
        ],
    }
    with connect() as cloud:
        cloud.request("PUT", f"/{container}/{STORED}", data=SCRIPT.encode(), headers={"Content-Type": "text/x-python"})
        try:
            print(cloud.run([group]).text, end="")
        finally:
            cloud.request("DELETE", f"/{container}/{STORED}")


if __name__ == "__main__":
    main(*sys.argv[1:])
