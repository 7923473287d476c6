"""The command ``zebra``."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

import click
import simplejson
from click.shell_completion import CompletionItem
from rich.console import Console, RenderableType

from zerocloud.cli.group import TellingGroup, examples
from zerocloud.cli.waiting import steps
from zerocloud.zebra import doctor, logview, neighbours, settings, state, status, stop, sysimages, view
from zerocloud.zebra.errors import SettingsError, ZebraError
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.probe import log_in
from zerocloud.zebra.settings import AUTHS, POLICIES, USERS, Wish, user_called
from zerocloud.zebra.start import Started, start

DEFAULT_DIRECTORY = "zebra"
SOME_DEAD = 1
SIGNALLED = 128
LOG_LINES = 40

Function = TypeVar("Function", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  zebra up                                a cluster in ./zebra, until Ctrl-C
  zebra up --dir /tmp/z --detach          the same in the background
  eval "$(zebra env --dir /tmp/z)"        for the swift command and curl
  swift upload photos *.jpg
  curl -H "X-Auth-Token: $OS_AUTH_TOKEN" $OS_STORAGE_URL/photos
  zebra status --dir /tmp/z
  zebra logs --dir /tmp/z --follow node2
  zebra doctor --dir /tmp/z               what is wrong, and how to mend it
  zebra down --dir /tmp/z --destroy       gone, with all its data

The directory is --dir, or else $ZEBRA_DIR, or else ./zebra. Exit codes: 0 all is well, 1 failed (status: a process is dead),
2 wrong usage, 3 nothing runs there, 130 Ctrl-C.

Completion for bash (zsh and fish alike): eval "$(_ZEBRA_COMPLETE=bash_source zebra)"
"""


class ZebraGroup(TellingGroup):
    """Tells this package's errors, each with its exit code."""

    known = (ZebraError,)


def directory_option(function: Function) -> Function:
    """``--dir``."""
    return click.option(
        "--dir",
        "directory",
        type=click.Path(readable=False),
        envvar="ZEBRA_DIR",
        default=DEFAULT_DIRECTORY,
        show_default="$ZEBRA_DIR, or ./zebra",
        help="Where the Zebra lives.",
    )(function)


@click.group(cls=ZebraGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("zerocloud"), prog_name="zebra")
def main() -> None:
    """Zebra, the playground: a whole ZeroCloud (a real Swift cluster that runs your programs next to your objects) on this
    machine, without root, in one directory."""


@main.command()
@directory_option
@click.option("--nodes", type=int, help="Storage nodes.  [default: 4, or as before]")
@click.option("--port", type=int, help="Port of the proxy.  [default: a free one, kept from then on]")
@click.option("--detach", "-d", is_flag=True, help="Return as soon as it works, and let it run on.")
@click.option("--ec", is_flag=True, default=None, help="Add the erasure-coded storage policy 'ec21'. Needs 3 nodes.")
@click.option("--policy", type=click.Choice(POLICIES), help="Storage policy of new containers; ec implies --ec.")
@click.option("--encrypt", is_flag=True, default=None, help="Encrypt what is stored from now on, under a key in the directory.")
@click.option("--auth", type=click.Choice(AUTHS), help="Who knows the users.  [default: tempauth, or as before]")
@click.option("--together", is_flag=True, help="One process for everything: less memory, but no node can be killed alone.")
@click.option("--proxy-workers", type=int, default=1, show_default=True, help="Processes that share the proxy's port.")
@click.option("--plain", is_flag=True, help="Just Swift, without ZeroCloud's filters.")
@click.option("--image", "images", multiple=True, metavar="NAME", help="Have a system image, like python; kept from then on.")
@click.option("--json", "as_json", is_flag=True, help="With --detach: print where it is as JSON.")
@click.option("--set", "overrides", multiple=True, metavar="SERVER/SECTION/OPTION=VALUE", help="Change Swift's configuration.")
def up(
    directory: str,
    nodes: int | None,
    port: int | None,
    detach: bool,
    ec: bool | None,
    policy: str | None,
    encrypt: bool | None,
    auth: str | None,
    together: bool,
    proxy_workers: int,
    plain: bool,
    images: tuple[str, ...],
    as_json: bool,
    overrides: tuple[str, ...],
) -> None:
    """Start a Zebra.

    An empty or missing directory gets a new one; a Zebra that was stopped goes on with its data.

    \b
    Examples:
      zebra up --nodes 6 --port 8080
      zebra up --detach --set object/object_query/zerovm_timeout=5
      zebra up --image python                 programs in Python, with numpy and pandas
    """
    if as_json and not detach:
        raise click.UsageError("--json tells where a Zebra is that runs on: it goes with --detach")
    layout = Layout.at(directory)
    chosen = dict(map(_override, overrides))
    wish = Wish(nodes, port, ec, policy, encrypt, auth, together, not plain, chosen, proxy_workers)
    settings.check_wish(wish)
    signal.signal(signal.SIGTERM, _terminate)
    console = Console(stderr=True)
    with steps(console, "Starting") as step:
        prepared = sysimages.prepare(images, step)
        wish = replace(wish, overrides={**prepared, **chosen})
        started = start(layout, wish, step)
    known = settings.load(layout)
    welcome = view.welcome(layout, known, USERS[0], detach, console=not plain)
    if detach:
        if as_json:
            click.echo(simplejson.dumps(view.place(layout, known, console=not plain), indent=1))
        else:
            Console().print(welcome)
        started.detach()
    else:
        _stay(started, console, welcome)


def _terminate(number: int, frame: object) -> NoReturn:
    sys.exit(SIGNALLED + number)


def _override(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"--set {text}: expected SERVER/SECTION/OPTION=VALUE")
    return path, value


def _stay(started: Started, console: Console, welcome: RenderableType) -> None:
    """Wait in the foreground for Ctrl-C, for SIGTERM, which is an order and no failure, or for somebody's ``zebra down``."""
    try:
        Console().print(welcome)
        for event in started.listener.events(float("inf")):
            if event["event"] == "ended":
                console.print(f"[bold red]{event['name']} {event['how']}[/]; it is not restarted")
            elif event["event"] == "stopped":
                console.print("Stopped by 'zebra down'.")
    except (KeyboardInterrupt, SystemExit) as why:
        with console.status("Stopping …"):
            started.stop()
        console.print("Stopped. The data stays for the next 'zebra up'.")
        if isinstance(why, KeyboardInterrupt):
            raise
        return
    code = started.process.wait()
    if code:
        raise ZebraError(f"{started.layout.directory}: the supervisor ended unexpectedly; everything has ended with it")


@main.command()
@directory_option
@click.option(
    "--user",
    default=USERS[0].login,
    show_default=True,
    shell_complete=lambda *_: [user.login for user in USERS],
    help=f"One of {', '.join(user.login for user in USERS)}.",
)
@click.option("--s3", is_flag=True, help="Variables for S3 clients instead.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def env(directory: str, user: str, s3: bool, as_json: bool) -> None:
    """Print shell variables for clients.

    \b
    Example:
      eval "$(zebra env)"; swift stat
    """
    layout = Layout.at(directory)
    chosen = user_called(user)
    state.running(layout)
    known = settings.load(layout)
    values = view.s3_variables(known, chosen) if s3 else view.variables(known, chosen, log_in(known, chosen))
    click.echo(simplejson.dumps(values, indent=1) if as_json else "\n".join(view.exported(values)))


@main.command("status", epilog=examples("zebra status --json"))
@directory_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_status(directory: str, as_json: bool) -> None:
    """Show the processes: addresses, ports, age, memory."""
    report = status.report(Layout.at(directory))
    if as_json:
        click.echo(simplejson.dumps(report, indent=1))
    else:
        Console().print(view.status_table(report))
    if not status.all_run(report):
        sys.exit(SOME_DEAD)


@main.command("doctor", epilog=examples("zebra doctor --dir /tmp/z"))
@directory_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def examine(directory: str, as_json: bool) -> None:
    """Say what is wrong with a Zebra, or would be if it were started, and how to mend it. Changes nothing."""
    findings = doctor.examine(Layout.at(directory))
    if as_json:
        click.echo(simplejson.dumps(doctor.report(findings), indent=1))
    else:
        Console().print(view.findings_table(findings))
    if not doctor.healthy(findings):
        sys.exit(SOME_DEAD)


@main.command("list", epilog=examples("zebra list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_running(as_json: bool) -> None:
    """List the Zebras that run on this machine: any number can, side by side."""
    found = neighbours.running()
    if as_json:
        click.echo(simplejson.dumps([{"directory": str(layout.directory), "url": url} for layout, url in found], indent=1))
        return
    for layout, url in found:
        click.echo(f"{shlex.quote(str(layout.directory))}\t{url}")


def _complete_log(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    layout = Layout.at(ctx.params.get("directory") or DEFAULT_DIRECTORY)
    return [CompletionItem(name) for name in _log_names(layout) if name.startswith(incomplete)]


def _log_names(layout: Layout) -> list[str]:
    return sorted(path.stem for path in layout.log.glob("*.log"))


@main.command(epilog=examples("zebra logs proxy --lines 100", "zebra logs --follow"))
@directory_option
@click.option("--follow", "-f", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option("--lines", "-n", type=click.IntRange(min=0), default=LOG_LINES, show_default=True, help="How many of each log.")
@click.argument("name", required=False, shell_complete=_complete_log)
def logs(directory: str, follow: bool, lines: int, name: str | None) -> None:
    """Show the logs.

    NAME is proxy, node1, zerovm-node1 (its executor service), zebra (the supervisor), and so on; all of them without it.
    """
    layout = Layout.at(directory)
    layout.require_zebra()
    names = _log_names(layout)
    if name is not None and name not in names:
        raise SettingsError(f"{name}: no such log in {layout.log}; there are {', '.join(names)}")
    chosen = [layout.log_of(one) for one in ([name] if name else names)]
    for path in chosen:
        for line in logview.last_lines(path, lines):
            click.echo(line if name else f"{path.stem}: {line}")
    # A Zebra that can't be started has logs worth reading, but all is not well with it.
    settings.load(layout)
    if follow:
        for path, line in logview.follow(chosen):
            click.echo(line if name else f"{path.stem}: {line}")


@main.command(epilog=examples("zebra down", "zebra down --dir /tmp/z --destroy"))
@directory_option
@click.option("--destroy", is_flag=True, help="Remove the directory, and all data in it, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def down(directory: str, destroy: bool, as_json: bool) -> None:
    """Stop a Zebra.

    Its data stays for the next 'up', unless --destroy is given. Ends whatever a crash has left, too.
    """
    layout = Layout.at(directory)
    layout.require_zebra()
    with Console(stderr=True).status("Stopping …"):
        was_running = stop.stop(layout)
        gone = stop.destroy(layout) if destroy else False
    if not destroy:
        settings.load(layout)  # It has stopped, but nobody should believe that it will start again.
    name = shlex.quote(str(layout.directory))
    if as_json:
        told = {"directory": str(layout.directory), "was_running": was_running, "gone": gone}
        click.echo(simplejson.dumps(told, indent=1))
    elif destroy:
        click.echo(f"{name} is gone." if gone else f"The Zebra is gone; {name} stays, for there are other files in it.")
    else:
        click.echo(f"{name}: stopped." if was_running else f"{name}: nothing was running.")


if __name__ == "__main__":
    os.umask(0o077)
    main()
