"""A service whose sessions are not guests: each obeys the one word that stands in its standard input."""

import os
import sys
import time

from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.server import serve


def run(manifest, descriptors, engine, load_module, counters):
    """Read a word from stdin, do it, and write the answer to stdout."""
    by_alias = {channel.alias: descriptors[channel.sources[0].number] for channel in manifest.channels}
    word, _, argument = os.pread(by_alias["/dev/stdin"], 100, 0).decode().partition(" ")
    answer = COMMANDS[word](argument, counters)
    os.write(by_alias["/dev/stdout"], str(answer).encode())
    return Report(retcode=7, etags={"/dev/stdout": "0" * 32}, cdr=counters.accounting())


def spin(argument, counters):
    counters.files[2] = 5
    while True:
        counters.files[3] += 1


def sleep(argument, counters):
    time.sleep(float(argument))
    return "slept"


def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            pass
    return found


def raise_error(argument, counters):
    raise ValueError(argument)


COMMANDS = {
    "hello": lambda argument, counters: f"hello {argument}",
    "descriptors": lambda argument, counters: descriptors(),
    "spin": spin,
    "sleep": sleep,
    "raise": raise_error,
    "exit": lambda argument, counters: os._exit(int(argument)),
    "signal": lambda argument, counters: os.kill(os.getpid(), int(argument)),
    "pid": lambda argument, counters: os.getpid(),
}

if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], run))
