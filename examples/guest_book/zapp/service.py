"""GET lists the entries, or shows the page to a browser; POST adds one, DELETE removes one. They are in a SQLite object."""

import html
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from urllib.parse import parse_qs

MOST = 1000  # letters of an entry
POLICY = "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
DATABASE = "/book.sqlite"  # a file of the session's own: a channel can't be locked


def answer(status: str, kind: str, text: str) -> None:
    """What the client gets."""
    body = text.encode()
    head = f"Status: {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n"
    sys.stdout.buffer.write(head.encode() + body)


def entries(database: sqlite3.Connection) -> list:
    """All of them, the oldest first."""
    return [{"id": key, "text": text} for key, text in database.execute("SELECT id, text FROM entries ORDER BY rowid")]


def store(database: sqlite3.Connection) -> None:
    """Have the whole database stored in place of the one that was read."""
    database.commit()
    with open(DATABASE, "rb") as source, open("/dev/output", "wb") as target:
        shutil.copyfileobj(source, target)


def add(database: sqlite3.Connection) -> None:
    """Add what the client sends, unless it is there: who is not sure sends it once more."""
    try:
        entry = json.loads(sys.stdin.buffer.read(16 * MOST))
        key, text = entry["id"], entry["text"].strip()
        key.encode(), text.encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        answer("400 Bad Request", "text/plain", 'expected {"id": …, "text": …}\n')
        return
    if not (1 <= len(key) <= 64 and 1 <= len(text) <= MOST):
        answer("400 Bad Request", "text/plain", f"an entry has 1 to {MOST} letters, an id 1 to 64\n")
        return
    database.execute("INSERT OR IGNORE INTO entries VALUES (?, ?)", (key, text))
    store(database)
    answer("201 Created", "application/json", json.dumps({"id": key}))


def remove(database: sqlite3.Connection) -> None:
    """Remove the entry that the query names."""
    (key,) = parse_qs(os.environ.get("QUERY_STRING", "")).get("id", [""])[:1]
    if not database.execute("DELETE FROM entries WHERE id = ?", (key,)).rowcount:
        answer("404 Not Found", "text/plain", "no such entry\n")
        return
    store(database)
    answer("200 OK", "application/json", json.dumps({"id": key}))


def show(database: sqlite3.Connection) -> None:
    """The page for a browser, JSON for all others."""
    if "text/html" not in os.environ.get("HTTP_ACCEPT", ""):
        answer("200 OK", "application/json", json.dumps(entries(database)))
        return
    line = '<li><span>{text}</span> <button value="{id}">delete</button></li>'
    lines = (line.format(**{name: html.escape(value) for name, value in entry.items()}) for entry in entries(database))
    with open("/page.html") as page:
        answer("200 OK", "text/html", page.read().replace("<!-- entries -->", "\n".join(lines)))


with open("/dev/input", "rb") as source, open(DATABASE, "wb") as target:
    shutil.copyfileobj(source, target)
with closing(sqlite3.connect(DATABASE)) as book:
    method = os.environ["REQUEST_METHOD"]
    handlers = {"GET": show, "HEAD": show, "POST": add, "DELETE": remove}
    if method in handlers:
        handlers[method](book)
    else:
        answer("405 Method Not Allowed", "text/plain", f"{method} means nothing here\n")
