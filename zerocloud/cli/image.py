"""``zerocloud image``: system images, built, checked and made ready on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import simplejson

from zerocloud.cli import look
from zerocloud.cli.errors import CommandError, sentence
from zerocloud.cli.group import examples
from zerocloud.cli.waiting import steps
from zerocloud.images import RECIPES, Description, ImageError, build, build_folder, check_image, read_description, shelf
from zerocloud.sysmap.explain import size_text

EPILOG = """\b
Examples:
  zerocloud image list
  zerocloud image build python -o /srv/images/python.tar
  zerocloud image verify /srv/images/python.tar
  zerocloud image install python                 for the playgrounds of this machine: zebra up --image python
  zerocloud image build lua --from lua-5.4 --program bin/lua.wasm
  zerocloud image install lua.tar

On a storage node: put the file there, name it in zerovm_sysimage_devices of the object and container servers' filter (and its
name in that of the proxy's), and have its program compiled ahead with zerovm --compile SOCKET PROGRAM.
"""


json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(epilog=EPILOG)
def command() -> None:
    """System images: interpreters and libraries that programs of every job can use."""


@command.command("list", epilog=examples("zerocloud image list", "zerocloud image list --json"))
@json_option
def list_images(as_json: bool) -> None:
    """What can be built here, and what is on this machine's shelf."""
    found = [_listed(name) for name in shelf.names()]
    if as_json:
        click.echo(simplejson.dumps(found, indent=2))
        return
    for image in found:
        click.echo(f"{image['name']}: " + (f"{image['version']}, {image['path']}" if image["path"] else "not built"))


def _listed(name: str) -> dict[str, str | int | None]:
    with _told():
        path = shelf.image_path(name)
        if not path.exists():
            return {"name": name, "version": None, "size": None, "path": None}
        return _described(read_description(path), path)


@command.command(
    "build",
    epilog=examples(
        "zerocloud image build python -o /srv/images/python.tar",
        "zerocloud image build lua --from lua-5.4 --program bin/lua.wasm --version 5.4",
    ),
)
@click.argument("name", shell_complete=lambda *_: sorted(RECIPES))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The file.  [default: ./NAME.tar]")
@click.option(
    "--from", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder that becomes the image."
)
@click.option("--program", metavar="PATH", help="The WebAssembly module in the folder that sessions run.")
@click.option("--version", default="0", show_default=True, help="What the image of a folder says of its version.")
@json_option
def build_image(name: str, output: Path | None, folder: Path | None, program: str | None, version: str, as_json: bool) -> None:
    """Build an image: one that is known by its name, or that of a folder. The same files give the same bytes."""
    if (folder is None) != (program is None):
        raise click.UsageError("--from and --program belong together")
    if folder is None and name not in RECIPES:
        known = ", ".join(sorted(RECIPES))
        raise click.UsageError(
            f"{name}: there is no recipe for such an image, but for {known}; others are made --from a folder"
        )
    path = output or Path(f"{name}.tar")
    with _told(), steps(look.errors(), f"Building {path}"):
        if folder is not None and program is not None:
            description = build_folder(name, folder, program, path, version)
        else:
            description = build(name, path)
    text = f"{path}: {description.name} {description.version}, {size_text(path.stat().st_size)}"
    click.echo(_as_json(description, path) if as_json else text)


@command.command(epilog=examples("zerocloud image verify /srv/images/python.tar"))
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def verify(image: Path, as_json: bool) -> None:
    """Read all of an image, and compare every member with the image's own description."""
    with _told(), _bar(f"Reading {image.name}", image.stat().st_size) as tell:
        description = check_image(image, tell)
    text = f"{image}: {description.name} {description.version}, {len(description.digests)} members, all as described"
    click.echo(_as_json(description, image) if as_json else text)


@command.command(epilog=examples("zerocloud image install python", "zerocloud image install ./lua.tar"))
@click.argument("image")
@json_option
def install(image: str, as_json: bool) -> None:
    """Have an image, by its name or its FILE, and its compiled program for this machine's playgrounds.

    Python takes a minute or two, once.
    """
    with _told():
        path = _kept(Path(image)) if Path(image).suffix == ".tar" else None
        with steps(look.errors(), f"Building {image}") as step:
            path = path or shelf.fetch(image)
            step(f"Compiling {image}, once for this machine", shelf.expected_seconds(path))
            description = shelf.compile_program(path)
    text = f"{description.name} {description.version} is ready: zebra up --image {description.name}"
    click.echo(_as_json(description, path) if as_json else text)


def _kept(file: Path) -> Path:
    with _bar(f"Reading {file.name}", file.stat().st_size) as tell:
        return shelf.keep(file, tell)


def _as_json(description: Description, path: Path) -> str:
    return str(simplejson.dumps(_described(description, path), indent=2))


def _described(description: Description, path: Path) -> dict[str, str | int | None]:
    return {"name": description.name, "version": description.version, "size": path.stat().st_size, "path": str(path)}


@contextmanager
def _told() -> Iterator[None]:
    """Turns what goes wrong into a sentence."""
    try:
        yield
    except (ImageError, OSError) as error:
        raise CommandError(sentence(error)) from error


@contextmanager
def _bar(title: str, size: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on terminals."""
    with look.progress(look.errors()) as progress:
        task = progress.add_task(title, total=size)
        yield lambda amount: progress.advance(task, amount)
