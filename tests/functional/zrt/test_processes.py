"""Guests and the processes they run in: forks in the midst of a guest, and walls behind which no file can be opened."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import wasmtime

import zerocloud.zrt
from tests.unit.zrt.archives import archive, member
from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.engine import Guest
from zerocloud.zrt.errors import GuestTrap
from zerocloud.zrt.world import World

from .test_engine import program, start, wasi

COPY = """(loop $on
    (i32.store (i32.const 4) (i32.const 1024))
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $proc_exit (i32.const 99))))
    (if (i32.load (i32.const 8)) (then
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
      (br $on))))"""
TEMPLATE = program(
    wasi("fd_read", "iiii"),
    wasi("fd_write", "iiii"),
    wasi("proc_exit", "i", False),
    '(import "zerovm" "fork" (func $fork (result i32)))',
    '(memory (export "memory") 1)',
    '(data (i32.const 0) "\\40\\00\\00\\00")',
    start(f"(local.set $f (call $fork)) {COPY} (call $proc_exit (i32.add (local.get $f) (i32.const 5)))", "(local $f i32)"),
)


def test_without_a_hook_there_is_no_fork(host):
    assert host.text(TEMPLATE).code == 4


def test_a_template_is_forked_for_each_request(host, engine):
    source, sink = os.pipe()
    requests = [b"first", b"second", b"third"]
    me = os.getpid()

    def channels(data, name):
        return {"/dev/stdin": host.file(name, data), "/dev/stdout": PlainChannel(sink, writable=True)}

    def fork():
        for number, request in enumerate(requests):
            child = os.fork()
            if not child:
                guest.rebind(World(channels=channels(request, f"in{number}"), args=(b"again",)))
                return 0
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        return 7

    guest = Guest(engine, wasmtime.Module(engine, TEMPLATE), World(channels=channels(b"template", "in"), fork=fork))
    code = guest.run()
    if os.getpid() != me:
        os._exit(code)
    guest.close()
    assert code == 12
    assert os.read(source, 1000) == b"firstsecondthirdtemplate"
    os.close(source)
    os.close(sink)


def test_a_c_program_is_a_template(host, engine, compile_c):
    compiled = compile_c("template", "-I", str(Path(zerocloud.zrt.__file__).parent / "include"))
    me, output = os.getpid(), os.pipe()

    def world(who, line, **more):
        stdin = host.file(who, line)
        return World(
            channels={"/dev/stdin": stdin, "/dev/stdout": PlainChannel(output[1], writable=True)},
            env={b"WHO": who.encode()},
            **more,
        )

    def fork():
        child = os.fork()
        if not child:
            guest.rebind(world("child", b"request\n"))
            return 0
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return 1

    guest = Guest(engine, compiled, world("parent", b"warm\n", fork=fork))
    code = guest.run()
    if os.getpid() != me:
        os._exit(code)
    guest.close()
    assert code == 0
    assert os.read(output[0], 1000) == b"w 0 child request\nw 1 parent warm\n"
    os.close(output[0])
    os.close(output[1])


def test_traps_are_caught_in_a_forked_child(host, engine):
    trap = wasmtime.Module(engine, program('(memory (export "memory") 1)', "(func $f (call $f))", start("(call $f)")))
    child = os.fork()
    if not child:
        code = 1
        try:
            Guest(engine, trap, World()).run()
        except GuestTrap as error:
            code = 42 if "exhausted" in str(error) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


WALLED = """
    import json, os, sys
    import wasmtime
    from zerocloud.zrt.channel import PlainChannel
    from zerocloud.zrt.engine import Guest, make_engine
    from zerocloud.zrt.world import Mount, World

    engine = make_engine()
    with open({module!r}, "rb") as file:
        module = wasmtime.Module(engine, file.read())
    image = os.open({image!r}, os.O_RDONLY)
    size = os.fstat(image).st_size
    channels = {{
        "/dev/stdin": PlainChannel(0, readable=True),
        "/dev/stdout": PlainChannel(1, writable=True),
        "/dev/stderr": PlainChannel(2, writable=True),
        "/dev/out": PlainChannel(os.open(os.devnull, os.O_WRONLY), writable=True),
    }}
    events = []
    quiet = ("ctypes.", "object.__", "sys._getframe", "time.", "os.putenv", "marshal.")
    watching = False
    def hook(event, arguments):
        if watching and not event.startswith(quiet):
            events.append((event, repr(arguments)[:200]))
    sys.addaudithook(hook)
    watching = True
    mounts = [Mount("/", fd=image, size=size), Mount("/left", fd=image, size=size), Mount("/left", "wo", channel="/dev/out")]
    codes = []
    for args in {runs!r}:
        world = World(args=[b"guest", *args], channels=channels, mounts=mounts, clock={clock!r}, seed={seed!r})
        with Guest(engine, module, world) as guest:
            try:
                codes.append(guest.run())
            except Exception as error:
                codes.append(type(error).__name__)
    watching = False
    with open({report!r}, "w") as file:
        json.dump([codes, events, len(os.listdir("/proc/self/task"))], file)
"""


@pytest.mark.parametrize(("clock", "seed"), [(None, None), (5.0, 5)])
def test_a_guest_runs_where_nothing_can_be_opened(tmp_path, c_file, clock, seed):
    """Nothing is opened, imported or started from the building of a world to the guest's end: its process may be walled."""
    module, image, report = c_file("everything"), tmp_path / "image.tar", tmp_path / "report"
    image.write_bytes(archive(member("é" * 90, b"x")))
    runs = [[b"files"], [b"list", b"/"], [b"clocks"], [b"copy"], [b"fall"], [b"exit", b"3"], [b"unknown"]]
    script = WALLED.format(module=str(module), image=str(image), report=str(report), runs=runs, clock=clock, seed=seed)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], input=b"text", capture_output=True)
    assert done.returncode == 0, done.stderr
    codes, events, threads = json.loads(report.read_text())
    assert codes == [0, 0, 0, 0, "GuestTrap", 3, 119]
    assert events == []
    assert threads == 1
