"""``zerocloud image``: system images, built, checked and made ready on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import simplejson

from zerocloud.cli import look
from zerocloud.cli.errors import CommandError
from zerocloud.images import RECIPES, ImageError, build, check_image, read_description, shelf
from zerocloud.sysmap.explain import size_text

EPILOG = """\b
Examples:
  zerocloud image list
  zerocloud image build python -o /srv/images/python.tar
  zerocloud image verify /srv/images/python.tar
  zerocloud image install python                 for the playgrounds of this machine: zebra up --image python

On a storage node: put the file there, name it in zerovm_sysimage_devices of the object and container servers' filter (and its
name in that of the proxy's), and have its program compiled ahead with zerovm --compile SOCKET PROGRAM.
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """System images: interpreters and libraries that programs of every job can use."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_images(as_json: bool) -> None:
    """What can be built here, and what is on this machine's shelf."""
    found = [_listed(name) for name in sorted(RECIPES)]
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
        return {"name": name, "version": read_description(path).version, "size": path.stat().st_size, "path": str(path)}


@command.command("build")
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="The file.  [default: ./NAME.tar]")
def build_image(name: str, output: Path | None) -> None:
    """Build an image. The same packages give the same bytes."""
    path = output or Path(f"{name}.tar")
    with _told(), look.errors().status(f"Building {path} …"):
        description = build(name, path)
    click.echo(f"{path}: {description.name} {description.version}, {size_text(path.stat().st_size)}")


@command.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(image: Path) -> None:
    """Read all of an image, and compare every member with the image's own description."""
    with _told(), _bar(f"Reading {image.name}", image.stat().st_size) as tell:
        description = check_image(image, tell)
    click.echo(f"{image}: {description.name} {description.version}, {len(description.digests)} members, all as described")


@command.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
def install(name: str) -> None:
    """Build an image and compile its program, both for this machine's playgrounds. It takes a minute or two, once."""
    with _told(), look.errors().status(f"Building {name} …") as status:
        path = shelf.fetch(name)
        status.update(f"Compiling {name}: a minute or two, once for this machine …")
        description = shelf.compile_program(path)
    click.echo(f"{description.name} {description.version} is ready: zebra up --image {name}")


@contextmanager
def _told() -> Iterator[None]:
    """Turns what goes wrong into a sentence."""
    try:
        yield
    except (ImageError, OSError) as error:
        raise CommandError(str(error)) from error


@contextmanager
def _bar(title: str, size: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on terminals."""
    with look.progress(look.errors()) as progress:
        task = progress.add_task(title, total=size)
        yield lambda amount: progress.advance(task, amount)
