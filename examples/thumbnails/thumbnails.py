"""Makes small images of large ones: ``thumbnails.py photos thumbnails``, two containers that exist."""

from __future__ import annotations

import sys

from zerocloud.client import connect

SCRIPT = """
import io, sys
from PIL import Image

image = Image.open("/dev/input")
image.thumbnail((128, 128))
small = io.BytesIO()  # Pillow seeks in what it writes, and a channel is a stream
image.save(small, "PNG")
sys.stdout.buffer.write(small.getvalue())
"""
STORED = ".thumbnail.py"


def main(photos: str, thumbnails: str) -> None:
    """Store a thumbnail for every PNG of the first container in the second."""
    group = {
        "name": "thumbnail",
        "exec": {"path": "file://python:bin/python", "args": "/dev/script"},
        "devices": [
            {"name": "python"},
            {"name": "script", "path": f"swift://~/{thumbnails}/{STORED}"},
            {"name": "input", "path": f"swift://~/{photos}/*.png"},
            {"name": "stdout", "path": f"swift://~/{thumbnails}/*.png", "content_type": "image/png"},
        ],
    }
    with connect() as cloud:
        cloud.request("PUT", f"/{thumbnails}/{STORED}", data=SCRIPT.encode())
        answer = cloud.run([group])
        print(f"{len(answer.nodes)} thumbnails")


if __name__ == "__main__":
    main(*sys.argv[1:])
