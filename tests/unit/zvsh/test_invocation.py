"""From words to channels, arguments and environment, and the configuration files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zerocloud.zerovm.manifest import parse, render
from zerocloud.zerovm.tracing import Call, read_calls
from zerocloud.zrt.nvram import Filesystem
from zerocloud.zrt.nvram import parse as parse_nvram
from zerocloud.zrt.nvram import render as render_nvram
from zerocloud.zvsh.chrome import render_chrome
from zerocloud.zvsh.configuration import Configuration, ConfigurationError, Image, Limits, read_configuration
from zerocloud.zvsh.invocation import HostFile, Invocation, read_invocation

DEFAULT = Configuration()


def read(*words: str, images: tuple[Image, ...] = (), configuration: Configuration = DEFAULT) -> Invocation:
    return read_invocation("bin/prog", words, images, configuration, lambda path: "read-only" not in path)


def test_plain_arguments() -> None:
    assert read("one", "two words", "@", "").arguments == ("prog", "one", "two words", "@", "")


def test_files_become_devices() -> None:
    invocation = read("-f", "@data/a.txt", "@/etc/read-only", "@./data/a.txt")
    assert invocation.arguments == ("prog", "-f", "/dev/1.a.txt", "/dev/2.read-only", "/dev/1.a.txt")
    assert invocation.files == (
        HostFile("/dev/1.a.txt", "data/a.txt", True, True),
        HostFile("/dev/2.read-only", "/etc/read-only", True, False),
    )


@pytest.mark.parametrize(("name", "device"), [("a b,c.txt", "/dev/1.a_b_c.txt"), ("x=y", "/dev/1.x_y"), ("d/", "/dev/1.d")])
def test_devices_have_names_that_a_manifest_can_hold(name: str, device: str) -> None:
    assert read(f"@{name}").arguments[1] == device


def test_a_name_that_is_none() -> None:
    with pytest.raises(ConfigurationError):
        read("@/")


def test_variables() -> None:
    configuration = Configuration(env={"HOME": "/", "A": "old"})
    invocation = read("@A=new=er", "@B_2=", "@lower=x", configuration=configuration)
    assert invocation.env == {"HOME": "/", "A": "new=er", "B_2": ""}
    assert invocation.arguments == ("prog", "/dev/1.lower_x")


def test_images_are_counted_with_the_files() -> None:
    images = (Image("i/a.tar"), Image("i/a.tar", "/other"), Image("out.tar", "/result", "wo"))
    invocation = read("@x", images=images)
    assert invocation.mounts == (
        Filesystem("/dev/1.a.tar", "/"),
        Filesystem("/dev/1.a.tar", "/other"),
        Filesystem("/dev/2.out.tar", "/result", "wo"),
    )
    assert [(file.alias, file.readable, file.writable, file.type) for file in invocation.files] == [
        ("/dev/1.a.tar", True, False, 3),
        ("/dev/2.out.tar", False, True, 0),
        ("/dev/3.x", True, True, 3),
    ]


def test_the_texts_can_be_read_back() -> None:
    invocation = read('a "quoted", # thing', "@x", "@NAME=with, all #sorts", images=(Image("i.tar"),))
    nvram = parse_nvram(render_nvram(invocation.nvram()))
    assert nvram.args == (b"prog", b'a "quoted", # thing', b"/dev/2.x")
    assert nvram.env == {b"NAME": b"with, all #sorts"}
    assert nvram.mapping["/dev/stdout"] == "file"
    aliases = ["/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/nvram", "/dev/self", "/dev/1.i.tar", "/dev/2.x"]
    manifest = invocation.manifest(Configuration(timeout=7, limits=Limits(1, 2, 3, 4)), "/p", dict.fromkeys(aliases, "/s"))
    assert parse(render(manifest)) == manifest
    assert [channel.alias for channel in manifest.channels] == aliases
    last = manifest.channels[-1]
    assert (last.gets, last.get_size, last.puts, last.put_size, last.type) == (1, 2, 3, 4, 3)
    assert (manifest.timeout, manifest.memory, manifest.node) == (7, 1 << 32, 1)


@pytest.mark.parametrize("text", ["", ",/x", "a,/,ro,more", "a,relative", "a,/,rw"])
def test_bad_images(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Image.parse(text)


def test_good_images() -> None:
    assert Image.parse("a.tar") == Image("a.tar", "/", "ro")
    assert Image.parse("a.tar,/x,wo") == Image("a.tar", "/x", "wo")


def test_later_files_override(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("[manifest]\nTimeout = 5\nMemory = 0x4000000\n[env]\nHome = /\n[limits]\nreads = 010\n")
    two.write_text("[manifest]\nTimeout = 6\n[fstab]\n/a/Python.tar = /usr ro\n/b.tar = /\n[other]\nx = y\n")
    configuration = read_configuration([str(one), str(tmp_path / "missing"), str(two)])
    assert (configuration.timeout, configuration.memory) == (6, 1 << 26)
    assert configuration.limits == Limits(reads=8)
    assert configuration.env == {"Home": "/"}
    assert configuration.images == (Image("/a/Python.tar", "/usr", "ro"), Image("/b.tar", "/", "ro"))


@pytest.mark.parametrize(
    "text",
    [
        "Timeout = 5\n",
        "[manifest]\nTimeout = soon\n",
        "[limits]\nreads = 0\n",
        "[fstab]\n/a = / ro more\n",
        "[fstab]\n/a = / rw\n",
        "[env]\nA = 1\nA = 2\n",
    ],
)
def test_bad_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "zvsh.cfg"
    path.write_text(text)
    with pytest.raises(ConfigurationError):
        read_configuration([str(path)])


def test_chrome() -> None:
    log = [
        "[12] 0.000000\n",
        "0.000371 [0.000371]: manifest read\n",
        "0.080028 [0.000071]: fd_write(1, 16703200, 2, 16703196) = success in 62.000 us\n",
        "0.081000 [0.000071]: sched_yield() = badf in 1.500 us\n",
        "0.082000 [0.000071]: forged(1) = success in lots us\n",
    ]
    calls = list(read_calls(iter(log)))
    assert calls == [
        Call(0.080028, "fd_write", (1, 16703200, 2, 16703196), "success", 62e-6),
        Call(0.081, "sched_yield", (), "badf", 1.5e-6),
    ]
    first = json.loads(render_chrome(calls))["traceEvents"][0]
    assert (first["name"], first["ph"], first["ts"], first["dur"]) == ("fd_write", "X", 79966.0, 62.0)
    assert first["args"] == {"arguments": [1, 16703200, 2, 16703196], "result": "success"}
