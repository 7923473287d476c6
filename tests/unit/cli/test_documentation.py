"""What the page of the library and the commands names is all there is."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from zerocloud import client
from zerocloud.cli.command import COMMANDS, main

PAGE = (Path(__file__).parents[3] / "doc/client.md").read_text()


def test_every_command_is_described():
    assert not {name for name in COMMANDS if f"`zerocloud {name}" not in PAGE}


@pytest.mark.parametrize("name", ["run", "explain", "self-check"])
def test_every_option_is_described(name):
    command = main.get_command(click.Context(main), name)
    options = [parameter.opts[0] for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option for option in options if f"`{option}" not in PAGE] == []


def test_every_error_is_described():
    errors = {name for name in client.__all__ if isinstance(getattr(client, name), type) and name != "ClientError"}
    errors = {name for name in errors if issubclass(getattr(client, name), client.ClientError)}
    assert set(re.findall(r"^\| `(\w+)`.*\|", PAGE, re.MULTILINE)) >= errors
