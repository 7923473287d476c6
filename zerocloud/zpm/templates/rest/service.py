import json
import os
import sys
from urllib.parse import parse_qsl


def answer(status: str, value: object) -> None:
    body = json.dumps(value).encode() + b"\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sys.stdout.buffer.write(head.encode() + body)


method = os.environ.get("REQUEST_METHOD", "GET")
query = dict(parse_qsl(os.environ.get("QUERY_STRING", "")))
if method == "GET":
    answer("200 OK", {"hello": query.get("who", "world")})
elif method == "POST":
    answer("200 OK", {"bytes": len(sys.stdin.buffer.read())})
else:
    answer("405 Method Not Allowed", {"error": f"{method} is not for this service"})
