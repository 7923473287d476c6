"""Asks SQLite databases that are objects: ``sql.py 'SELECT …' swift://~/databases/*.sqlite``."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from typing import IO, Any

from zerocloud.client import connect


def main(query: str, objects: str) -> None:
    """Print the rows of all databases."""

    def rows(file: IO[bytes]) -> list[Any]:
        with open("/database", "wb") as copy:  # a channel can't be locked, a file of the session's own can
            shutil.copyfileobj(file, copy)
        with closing(sqlite3.connect("/database")) as database:
            return database.execute(query).fetchall()

    with connect() as cloud:
        for found in cloud.map(rows, objects):
            for row in found:
                print(json.dumps(row))


if __name__ == "__main__":
    main(*sys.argv[1:])
