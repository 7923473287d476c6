"""Pools, as callers meet them."""

import os
import time

import pytest

from zerocloud.zerovm.client import ServiceLost, ServiceRefused
from zerocloud.zerovm.states import EndState

from .conftest import manifest, memory_file, wait_for

POOLS = ("--pools", "default = WaitPool(2,1); cluster = PriorityPool(1,3)")


def test_slots_queue_and_refusal(service):
    running = service(*POOLS)
    first, second = running.connect(), running.connect()
    first.admit("default", "j1")
    second.admit("default", "j2")
    waiting, output = running.start("hello", extra="JobId=j3\n")
    wait_for(lambda: "Slot not available" in str(refusal(running, "default", "j9")), "the queue is full")
    with pytest.raises(ServiceRefused, match="2 sessions running and 1 waiting"):
        running.connect().admit("default", "j4")
    first.close()
    report, _ = running.finish(waiting, output)
    assert report.end is EndState.EXITED
    running.connect().admit("default", "j4")


def refusal(running, pool, job):
    connection = running.connect()
    try:
        connection.admit(pool, job, timeout=0.2)
    except (ServiceRefused, ServiceLost) as error:
        return error
    finally:
        connection.close()


def test_nodes_of_an_admitted_job_always_get_in(service):
    running = service(*POOLS)
    held = [running.connect() for _ in range(3)]
    held[0].admit("cluster", "j5")
    with pytest.raises(ServiceRefused):
        running.connect().admit("cluster", "j6")
    for connection in held[1:]:
        connection.admit("cluster", "j5")
    waiting = running.connect()
    with pytest.raises(ServiceLost, match=r"0\.2 seconds"):
        waiting.admit("cluster", "j4", timeout=0.2)


def test_an_unknown_pool_is_refused(service):
    with pytest.raises(ServiceRefused, match="Cannot find pool nosuch"):
        service(*POOLS).connect().admit("nosuch", "1")


def test_a_caller_that_vanishes_gives_its_slot_back(service):
    running = service("--pools", "default = WaitPool(1,0)")
    for _ in range(5):
        connection = running.connect()
        wait_for(lambda connection=connection: admitted(connection), "the slot of the one before")
        connection.close()
        assert isinstance(running.run("hello")[0], object)


def admitted(connection):
    try:
        connection.admit("default", "x")
    except ServiceRefused:
        return False
    return True


def test_a_session_keeps_its_slot_until_it_is_dead(service):
    running = service("--pools", "default = WaitPool(1,1)")
    connection, output = running.start("spin")
    waiting, second = running.start("hello")
    time.sleep(0.05)
    connection.close()
    report, text = running.finish(waiting, second)
    assert (report.end, text) == (EndState.EXITED, "hello ")
    os.close(output)


def test_the_client_runs_and_may_close_its_descriptors(service):
    running = service()
    descriptors = [memory_file(running.program), memory_file(b"hello you"), memory_file(b"")]
    with running.connect() as connection:
        connection.admit("default", "7")
        report = connection.run(manifest(), descriptors)
    assert report.startswith((b"2\n0\n7\n", b"0\n0\n7\n"))
    assert os.pread(descriptors[2], 100, 0) == b"hello you"
    for descriptor in descriptors:
        os.close(descriptor)
