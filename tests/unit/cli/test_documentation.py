"""What the page of the library and the commands names is all there is."""

from __future__ import annotations

import re
from pathlib import Path

from zerocloud import client
from zerocloud.cli.command import COMMANDS

PAGE = (Path(__file__).parents[3] / "doc/client.md").read_text()


def test_every_command_is_described():
    assert not {name for name in COMMANDS if f"`zerocloud {name}" not in PAGE}


def test_every_error_is_described():
    errors = {name for name in client.__all__ if isinstance(getattr(client, name), type) and name != "ClientError"}
    errors = {name for name in errors if issubclass(getattr(client, name), client.ClientError)}
    assert set(re.findall(r"^\| `(\w+)`.*\|", PAGE, re.MULTILINE)) >= errors
