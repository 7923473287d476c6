"""``zerocloud explain`` without a cluster: what it tells, and how it tells of mistakes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from zerocloud.cli.command import main

STORED = {"AUTH_x": {"c": {"exe": 10, "o1": 1000, "o2": 5000}}}
INPUT = {"name": "stdin", "path": "swift://~/c/o*"}
JOB = [{"name": "w", "exec": {"path": "swift://~/c/exe"}, "devices": [INPUT, {"name": "stdout"}]}]


@pytest.fixture
def explain(tmp_path):
    def run(job, *words, stored=STORED):
        (tmp_path / "map").write_text(job if isinstance(job, str) else json.dumps(job))
        (tmp_path / "listing").write_text(stored if isinstance(stored, str) else json.dumps(stored))
        listing = ["--listing", str(tmp_path / "listing")] if stored else []
        return CliRunner().invoke(main, ["explain", str(tmp_path / "map"), *listing, *words])

    return run


def test_the_only_account_of_a_listing_is_the_users(explain):
    done = explain(JOB)
    assert done.exit_code == 0, done.output
    assert "stdin=swift://AUTH_x/c/o2 4.9 KiB" in done.output
    assert "read once: 10 B, sent in all: 20 B" in done.output


def test_it_is_told_as_json_and_as_drawings(explain):
    told = json.loads(explain(JOB, "--json").output)
    assert [node["name"] for node in told["nodes"]] == ["w-1", "w-2"]
    assert told == json.loads(explain(JOB, "--format", "json").output)
    assert explain(JOB, "--format", "mermaid").output.startswith("flowchart LR")
    assert explain(JOB, "--format", "graphviz").output.startswith("digraph job {")


def test_a_map_comes_from_standard_input_too():
    job = [{"name": "n", "exec": {"path": "swift://~/c/exe"}, "devices": [{"name": "stdout"}]}]
    done = CliRunner().invoke(main, ["explain", "-", "--account", "me"], input=json.dumps(job))
    assert (done.exit_code, "/me" in done.output) == (0, True)


def test_all_mistakes_are_told_with_their_places(explain):
    done = explain([{**JOB[0], "count": 0, "devces": []}])
    assert done.exit_code == 1
    assert "/0/count: " in done.stderr
    assert 'Did you mean "devices"?' in done.stderr


def test_what_is_stored_may_not_be_known(explain):
    done = explain(JOB, stored=None)
    assert done.exit_code == 1
    assert "give --listing FILE, or --cluster" in done.stderr


@pytest.mark.parametrize("stored", ["{", "[" * 100_000, '{"a": {"c": {"o": -1}}}', '{"a": 1}', "[]"])
def test_a_listing_that_is_none_is_told(explain, stored):
    done = explain(JOB, stored=stored)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: the listing ")


def test_text_that_is_no_map_is_told(explain):
    done = explain("[{")
    assert done.exit_code == 1
    assert "Could not parse system map" in done.stderr


def test_a_listing_is_not_for_clusters(explain):
    done = explain(JOB, "--cluster")
    assert (done.exit_code, "--cluster has its own listing" in done.stderr) == (2, True)


def test_a_cluster_needs_a_login(explain, monkeypatch):
    for name in ("OS_STORAGE_URL", "OS_AUTH_TOKEN", "ST_AUTH", "ST_USER", "ST_KEY", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    done = explain(JOB, "--cluster", stored=None)
    assert (done.exit_code, "zebra env" in done.stderr) == (1, True)
