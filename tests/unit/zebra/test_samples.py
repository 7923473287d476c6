"""The sample configuration in ``etc/`` is the one that Zebra runs, as far as both say the same thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from zerocloud.chain.settings import Settings as ChainSettings
from zerocloud.console.settings import Settings as ConsoleSettings
from zerocloud.objectquery.settings import Settings as ObjectSettings
from zerocloud.proxyquery.settings import Settings as ProxySettings
from zerocloud.queue.settings import Settings as QueueSettings
from zerocloud.zebra import configuration, settings
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.pipelines import PIPELINES
from zerocloud.zebra.settings import Wish

ETC = Path(__file__).parents[3] / "etc"
# Options that are shown with a value to copy, and are empty by default.
EXAMPLES = ("zerovm_sysimage_devices",)
KINDS = ("proxy", "object", "container")


def sample(kind: str) -> ConfigParser:
    parser = ConfigParser()
    parser.read_string((ETC / f"{kind}-server.conf").read_text())
    return parser


@pytest.fixture(scope="module")
def zebra(tmp_path_factory: pytest.TempPathFactory) -> dict[str, configuration.Sections]:
    layout = Layout.at(tmp_path_factory.mktemp("z"))
    known = settings.settle(layout, Wish(nodes=1))
    return dict(configuration.servers(layout, known.with_ports(dict.fromkeys(known.servers, 1))))


@pytest.mark.parametrize("kind", KINDS)
def test_the_pipelines_are_zebra_s(kind: str) -> None:
    assert tuple(sample(kind)["pipeline:main"]["pipeline"].split()) == PIPELINES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_section_names_what_zebra_s_names(kind: str, zebra: dict[str, configuration.Sections]) -> None:
    ours = zebra["proxy" if kind == "proxy" else f"{kind}-1"]
    theirs = sample(kind)
    for name, options in ours.items():
        if name.startswith(("filter:", "app:")) and "use" in options:
            assert theirs[name]["use"] == options["use"]


class Recorder(dict[str, str]):
    """A section that remembers which options it was asked for."""

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize(
    ("kind", "section", "read"),
    [
        ("proxy", "proxy_query", ProxySettings.read),
        ("proxy", "job_chain", ChainSettings.read),
        ("proxy", "zero_queue", QueueSettings.read),
        ("proxy", "zero_console", ConsoleSettings.read),
        ("object", "object_query", ObjectSettings.read),
    ],
)
def test_the_options_that_the_samples_name_exist_and_have_those_defaults(kind: str, section: str, read: Any) -> None:
    text = (ETC / f"{kind}-server.conf").read_text()
    body = text.partition(f"\n[filter:{section}]")[2].partition("\n[")[0]
    named = dict(re.findall(r"^# (\w+) = ?(.*)$", body, re.MULTILINE))
    assert named
    options = Recorder({name: value for name, value in named.items() if name not in EXAMPLES})
    assert read(options) == read({})
    assert set(named) <= options.asked
