"""Executables are read and sent only where somebody has not seen this version of them."""

import hashlib
import io
import json
import tarfile

import pytest

from tests.functional.proxyquery.harness import device, node
from zerocloud import wire
from zerocloud.sysmap import SwiftPath

FIRST, SECOND = b"\0asm first", b"\0asm second, and larger" * 10000


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def group(world):
    found = node(world, device("stdout"))
    store(world, FIRST, "1")
    return found


def store(world, data, timestamp):
    world.pipeline.put("c/exe", data, **{"X-Timestamp": timestamp})


def sent(world):
    """What the last session got as its program; None if nothing."""
    (job,) = world.jobs()
    for server in world.servers:
        server.jobs.clear()
    return job.members.get("boot")


def test_a_server_that_has_the_program_is_not_sent_it(world, group):
    assert world.post(group).status_int == 200
    assert sent(world) == FIRST
    world.every(programs={digest(FIRST)})
    for _ in range(2):
        assert world.post(group).status_int == 200
        assert sent(world) is None
    assert world.pipeline.count("GET", "c/exe") == 3  # it is asked whether it is still the same


def test_a_server_that_does_not_have_it_is_sent_it(world, group):
    for _ in range(2):
        assert world.post(group).status_int == 200
        assert sent(world) == FIRST
    assert world.pipeline.count("GET", "c/exe") == 3


def test_a_new_version_is_sent_to_whoever_has_the_old_one(world, group):
    world.every(programs={digest(FIRST)})
    assert world.post(group).status_int == 200
    store(world, SECOND, "2")
    sent(world)
    assert world.post(group).status_int == 200
    assert sent(world) == SECOND
    assert world.pipeline.count("GET", "c/exe") == 2


def test_the_same_bytes_at_another_time_are_not_trusted(world, group):
    world.every(programs={digest(FIRST)})
    assert world.post(group).status_int == 200
    store(world, FIRST, "2")
    sent(world)
    assert world.post(group).status_int == 200
    assert sent(world) == FIRST


def test_what_is_overwritten_between_asking_and_sending_fails_the_job(world, group):
    assert world.post(group).status_int == 200

    def overwrite(headers):
        if world.pipeline.count("GET", "c/exe") == 2:
            store(world, SECOND, "2")

    sent(world)
    world.every(before=lambda headers: world.settle() or overwrite(headers))
    answer = world.post(group)
    assert answer.status_int == 409
    assert b"was overwritten while the job ran" in answer.body


def test_a_program_that_went_away_is_told_at_once(world, group):
    assert world.post(group).status_int == 200
    del world.pipeline.objects["AUTH_test/c/exe"]
    answer = world.post(group)
    assert answer.status_int == 404
    assert b"Error 404 Not Found while fetching /AUTH_test/c/exe" in answer.body


def test_who_may_no_longer_read_it_may_not_run_it(world, group):
    assert world.post(group).status_int == 200
    world.every(programs={digest(FIRST)})
    world.pipeline.refuse["AUTH_test/c/exe"] = 403
    assert world.post(group).status_int == 403


@pytest.mark.parametrize("kind", ["X-Static-Large-Object", "X-Object-Manifest"])
def test_what_is_made_of_others_takes_the_right_to_read_them_each_time(world, group, kind):
    """Of such an object Swift says to anybody that it is unchanged."""
    world.pipeline.put("c/exe", FIRST, **{"X-Timestamp": "1", kind: "True"})
    assert world.post(group).status_int == 200
    world.every(programs={digest(FIRST)})
    assert world.filter._shared().programs.last(SwiftPath("AUTH_test", "c", "exe")) is None
    world.pipeline.refuse["AUTH_test/c/exe"] = 403
    assert world.post(group).status_int == 403


def test_what_breaks_off_is_not_remembered(world, group):
    world.pipeline.cut.add("AUTH_test/c/exe")
    assert world.post(group).status_int == 503
    world.pipeline.cut.clear()
    world.every(programs={digest(FIRST), digest(FIRST[: len(FIRST) // 2])})
    assert world.post(group).status_int == 200
    assert world.jobs()[-1].members["boot"] == FIRST


def archive(group):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        data = json.dumps([group]).encode()
        member = tarfile.TarInfo("boot/system.map")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


@pytest.fixture
def zapp(world, group):
    """An archive in the store; its bytes."""
    data = archive(group)
    world.pipeline.put("c/zapp", data, **{"Content-Type": "application/x-tar"})
    return data


def call(world, **headers):
    """Run the zapp, or an archive in the body; what the last session got."""
    assert world.post(**{"X_Zerovm_Source": "swift://~/c/zapp", "body": b"", **headers}).status_int == 200
    (job,) = world.jobs()
    for server in world.servers:
        server.jobs.clear()
    return job


def test_a_server_that_has_the_image_of_a_zapp_is_not_sent_it(world, zapp):
    job = call(world)
    assert (job.members["image"], job.headers[wire.IMAGE]) == (zapp, f"tar:{digest(zapp)}")
    world.every(images={f"tar:{digest(zapp)}"})
    assert "image" not in call(world).members
    assert world.pipeline.count("GET", "c/zapp") == 2  # each time it is read with the rights of the caller


def test_nobody_can_name_an_image_that_he_can_not_read(world, group, zapp):
    theirs = f"tar:{digest(b'of somebody else')}"
    world.every(images={theirs})
    job = call(world, X_Zerovm_Image=theirs)
    assert (job.members["image"], job.headers[wire.IMAGE]) == (zapp, f"tar:{digest(zapp)}")
    posted = {"body": archive(group), "Content_Type": "application/x-tar", "X_Zerovm_Image": theirs}
    assert world.post(**posted).status_int == 200
    (job,) = world.jobs()
    assert job.members["image"] == archive(group)
    assert wire.IMAGE not in job.headers, "what is posted once is not kept"
