#!file://python:bin/python
"""What a program sees of the world. ``zerocloud run examples/sysinfo/sysinfo.py`` runs this file itself as a job."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


def main() -> None:
    """Print it, a line for each thing."""
    begun = time.perf_counter()
    print(f"interpreter  Python {sys.version.split()[0]} on {sys.platform}")
    print(f"arguments    {sys.argv}")
    print(f"clock        {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    print(f"files        {' '.join(sorted(path.name for path in Path('/').iterdir()))}")
    print(f"channels     {' '.join(sorted(path.name for path in Path('/dev').iterdir()))}")
    for name, value in sorted(os.environ.items()):
        print(f"environment  {name}={value}")
    try:
        Path("/etc/hostname").read_text()
        print("host         its files can be read: this is no sandbox")
    except OSError as error:
        print(f"host         {error.strerror}: its files are not there")
    print(f"took         {time.perf_counter() - begun:.3f} s")


main()
