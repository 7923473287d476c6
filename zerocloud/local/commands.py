"""``zapp``: jobs, zapps and services on this machine, without a cluster. ``zvapp`` is ``zapp run`` by its old name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import click
import simplejson

from zerocloud.cli import look
from zerocloud.cli.errors import CommandError
from zerocloud.cli.group import HELP, TellingGroup, complete_file, examples
from zerocloud.cli.perform import Wish, perform
from zerocloud.cli.waiting import steps
from zerocloud.client import ClientError, Refused
from zerocloud.images.archive import ImageError
from zerocloud.images.recipes import RECIPES
from zerocloud.zpm.again import again
from zerocloud.zpm.deploy import Target, deploy
from zerocloud.zpm.errors import ZpmError
from zerocloud.zpm.project import find_root

from .names import ACCOUNT
from .work import packed, prepared, system_images
from .world import LocalError, LocalSwift

SERVED = ".zapp"
"""The container that a served zapp is put into; it is not among the user's folders."""
PORT = 8000
PAUSE = 0.2

Function = TypeVar("Function", bound=Callable[..., Any])


class Group(TellingGroup):
    """Tells the errors of all rooms that come together here."""

    known = (CommandError, ClientError, ZpmError, ImageError, OSError)


def where(function: Function) -> Function:
    """The options that say what containers and images there are."""
    folder = click.Path(file_okay=False, path_type=Path)
    for option in (
        click.option("--debug", is_flag=True, help="Show what the servers log, manifests and reports included."),
        click.option(
            "--sysimage-root-path", "images_folder", type=folder, help="A folder of system images, named like their files."
        ),
        click.option("--image", "images", multiple=True, metavar="NAME[=FILE]", help="A system image, such as python."),
        click.option(
            "--root", "--swift-root-path", "root", type=folder, help="A folder with a folder for each account, instead."
        ),
        click.option(
            "--data",
            "--swift-account-path",
            "data",
            type=folder,
            default=".",
            show_default="the working directory",
            help="The folder whose folders are the containers.",
        ),
    ):
        function = option(function)
    return function


@click.group(
    cls=Group,
    context_settings=HELP,
    epilog="""\b
Examples:
  zapp run hello                    the zapp in the folder hello
  zapp run job.json --data store    swift://~/logs/*.log are the files store/logs/*.log
  zapp serve hello                  a zapp that answers requests, at http://127.0.0.1:8000

Exit codes: 0 all is well, 1 failed, 2 wrong usage, 130 interrupted.

Completion for bash (zsh and fish alike): eval "$(_ZAPP_COMPLETE=bash_source zapp)"
""",
)
@click.version_option(version("zerocloud"), prog_name="zapp")
def main() -> None:
    """Run jobs and zapps on this machine, without a cluster: folders are containers, files are objects."""


@main.command(
    epilog=examples(
        "zapp run hello                              a folder with a zapp.yaml, or with a boot/system.map",
        "zapp run hello.zapp --summary               what each node did, on standard error",
        "zapp run job.json --data store -o out.txt   swift://~/logs/a is the file store/logs/a",
        "zapp run script.py --image python           a script that begins with #!file://python:bin/python",
        "zapp run job.json --dry-run                 what it would do, as JSON",
    )
)
@click.argument("work", metavar="JOB", default=".", shell_complete=complete_file)
@where
@click.option("--payload", type=click.File("rb"), help="What devices without a path read, for a job that is stored.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that the job may take.")
@click.option("--output", "-o", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to a file.")
@click.option("--summary", "-s", is_flag=True, help="Show what each node did, on standard error.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer, status and nodes as JSON.")
@click.option("--dry-run", is_flag=True, help="Print the nodes as JSON, and run nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def run(
    work: str,
    data: Path,
    root: Path | None,
    images: tuple[str, ...],
    images_folder: Path | None,
    debug: bool,
    payload: BinaryIO | None,
    timeout: float | None,
    path: Path | None,
    summary: bool,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Run a job and print its answer. JOB is a folder with a zapp (by default this one), a zapp, a file with a system map or
    a script, - for standard input, or the URL of one that is stored, swift://~/container/object."""
    wish = Wish(timeout, path, summary, as_json, quiet)
    wish.check()
    with steps(look.errors(), "Looking for images") as step:
        found = system_images(images, images_folder, step)
    with prepared(work, payload) as job, LocalSwift(data, root=root, images=found, debug=debug) as local:
        try:
            with local.connect() as cloud:
                if dry_run:
                    click.echo(cloud.explain(job, "application/json"))
                else:
                    perform(cloud, job, wish)
        except Refused as error:
            raise _with_cure(error, found) from error
        finally:
            if debug:
                click.echo(local.log(), err=True, nl=False)


@main.command(
    epilog=examples(
        "zapp serve hello                          then: curl http://127.0.0.1:8000/any/path?any=query",
        "zapp serve hello --port 9000 --data store",
    )
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@where
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Where to listen; 0: anywhere.")
@click.option("--no-reload", is_flag=True, help="Don't look for changes of the zapp's files.")
@click.option("--json", "as_json", is_flag=True, help="Print the folder and the address as JSON.")
def serve(
    folder: Path,
    data: Path,
    root: Path | None,
    images: tuple[str, ...],
    images_folder: Path | None,
    debug: bool,
    port: int,
    no_reload: bool,
    as_json: bool,
) -> None:
    """Serve the zapp of FOLDER at an address of this machine, until Ctrl-C. Every path is the zapp's to answer, but for the
    files of its page. When a file of it changes, the next request meets the new zapp."""
    project = find_root(folder)
    with steps(look.errors(), "Looking for images") as step:
        found = system_images(images, images_folder, step)
    with LocalSwift(data, root=root, images=found, served=SERVED, port=port, debug=debug) as local:

        def put() -> None:
            _deploy(project, local)

        def pause() -> None:
            time.sleep(PAUSE)
            if not local.alive():
                raise LocalError("The server has ended; with --debug it tells what it has logged")

        put()
        url = f"{local.url}/"
        click.echo(simplejson.dumps({"folder": str(project), "url": url}) if as_json else f"Serving {project} at {url}")
        try:
            if no_reload:
                while True:
                    pause()
            else:
                again(project, put, pause)
        except KeyboardInterrupt:
            pass
        finally:
            if debug:
                click.echo(local.log(), err=True, nl=False)


def _with_cure(error: Refused, images: Mapping[str, str]) -> Exception:
    """What was refused, and what the user can do about it, where that is known."""
    missing = next((name for name in RECIPES if name not in images and f"image {name} " in f"{error} "), None)
    return LocalError(f"{error}\nThe option --image {missing} builds that image.") if missing else error


def _deploy(project: Path, local: LocalSwift) -> None:
    """Put the zapp where it is served."""
    with TemporaryDirectory(prefix="zerocloud-") as place, local.connect() as cloud:
        file = packed(project, Path(place))
        credentials = {"version": "0.0", "swiftUrl": local.login.storage_url}
        deploy(cloud, Target(SERVED), file, force=True, credentials=credentials)
        endpoint = f"swift://{ACCOUNT}/{SERVED}/{quote(file.name)}"
        cloud.request("POST", f"/{SERVED}", headers={"X-Container-Meta-Rest-Endpoint": endpoint})


def zvapp() -> None:
    """The command ``zvapp``."""
    main(["run", *sys.argv[1:]], prog_name="zapp")


__all__ = ["main", "zvapp"]
