"""What a proxy has read of a zapp is used again for as long as it is that zapp, and for whoever may read it."""

from __future__ import annotations

import gzip
import json

import pytest
from swift.common.swob import HTTPForbidden, Request

from tests.functional.proxyquery.harness import ACCOUNT, device, node, text
from tests.functional.proxyquery.test_deferred import wait_for
from tests.functional.proxyquery.test_ways import GZIP, TAR, archive
from zerocloud.proxyquery.ways import sourced
from zerocloud.sysmap import SwiftPath

PATH = SwiftPath(ACCOUNT, "c", "zapp")


@pytest.fixture
def searched(monkeypatch):
    """The archives that were searched for a map."""
    found, search = [], sourced.find_map

    def find_map(*arguments):
        found.append(arguments)
        return search(*arguments)

    monkeypatch.setattr(sourced, "find_map", find_map)
    return found


def deploy(world, name="first", timestamp="1", kind=TAR):
    """An archive whose node has this name; its bytes."""
    document = json.dumps([node(world, device("stdin"), device("stdout"), name=name)]).encode()
    image = document if kind == "application/json" else archive(boot__system_map=document)
    stored = gzip.compress(image) if kind == GZIP else image
    world.pipeline.put("c/zapp", stored, **{"Content-Type": kind, "X-Timestamp": timestamp})
    return stored


def call(world, body=b"", authorize=None):
    """The status of a call, and the sessions that it made."""
    request = Request.blank(f"/open/{ACCOUNT}/c/zapp", method="POST", body=body)
    if authorize is not None:
        request.environ["swift.authorize"] = authorize
    response = request.get_response(world.filter)
    said = text(response)
    jobs = world.jobs()
    for server in world.servers:
        server.jobs.clear()
    return response.status_int, said, jobs


@pytest.mark.parametrize("kind", [TAR, GZIP])
def test_an_archive_is_searched_once(world, searched, kind):
    image = deploy(world, kind=kind)
    for turn in range(3):
        status, said, (job,) = call(world, b"in %d" % turn)
        assert (status, said) == (200, "")
        assert job.members["image.gz" if kind == GZIP else "image"] == image  # these servers keep nothing
        assert job.members["stdin"] == b"in %d" % turn
    assert len(searched) == 1


def test_a_server_that_has_kept_the_archive_spares_reading_it(world):
    deploy(world)
    (first,) = call(world)[2]
    world.every(images={first.headers["X-Zerovm-Image"]})
    before = world.pipeline.count("GET", "c/zapp")
    status, _, (job,) = call(world)
    assert (status, "image" in job.members) == (200, False)
    assert job.node["channels"][-1]["device"] == "image"
    assert world.pipeline.count("GET", "c/zapp") == before + 1  # which asks whether it has changed


def test_a_map_by_itself_is_known_too(world):
    deploy(world, kind="application/json")
    for _ in range(2):
        status, _, (job,) = call(world)
        assert (status, "image" in job.members) == (200, False)
    assert world.filter._shared().zapps.last(PATH).image == ""


@pytest.mark.parametrize(("name", "timestamp"), [("other", "2"), ("other", "1")])
def test_what_is_deployed_anew_is_served_at_once(world, searched, name, timestamp):
    deploy(world)
    call(world)
    image = deploy(world, name, timestamp)
    _, _, (job,) = call(world)
    assert (job.node["name"], job.members["image"]) == (name, image)
    assert len(searched) == 2


def test_a_post_that_makes_it_something_else_is_noticed(world):
    """Its ETag is the same, its time is not."""
    image = deploy(world)
    call(world)
    world.pipeline.put("c/zapp", image, **{"Content-Type": "text/x-none", "X-Timestamp": "2"})
    assert call(world)[0] == 501


def test_who_may_not_read_it_is_refused_however_well_it_is_known(world):
    deploy(world)
    assert call(world)[0] == 200

    def authorize(request):
        return HTTPForbidden(request=request) if request.method == "GET" and request.path.endswith("/zapp") else None

    assert call(world, authorize=authorize)[0] == 403
    assert call(world)[0] == 200
    del world.pipeline.objects[f"{ACCOUNT}/c/zapp"]
    assert call(world)[0] == 404


def test_what_is_overwritten_before_it_is_sent_ends_the_job(world):
    """Its map is the old one's: neither the new archive nor half of each is run."""
    deploy(world)
    call(world)
    world.every(before=lambda headers: deploy(world, "other", "2") and None)
    status, said, jobs = call(world)
    assert (status, "was overwritten" in said) == (409, True)
    assert not [job for job in jobs if "other" in str(job.members)]
    world.every(before=lambda headers: None)
    assert call(world)[2][0].node["name"] == "other"


def test_a_deferred_job_reads_it_when_its_client_has_gone(world):
    image = deploy(world)
    call(world)
    request = Request.blank(f"/open/{ACCOUNT}/c/zapp", headers={"X-Zerovm-Deferred": "always"})
    job = request.get_response(world.filter).headers["X-Zerovm-Job"]
    wait_for(world, f".zvm/jobs/{job}/result.headers")
    assert [one.members["image"] for one in world.jobs()] == [image]


def test_many_at_once_read_it_once(world):
    """A job of several nodes, on servers of which none has kept it."""
    document = json.dumps([node(world, device("stdout"), count=4)]).encode()
    image = archive(boot__system_map=document)
    world.pipeline.put("c/zapp", image, **{"Content-Type": TAR, "X-Timestamp": "1"})
    for reads in (1, 3):  # once for good; then it is asked for, and read for all of them
        assert [one.members["image"] for one in call(world)[2]] == [image] * 4
        assert world.pipeline.count("GET", "c/zapp") == reads


def test_what_breaks_off_is_not_known(world):
    deploy(world)
    world.pipeline.cut.add(f"{ACCOUNT}/c/zapp")
    assert call(world)[0] == 503
    world.pipeline.cut.clear()
    assert call(world)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Timestamp": "1", "X-Object-Manifest": "c/parts"},
        {"X-Timestamp": "1", "X-Static-Large-Object": "True"},
    ],
)
def test_what_tells_no_version_is_read_each_time(world, searched, headers):
    """Of an object that is made of others, Swift would say that it is unchanged to who may not read those."""
    image = deploy(world)
    world.pipeline.put("c/zapp", image, **{"Content-Type": TAR, **headers})
    for _ in range(2):
        assert call(world)[0] == 200
    assert len(searched) == 2
