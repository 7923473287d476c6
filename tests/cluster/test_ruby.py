"""Programs in Ruby on a cluster with the image: the proof that images are nothing of Python's.

It is made by npm, and its program takes half a minute to compile, once for a machine; both stay on the user's shelf.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, run
from zerocloud.images import ImageError, shelf
from zerocloud.zebra import Zebra

pytestmark = pytest.mark.timeout(600)
SCRIPT = "#!file://ruby:bin/ruby\n"
WARM_ATTEMPTS = 200


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    try:
        shelf.fetch("ruby")
    except ImageError as error:
        pytest.skip(str(error))
    place = tmp_path_factory.mktemp("ruby") / "zebra"
    with Zebra(place, nodes=1, images=("ruby",), together=True, destroy=True) as zebra:
        one = connect(zebra)
        one.put_container("c")
        yield one
        one.close()


def script(client: Client, text: str, path: str = ""):
    return client.request("POST", path, SCRIPT + text, X_Zerovm_Execute="1.0", Content_Type="text/plain")


def test_a_script_reads_every_object_warm(client: Client) -> None:
    for name, text in {"a.txt": "one two two", "b.txt": "three"}.items():
        client.put(f"c/{name}", text)
    text = "puts $stdin.read.split.tally.inspect, $left.inspect\n$left = ENV['PATH_INFO']\n"
    answers = (script(client, text, "c/*.txt") for _ in range(WARM_ATTEMPTS))
    warm = next(answer for answer in answers if answer.headers.get("X-Nexe-Cached") == "true,true")
    assert warm.text == '{"one" => 1, "two" => 2}\nnil\n{"three" => 1}\nnil\n'


def test_arguments_environment_library_and_peers(client: Client) -> None:
    count = "require 'json'\nFile.write('/dev/out/add', JSON.generate($stdin.read.split.tally))\n"
    add = "require 'json'\nall = Dir.children('/dev/in').sort.map { |peer| JSON.parse(File.read(\"/dev/in/#{peer}\")) }\n"
    add += "puts ARGV.inspect, ENV['WHO'], all.reduce { |sum, one| sum.merge(one) { |_, a, b| a + b } }.sort.inspect\n"
    for name, text in {"count.rb": count, "add.rb": add, "1": "a b", "2": "b ü"}.items():
        client.put(f"c/{name}", text)

    def group(name: str, device: dict, **keys: object) -> dict:
        devices = [{"name": "ruby"}, {"name": "script", "path": f"swift://~/c/{name}.rb"}, device]
        return node("file://ruby:bin/ruby", name=name, args='/dev/script two\\x20words \\xff ""', devices=devices, **keys)

    adding = group("add", {"name": "stdout"})
    adding["exec"]["env"] = {"WHO": "me"}
    counting = group("count", {"name": "stdin", "path": ["swift://~/c/1", "swift://~/c/2"]}, connect=["add"])
    answer = run(client, counting, adding)
    assert answer.content.decode() == '["two words", "\\xFF", ""]\nme\n[["a", 1], ["b", 2], ["ü", 1]]\n'


def test_failures_and_exit_codes(client: Client) -> None:
    answer = script(client, "def broken = raise('no way')\nbroken\n")
    assert answer.status_code == 500
    assert "no way (RuntimeError)" in answer.text
    assert "script:2" in answer.text
    assert script(client, "exit 7\n").headers["X-Nexe-Retcode"] == "7"
    answer = script(client, "require 'js'\nJS.eval('1')\n")
    assert answer.status_code == 500, "what only a JavaScript host has ends the program"
