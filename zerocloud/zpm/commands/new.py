"""``zpm new``."""

from __future__ import annotations

from pathlib import Path

import click
import simplejson

from zerocloud.zpm.new import TEMPLATES, create
from zerocloud.zpm.options import log_level

EPILOG = """\b
Examples:
  zpm new hello                     a Python program
  zpm new hello --with-ui           with a page
  zpm new words --template c        a C program, compiled by zpm bundle
  zpm new api --template rest       a service that answers HTTP
"""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--template", "-t", type=click.Choice(TEMPLATES), default="python", show_default=True, help="What to begin with.")
@click.option("--with-ui", "-u", is_flag=True, help="With a page, for people to run it in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
@log_level
def command(folder: Path, template: str, with_ui: bool, as_json: bool) -> None:
    """Make the folder of a new zapp: DIR, or the current one. It is called what the folder is called."""
    made = create(folder, template, with_ui)
    click.echo(simplejson.dumps({"made": list(map(str, made))}) if as_json else "\n".join(f"Created '{path}'" for path in made))
