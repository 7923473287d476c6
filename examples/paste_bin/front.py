"""Answers one request with what is to be done: a system map, which the cluster runs next."""

import json
import os
import secrets
import sys
from urllib.parse import parse_qs

PLACE = "swift://~/@container@"
PYTHON = "file://python:bin/python"
SEARCH = """
import os, re, sys
words = re.compile(re.escape(os.environ["WORD"]).encode(), re.IGNORECASE)
with open("/dev/out/collect", "wb") as output:
    for line in sys.stdin.buffer:
        if words.search(line):
            output.write(os.environ["LOCAL_PATH_INFO"].rpartition("/")[2].encode() + b": " + line.rstrip(b"\\n") + b"\\n")
"""
COLLECT = """
import sys, zvm
lines = sorted(line for peer in zvm.inputs() for line in zvm.input(peer))
sys.stdout.buffer.writelines(lines)
"""
HEAD = "Content-Type: {kind}\r\n{more}\r\n"


def answer(body: str, kind: str = "text/plain; charset=utf-8", status: str = "") -> None:
    sys.stdout.buffer.write(HEAD.format(kind=kind, more=f"Status: {status}\r\n" if status else "").encode() + body.encode())


def job(*groups: dict) -> None:
    """Have these groups run next."""
    sys.stdout.buffer.write(HEAD.format(kind="application/json", more="X-Zerovm-Execute: 1.0\r\n").encode())
    sys.stdout.buffer.write(json.dumps(groups).encode())


def program(code: str, **env: str) -> dict:
    args = "-c " + "".join(letter if letter.isalnum() else f"\\x{ord(letter):02x}" for letter in code)
    return {"path": PYTHON, "args": args, "env": env}


def main() -> None:
    asked = {key: values[0] for key, values in parse_qs(os.environ.get("QUERY_STRING", "")).items()}
    text = {"name": "stdout", "content_type": "text/plain; charset=utf-8"}
    if os.environ["REQUEST_METHOD"] == "POST":
        name = secrets.token_hex(8)
        store = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, open('/dev/output', 'wb')); print(sys.argv[1])"
        devices = [{"name": "python"}, {"name": "stdin"}, {"name": "output", "path": f"{PLACE}/paste-{name}"}, text]
        job({"name": "store", "exec": {**program(store), "args": f"{program(store)['args']} paste-{name}"}, "devices": devices})
    elif "paste" in asked and asked["paste"].startswith("paste-") and asked["paste"].removeprefix("paste-").isalnum():
        show = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
        devices = [{"name": "python"}, {"name": "stdin", "path": f"{PLACE}/{asked['paste']}"}, text]
        job({"name": "show", "exec": program(show), "devices": devices})
    elif asked.get("search"):
        devices = [{"name": "python"}, {"name": "stdin", "path": f"{PLACE}/paste-*"}]
        job(
            {"name": "search", "exec": program(SEARCH, WORD=asked["search"]), "devices": devices, "connect": ["collect"]},
            {"name": "collect", "exec": program(COLLECT), "devices": [{"name": "python"}, text]},
        )
    else:
        answer("POST a paste, GET ?paste=NAME, or GET ?search=WORD\n", status="400 Bad Request")


main()
