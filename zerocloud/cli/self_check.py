"""``zerocloud self-check``: is this cluster one that jobs can be run on, by this user, from here?"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version

import click
import simplejson
import wasmtime
from rich.text import Text

from zerocloud.client import ClientError, Connection, connect
from zerocloud.client.functions import zapp

from . import look
from .group import examples

GREETING = b"hello from a node\n"
PROGRAM = f"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello from a node\\0a")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const {len(GREETING)}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
MAP = [{"name": "check", "exec": {"path": "file://check.wasm"}, "devices": [{"name": "stdout", "content_type": "text/plain"}]}]


class Broken(Exception):
    """A check failed; the text says how, and what to do."""


@dataclass(frozen=True)
class Check:
    """What was checked, and what came of it."""

    name: str
    ok: bool
    told: str


@click.command(epilog=examples("zerocloud self-check", "zerocloud self-check --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Check step by step that jobs can be run: sign in, ask the cluster, store an object, run a program of a few bytes.

    It leaves nothing behind. Exit code 1 if a step fails; the later ones are not tried then.
    """
    found = []
    screen = look.output()
    for check in _checks():
        found.append(check)
        if not as_json:
            mark = Text("ok    ", "green") if check.ok else Text("failed", "bold red")
            screen.print(mark, f"{check.name}:", Text(check.told), soft_wrap=True)
    ok = all(check.ok for check in found)
    if as_json:
        click.echo(simplejson.dumps({"ok": ok, "checks": [asdict(check) for check in found]}, indent=2))
    if not ok:
        sys.exit(1)


def _checks() -> Iterator[Check]:
    """One check after another, up to the first that fails."""
    try:
        cloud = connect()
    except ClientError as error:
        yield Check("sign in", False, str(error))
        return
    with cloud:
        yield Check("sign in", True, f"account {cloud.login.account} at {cloud.login.storage_url}")
        steps: tuple[tuple[str, Callable[[Connection], str]], ...] = (
            ("cluster", _information),
            ("storage", _storage),
            ("job", _job),
        )
        for name, step in steps:
            try:
                yield Check(name, True, step(cloud))
            except (ClientError, Broken) as error:
                yield Check(name, False, str(error))
                return


def _information(cloud: Connection) -> str:
    told = cloud.information()
    if "zerocloud" not in told:
        raise Broken("this Swift has no ZeroCloud in its pipeline: nothing here can run jobs")
    theirs, ours = told["zerocloud"].get("version", "of an unknown version"), version("zerocloud")
    return f"ZeroCloud {theirs}, Swift {told.get('swift', {}).get('version', '')}" + (
        "" if theirs == ours else f"; this command is of version {ours}"
    )


def _storage(cloud: Connection) -> str:
    container = f"/.zerocloud-check-{secrets.token_hex(8)}"
    cloud.request("PUT", container)
    try:
        cloud.request("PUT", f"{container}/object", data=GREETING)
        if cloud.request("GET", f"{container}/object").content != GREETING:
            raise Broken("an object that was stored reads differently")
    finally:
        for path in (f"{container}/object", container):
            with suppress(ClientError):
                cloud.request("DELETE", path)
    return "an object was stored, read and deleted"


def _job(cloud: Connection) -> str:
    answer = cloud.run(zapp(MAP, {"check.wasm": bytes(wasmtime.wat2wasm(PROGRAM))}))
    if answer.body != GREETING:
        raise Broken(f"the program's answer is not what it writes: {answer.text[:200]!r}")
    return f"a program ran in {answer.seconds:.3f} s" + "".join(f" on {node.server}" for node in answer.nodes if node.server)
