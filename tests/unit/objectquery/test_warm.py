"""What one worker knows of its warm guests, with an executor service and images that only pretend."""

import io
import logging
import os
from contextlib import contextmanager

import pytest
from swift.common.concurrency import sleep

from zerocloud.images.archive import Description, Warm
from zerocloud.objectquery import warm
from zerocloud.objectquery.manifest_maker import Limits
from zerocloud.objectquery.warm import WarmGuests
from zerocloud.wire import NodeDescription
from zerocloud.zerovm.report import Report

DESCRIPTION = Description("tools", "1", "bin/tool", ("before",), (Warm(("up",)),))
NODE = NodeDescription(id=1, name="n", exe="file://tools:bin/tool", exe_name="n", channels=())


class Images:
    """One image, ``tools``; ``trouble`` is what reading it raises."""

    names = frozenset(("tools",))

    def __init__(self):
        self.trouble = None

    def identity(self, name):
        return (1, 2, 3, 4)

    def open(self, name):
        return self.program(name, "")

    def program(self, name, path):
        if self.trouble:
            raise self.trouble
        return content(DESCRIPTION.to_json())


class Executor:
    """A service without frozen guests, which counts the sessions that should become one, and answers with ``report``."""

    def __init__(self):
        self.report = Report()
        self.sessions = 0

    @contextmanager
    def connected(self):
        yield self

    @contextmanager
    def alone(self, work):
        yield True

    def frozen(self, name):
        return False

    def compile(self, program, timeout):
        pass

    def run(self, manifest, descriptors):
        self.sessions += 1
        return self.report.render()


def content(data):
    file = io.FileIO(os.memfd_create("content", os.MFD_CLOEXEC), "r+")
    file.write(data)
    return file


@pytest.fixture
def images():
    return Images()


@pytest.fixture
def executor():
    return Executor()


@pytest.fixture
def guests(images, executor):
    return WarmGuests(executor, images, Limits(11, 12, 13, 64 << 20, 60), logging.getLogger("test"))


def begin(guests):
    """Ask for a guest, and wait until that has been tried, if it is."""
    guests.begin(guests._form("tools", DESCRIPTION, DESCRIPTION.warm[0]))
    sleep(0)


def test_an_image_that_could_not_be_read_once_is_read_again(guests, images):
    images.trouble = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        guests.description(NODE)
    guests.awaken()
    sleep(0)
    images.trouble = None
    assert guests.description(NODE).prelude == ("before",)


def test_a_kind_that_could_not_be_warmed_up_is_left_alone_for_a_while(guests, executor, monkeypatch):
    executor.report = Report(retcode=1, state="out of memory: it has 64 MiB")
    for _ in range(3):
        begin(guests)
    assert executor.sessions == 1
    monkeypatch.setattr(warm, "PAUSE_SECONDS", -1.0)
    begin(guests)
    assert executor.sessions == 2


def test_one_that_is_gone_is_made_again_at_once(guests, executor):
    executor.report = Report(daemon=1)
    form = guests._form("tools", DESCRIPTION, DESCRIPTION.warm[0])
    for number in range(3):
        begin(guests)
        assert guests.is_running(form)
        assert guests.missed(form, Report(state=f"daemon {form.name}: it died"))
        assert executor.sessions == number + 1
