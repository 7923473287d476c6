"""Python functions as jobs: their source travels to the objects, and what they return comes back as lines of JSON.

A function is sent as its text, and with it the functions, plain data and imports that it uses. It runs on the system image
``python``.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .returns import Form
from .source import source_of

Function = Callable[..., Any]

PYTHON = "file://python:bin/python"
SYSTEM_MAP = "boot/system.map"
MAPPER, REDUCER = "mapper.py", "reducer.py"
MAP, REDUCE = "map", "reduce"

MAP_END = """
def _session():
    import json, sys
    answer, sys.stdout = sys.stdout, sys.stderr
    value = {name}(sys.stdin.buffer)
    print(json.dumps({dump}), file=answer)
    answer.flush()


_session()
"""
"""What functions print is no part of the answer; names that the function uses are not touched."""

SHUFFLE_END = """
def _session():
    import json, sys, zlib, zvm
    sys.stdout = sys.stderr
    streams = [zvm.output(peer) for peer in sorted(zvm.outputs())]
    for key, value in {name}(sys.stdin.buffer):
        line = json.dumps([key, value])
        streams[zlib.crc32(json.dumps(key).encode()) % len(streams)].write(line.encode() + b"\\n")
    for stream in streams:
        stream.close()


_session()
"""

REDUCE_END = """
def _session():
    import json, sys, zvm
    answer, sys.stdout = sys.stdout, sys.stderr
    found = {{}}
    for peer in sorted(zvm.inputs()):
        with zvm.input(peer) as stream:
            for line in stream:
                key, value = json.loads(line)
                found.setdefault(json.dumps(key), []).append(value)
    for key in sorted(found):
        print(json.dumps([json.loads(key), {name}(json.loads(key), found[key])]), file=answer)
    answer.flush()


_session()
"""


def map_work(function: Function, objects: str | Sequence[str], how: Form, keys: Mapping[str, Any]) -> bytes:
    """A zapp that calls the function on every object; ``keys`` are more keys of its group. Raises WorkError."""
    group = _group(MAP, MAPPER, [_input(objects), {"name": "stdout", "content_type": "application/json"}], keys)
    return zapp([group], {MAPPER: _script(function, MAP_END, how.dump)})


def map_reduce_work(mapper: Function, reducer: Function, objects: str | Sequence[str], reducers: int) -> bytes:
    """A zapp that maps every object to pairs of a key and a value, and reduces all values of each key. Raises WorkError."""
    job_map = [
        _group(MAP, MAPPER, [_input(objects)], {"connect": [REDUCE]}),
        _group(REDUCE, REDUCER, [{"name": "stdout", "content_type": "application/json"}], {"count": reducers}),
    ]
    return zapp(job_map, {MAPPER: _script(mapper, SHUFFLE_END), REDUCER: _script(reducer, REDUCE_END)})


def zapp(job_map: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]) -> bytes:
    """A small zapp of a map and files."""
    store = io.BytesIO()
    with tarfile.open(fileobj=store, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in {SYSTEM_MAP: json.dumps(job_map).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return store.getvalue()


def _group(name: str, script: str, devices: list[dict[str, Any]], keys: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "exec": {"path": PYTHON, "args": f"/{script}"}, "devices": [{"name": "python"}, *devices], **keys}


def _input(objects: str | Sequence[str]) -> dict[str, Any]:
    return {"name": "stdin", "path": objects if isinstance(objects, str) else list(objects)}


def _script(function: Function, end: str, dump: str = "") -> bytes:
    """The function's source with all that it uses, and the call of it."""
    return f"{source_of(function)}\n{end.format(name=function.__name__, dump=dump)}".encode()
