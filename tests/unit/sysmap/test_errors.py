"""Every row of the table of mistakes: system map, section 11."""

import pytest

from zerocloud.sysmap import SystemMapError, plan_job

from .store import IN, STORE, MemoryListing, context, group, problem, problems

R = group("r", "stdout")


def without(key):
    whole = group("n", "stdout")
    del whole[key]
    return whole


def running(**more):
    return {**group("n", "stdout"), "exec": {"path": "swift://a/c/exe", **more}}


ROWS = [
    # pointer, beginning of the reason, groups
    ("/0", "Must specify node name", [without("name")]),
    ("/0/name", "Must specify node name", [group("")]),
    ("/0/name", "Invalid node name a\\u0007b: it holds a control character", [group("a\x07b", "stdout")]),
    ("/0/name", "Invalid node name a\\u007fb", [group("a\x7fb", "stdout")]),
    ("/0/name", "Invalid node name \\ud800: it holds a control character or is not Unicode text", [group("\ud800", "stdout")]),
    ("/0/name", "Invalid node name a,0,0,9,9: it holds ,", [group("a,0,0,9,9", "stdout")]),
    ("/0/name", "Invalid node name ../a: it holds /", [group("../a", "stdout")]),
    ("/0/name", "Invalid node name ..: it has an empty, . or .. part", [group("..", "stdout")]),
    ("/0/name", "Invalid node name  a: it begins or ends with a blank", [group(" a", "stdout")]),
    ("/0/name", "Invalid node name " + "é" * 65 + ": it has 130 bytes, the limit is 128", [group("é" * 65, "stdout")]),
    ("/0", "Must specify exec stanza for n", [without("exec")]),
    ("/0/exec", "Must specify exec stanza for n", [without("exec") | {"exec": {}}]),
    ("/0/exec", "exec must be an object, not swift://a/c/e", [without("exec") | {"exec": "swift://a/c/e"}]),
    ("/0/exec/path", "Must specify executable path for n", [group("n", "stdout", exe="")]),
    ("/0/exec/path", "Must specify executable path for n: Not a URL: /c/exe", [group("n", "stdout", exe="/c/exe")]),
    ("/0/exec/path", "Must specify executable path for n: swift://a/c is no object", [group("n", "stdout", exe="swift://a/c")]),
    ("/0/exec/path", "Must specify executable path for n: tcp://h:1 is no object", [group("n", "stdout", exe="tcp://h:1")]),
    ("/0/exec/path", "Executable path cannot be a zvm path in n", [group("n", "stdout", exe="zvm://r:/dev/x")]),
    ("/0/exec/path", "Executable path cannot be a zvm path in n", [group("n", "stdout", exe="zvm://r")]),
    ("/0/exec/path", "Invalid nexe property for n", [group("n", "stdout", exe="swift://a/c/e\x01")]),
    ("/0/exec/path", "Invalid nexe property for n", [group("n", "stdout", exe="swift://a/c/e%01")]),
    ("/0/exec/path", "Invalid nexe property for n", [group("n", "stdout", exe="file://py:e%0A")]),
    (
        "/0/exec/path",
        "file://image:e is a file of the job's image, but the job has none",
        [group("n", "stdout", exe="file://e")],
    ),
    ("/0/exec/path", "Unknown image pi in file://pi:e", [group("n", "stdout", exe="file://pi:e")]),
    ("/0/exec/args", "Invalid nexe property for n", [running(args="a\tb")]),
    ("/0/exec/name", "Invalid nexe property for n", [running(name="a\nb")]),
    ("/0/exec/env/A=B", "Invalid name of an environment variable in n: A=B", [running(env={"A=B": "1"})]),
    ("/0/exec/env/A", "Invalid value of environment variable A in n", [running(env={"A": "\0"})]),
    ("/0/exec/env/A", "Invalid value of environment variable A in n", [running(env={"A": [1]})]),
    ("/0/exec/env/A", "Invalid value of environment variable A in n", [running(env={"A": True})]),
    *(("/0/count", "Invalid node count: ", [group("n", "stdout", count=c)]) for c in (0, -1, 1.5, "2", True, [], 10**400)),
    ("/0/count", "Invalid node count: 10001, the limit is 10000 nodes for a job", [group("n", "stdout", count=10001)]),
    ("/0/devices/0/name", "Bad device name: st\\u0001 in n", [group("n", "st\x01")]),
    ("/0/devices/0/name", "Bad device name: nvram in n: it belongs to the executor", [group("n", "nvram")]),
    ("/0/devices/0/name", "Bad device name: self in n: it belongs", [group("n", ("self", "zvm://n:/dev/x"))]),
    ("/0/devices/0", "Must specify device for file in n", [group("n", {"path": "swift://a/c/o"})]),
    ("/0/devices/0/name", "Must specify device for file in n", [group("n", "")]),
    ("/0/devices/0", "A device of n must be an object, not stdout", [{**group("n"), "devices": ["stdout"]}]),
    ("/0/devices", "devices must be a list, not an object", [{**group("n"), "devices": {}}]),
    ("/0/devices/1", "Device stdout is listed twice in n", [group("n", "stdout", "stdout")]),
    ("/0/devices/0/path", "Readable device must be a swift object", [group("n", ("stdin", "file://py:o"))]),
    ("/0/devices/0/path", "Readable device must be a swift object", [group("n", ("input", "tcp://h:1"))]),
    ("/0/devices/0/path", "Device stdin cannot send to another node", [group("n", ("stdin", "zvm://n:/dev/x"))]),
    ("/0/devices/0/path", "Invalid path swift://a in n", [group("n", ("stdin", "swift://a"))]),
    ("/0/devices/0/path", "Invalid path swift://a in n", [group("n", ("stdout", "swift://a/"))]),
    ("/0/devices/0/path", "Container path must be read-only: swift://a/c", [group("n", ("stdout", "swift://a/c"))]),
    ("/0/devices/0/path", "Container path must be read-only: swift://a/c", [group("n", ("image", "swift://a/c"))]),
    ("/0/devices/0/path", "Container path must be read-only: swift://a/c*", [group("n", ("stderr", "swift://a/c*"))]),
    ("/0/devices/0/path", "Writable device must be a swift object, not file://py:o", [group("n", ("stdout", "file://py:o"))]),
    ("/0/devices/0", 'Could not resolve channel path "" for device: image', [group("n", "image")]),
    ("/0/devices/0/path", "Invalid path: swift://*/c/o", [group("n", ("stdin", "swift://*/c/o"))]),
    ("/0/devices/0/path", "Invalid path: swift://b*/c/o", [group("n", ("stdout", "swift://b*/c/o"))]),
    ("/0/devices/0/path", "Error querying object server for account: b", [group("n", ("stdin", "swift://b/c*/o"))]),
    ("/0/devices/0/path", "Error querying object server for container: x", [group("n", ("stdin", "swift://a/x/o*"))]),
    ("/0/devices/0/path", "No objects found in path swift://a/c/nothing*", [group("n", ("stdin", "swift://a/c/nothing*"))]),
    (
        "/0/devices/1/path",
        "Wildcards in input cannot be resolved into output path",
        [group("n", IN, ("stdout", "swift://a/c/*-*"))],
    ),
    (
        "/0/devices/1/path",
        "Single path swift://a/c/o for multiple node definition: n",
        [group("n", IN, ("stdout", "swift://a/c/o"))],
    ),
    ("/0/devices/0/path", "Single path swift://a/c/o for multiple", [group("n", ("stdout", "swift://a/c/o"), count=2)]),
    ("/0/devices/0", "Immediate response is not available for device output", [group("n", "output")]),
    ("/0/devices/0", "Device debug needs a path tcp://host:port", [group("n", "debug")]),
    ("/0/devices/0/path", "Device debug needs a path tcp://host:port", [group("n", ("debug", "swift://a/c/o"))]),
    ("/0/devices/0/path", "Not a host and a port: tcp://h", [group("n", ("debug", "tcp://h"))]),
    ("/0/connect/1", "Non-existing node in connect q", [group("n", "stdout", connect=["r", "q"]), R]),
    ("/0/devices/0", "Non-existing node in connect q", [group("n", ("stdout", "zvm://q:/dev/x"))]),
    ("/0/connect/0", "Cannot bind to itself: n", [group("n", "stdout", connect=["n"])]),
    (
        "/0/devices/0/path",
        "Cannot resolve wildcard for node n",
        [group("n", ("stdout", "zvm://r:/dev/*")), R],
    ),
    ("/0/devices/0/path", "Not a node and a device: zvm://r", [group("n", ("stdout", "zvm://r")), R]),
    ("/0/devices/0/path", "Bad device name: nvram in r", [group("n", ("stdout", "zvm://r:nvram")), R]),
    (
        "/0/devices/0/path",
        "Bad device name: stdout in r: it cannot",
        [group("n", ("stderr", "zvm://r:stdout")), R],
    ),
    (
        "/0/devices/0/path",
        "Bad device name: x,0,0,9,9 in r",
        [group("n", ("stderr", "zvm://r:x,0,0,9,9")), R],
    ),
    (
        "/0/devices/0/path",
        "Bad device name: in/../self in r",
        [group("n", ("stderr", "zvm://r:in/../self")), R],
    ),
    ("", "Config parser cannot resolve any job nodes", []),
    ("/0", "Config parser internal error: a group must be an object, not 5", [5]),
    ("/0", "Unknown key", [group("n", "stdout", devizes=[])]),
]


@pytest.mark.parametrize(("pointer", "reason", "groups"), ROWS)
def test_row(pointer, reason, groups):
    found = problems(*groups)[0]
    assert (found.pointer.removesuffix("/devizes"), found.reason[: len(reason)]) == (pointer, reason)


@pytest.mark.parametrize("document", [None, 5, "x", {}, {"name": "n"}, True, 1.5])
def test_a_map_is_a_list(document):
    with pytest.raises(SystemMapError, match="Config parser internal error: a system map is a list of groups"):
        plan_job(document, context())


def test_listing_mistakes_say_why():
    assert problem(group("n", ("stdin", "swift://a/x/o*"))).reason.endswith("container: x (404 Not Found)")


def test_all_mistakes_at_once():
    found = problems(
        group("n", ("stdin", "swift://a/c/nothing*"), "outptu", "output"),
        group("m", "stdout", count=0, exe="", connect=["q"]),
        group("o", IN, ("stdout", "swift://a/c/x"), connect=["q", "n", "m", "n-1"]),
        group("p", "stdout", connect=["o"]),
    )
    assert [(p.pointer, p.reason.split(":")[0]) for p in found] == [
        ("/0/devices/1/name", 'Could not resolve channel path "" for device'),
        ("/0/devices/2", "Immediate response is not available for device output"),
        ("/1/exec/path", "Must specify executable path for m"),
        ("/1/count", "Invalid node count"),
        ("/2/devices/1/path", "Single path swift"),
        ("/1/connect/0", "Non-existing node in connect q"),
        ("/2/connect/0", "Non-existing node in connect q"),
    ]
    assert found[0].cure == 'Did you mean "output"?'


def test_at_most_twenty_mistakes():
    assert len(problems(*[group("n", "x", "y")] * 50)) == 20


def test_what_a_broken_group_leads_to_is_no_further_mistake():
    found = problems(
        group("n", "stdout", count=0), group("m", "stdout", connect=["n", "n-3"]), group("l", ("stdout", "zvm://n:/dev/x"))
    )
    assert [p.pointer for p in found] == ["/0/count"]


def test_text_and_value():
    with pytest.raises(SystemMapError) as caught:
        plan_job([group("n", ("stdni", "swift://a/c/o")), {"name": "a/b"}], context())
    assert str(caught.value) == (
        '/0/devices/0/name: Unknown device stdni. Did you mean "stdin"?\n'
        "/1/name: Invalid node name a/b: it holds /\n"
        "/1: Must specify exec stanza for a/b"
    )
    assert caught.value.to_value()["problems"][0] == {
        "pointer": "/0/devices/0/name",
        "reason": "Unknown device stdni",
        "cure": 'Did you mean "stdin"?',
    }


CURES = [
    ('It belongs into "exec"', {"args": "x"}),
    ('Did you mean "connect"?', {"conect": []}),
    ('Did you mean "devices"?', {"device": []}),
    ('It belongs into "devices"', {"meta": {}}),
    ('Did you mean "continue"?', {"on_error": "contine"}),
    ('Write ["r"]', {"connect": "r"}),
    ('It is a whole number above 0, or "auto"', {"count": "Auto"}),
]


@pytest.mark.parametrize(("cure", "more"), CURES)
def test_cures_for_groups(cure, more):
    assert problem({**group("n", "stdout"), **more}).cure == cure


@pytest.mark.parametrize(
    ("path", "cure"),
    [
        ("/c/o", 'Write "swift://~/c/o"?'),
        ("c/o", "URLs begin with swift://, file://, zvm://, tcp://, udp://"),
        ("swfit://a/c/o", 'Did you mean "swift"?'),
        ("SWIFT://a/c/o", 'Did you mean "swift"?'),
        ("cache://e/a/c/o", ""),
        ("swift:///c/o", "Write swift://~/container/object for your own account"),
        ("swift://a/c/100%", 'Write "%25" for the character itself'),
        ("swift://a/c/a\nb", "Percent-encode it"),
    ],
)
def test_cures_for_paths(path, cure):
    found = problem(group("n", ("stdin", path)))
    assert (found.pointer, found.cure) == ("/0/devices/0/path", cure)


def test_nothing_is_listed_for_a_group_with_a_mistake():
    listing = MemoryListing(STORE)
    problems(group("n", IN, "nonsense"), listing=listing)
    assert listing.asked == []
