"""The zapps that a proxy knows: bounded in number and in bytes."""

from zerocloud.proxyquery.zapps import Zapp, Zapps
from zerocloud.sysmap import SwiftPath


def path(name):
    return SwiftPath("a", "c", name)


def zapp(size=10):
    return Zapp("etag", "1", "application/json", b"x" * size)


def test_what_was_used_longest_ago_is_forgotten():
    zapps = Zapps(most=2)
    for name in ("one", "two"):
        zapps.remember(path(name), zapp())
    zapps.last(path("one"))
    zapps.remember(path("three"), zapp())
    assert [name for name in ("one", "two", "three") if zapps.last(path(name))] == ["one", "three"]


def test_maps_together_have_a_limit_in_bytes():
    zapps = Zapps(most_bytes=100)
    for name in ("one", "two", "one"):  # the same again takes the place of what was
        zapps.remember(path(name), zapp(50))
    assert zapps.last(path("two")) is not None
    zapps.remember(path("three"), zapp(60))
    assert [name for name in ("one", "two", "three") if zapps.last(path(name))] == ["three"]
    zapps.remember(path("huge"), zapp(101))
    assert zapps.last(path("huge")) is None
    zapps.remember(path("one"), zapp(100))
    assert zapps.last(path("one")) is not None
