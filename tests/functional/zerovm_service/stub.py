"""A service whose sessions are not guests: each obeys the one word that stands in its standard input."""

import os
import stat
import sys
import time

from tests.functional.zerovm_service.attacks import ATTACKS
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.server import serve


def run(manifest, descriptors, engine, load_module, counters, options=None):
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
    """What kinds of files are open here."""
    kinds = {}
    for number in range(1024):
        try:
            kinds[number] = stat.filemode(os.fstat(number).st_mode)[0]
        except OSError:
            pass
    return "".join(kinds.values())


def attack(argument, counters):
    try:
        ATTACKS[argument]()
    except BaseException as error:  # noqa: BLE001
        return f"refused {error!r}"
    return "succeeded"


def raise_error(argument, counters):
    raise ValueError(argument)


COMMANDS = {
    "": lambda argument, counters: "a rehearsal",
    "attack": attack,
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
