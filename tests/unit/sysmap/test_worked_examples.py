"""The worked examples of the system map, section 12."""

from zerocloud.sysmap import SwiftPath

from .store import CDR, RANDOM, group, lines, plan, problem, told


def test_e1_simple():
    found = plan(group("sort", ("stdin", "swift://~/c/o"), "stdout"))
    assert [told(node) for node in found.nodes] == ["1 sort [GET /a/c/o] stdin=swift://a/c/o, stdout"]
    node = found.nodes[0]
    assert node.remote == {"boot": SwiftPath("a", "c", "exe")}
    assert node.channels[1].content_type == "text/html"
    assert (found.total, node.binds, node.connects, node.data_in, node.exe_name) == (1, (), (), False, "sort")


def test_e2_attached_to_what_it_writes():
    found = plan(group("sort", ("stdout", "swift://a/c/o2"), "stderr"))
    assert [told(node) for node in found.nodes] == ["1 sort [PUT /a/c/o2] stdout=swift://a/c/o2, stderr"]
    assert (found.nodes[0].replicate, found.total, found.copies(found.nodes[0])) == (1, 1, (1,))


def test_e3_wildcards_transform_input_names_to_output_names():
    found = plan(group("w", ("stdin", "swift://a/c_in*/in*"), ("stdout", "swift://a/c_out*/out*"), "stderr"))
    assert [told(node) for node in found.nodes] == [
        "1 w-1 [GET /a/c_in1/input1] stdin=swift://a/c_in1/input1, stdout=swift://a/c_out1/output1, stderr",
        "2 w-2 [GET /a/c_in1/input2] stdin=swift://a/c_in1/input2, stdout=swift://a/c_out1/output2, stderr",
        "3 w-3 [GET /a/c_in2/input1] stdin=swift://a/c_in2/input1, stdout=swift://a/c_out2/output1, stderr",
        "4 w-4 [GET /a/c_in2/input2] stdin=swift://a/c_in2/input2, stdout=swift://a/c_out2/output2, stderr",
    ]
    assert [node.wildcards for node in found.nodes] == [("1", "put1"), ("1", "put2"), ("2", "put1"), ("2", "put2")]
    assert [node.channels[0].size for node in found.nodes] == [11, 12, 21, 22]


def test_e4_fewer_output_wildcards_would_write_one_object_twice():
    found = problem(group("w", ("stdin", "swift://a/c_in*/in*"), ("stdout", "swift://a/c_out1/res*")))
    assert found.pointer == "/0/devices/1/path"
    assert found.reason == "swift://a/c_out1/res1 would be written twice: by stdout of w-1 and by stdout of w-2"


def test_e4_more_output_wildcards_than_captures():
    found = problem(group("w", ("stdin", "swift://a/c_in1/in*"), ("stdout", "swift://a/c_out1/*/*")))
    assert found.reason == (
        "Wildcards in input cannot be resolved into output path swift://a/c_out1/*/*: it has 2, but swift://a/c_in1/in* gives 1"
    )


def test_e5_two_wildcard_inputs_pair_up():
    found = plan(group("w", ("stdin", "swift://a/c_in1/in*"), ("input", "swift://a/imgs/i*"), "stdout"))
    assert [told(node) for node in found.nodes] == [
        "1 w-1 [GET /a/c_in1/input1] stdin=swift://a/c_in1/input1, input=swift://a/imgs/i1.tar, stdout",
        "2 w-2 [GET /a/c_in1/input2] stdin=swift://a/c_in1/input2, input=swift://a/imgs/i2.tar, stdout",
    ]
    assert [node.wildcards for node in found.nodes] == [("put1",), ("put2",)]
    assert found.nodes[0].remote == {"boot": SwiftPath("a", "c", "exe"), "input": SwiftPath("a", "imgs", "i1.tar")}


def test_e6_one_match_and_a_fixed_output_are_one_node():
    found = plan(group("w", ("stdin", "swift://a/data/one*"), ("stdout", "swift://a/c/out")))
    assert [told(node) for node in found.nodes] == [
        "1 w-1 [GET /a/data/one.dat] stdin=swift://a/data/one.dat, stdout=swift://a/c/out"
    ]


def test_e6_two_matches_and_a_fixed_output():
    found = problem(group("w", ("stdin", "swift://a/data/x*"), ("stdout", "swift://a/c/out")))
    assert found.reason == "Single path swift://a/c/out for multiple node definition: w, please use wildcard"


def test_e7_output_wildcards_by_count():
    devices = ("stdout", "swift://a/c_out1/r*.txt"), ("stderr", "swift://a/c_out1/*.err")
    found = plan(group("red", *devices, count=2))
    assert [told(node) for node in found.nodes] == [
        "1 red-1 [PUT /a/c_out1/rred-1.txt] stdout=swift://a/c_out1/rred-1.txt, stderr=swift://a/c_out1/red-1.err",
        "2 red-2 [PUT /a/c_out1/rred-2.txt] stdout=swift://a/c_out1/rred-2.txt, stderr=swift://a/c_out1/red-2.err",
    ]
    assert ([node.replicate for node in found.nodes], found.total) == ([1, 1], 2)


def test_e7_output_wildcards_without_count():
    found = plan(group("red", ("stdout", "swift://a/c_out1/*/r*.txt"), ("stderr", "swift://a/c_out1/*.err")))
    assert [told(node) for node in found.nodes] == [
        "1 red [PUT /a/c_out1/red/rred.txt] stdout=swift://a/c_out1/red/rred.txt, stderr=swift://a/c_out1/red.err"
    ]


def test_e8_mesh_with_replicas():
    found = plan(
        group("sort", "stdout", count=3, replicate=2, connect=["merge", "sort"]),
        group("merge", "stdout", count=2, replicate=2),
    )
    assert [(node.id, node.name) for node in found.nodes] == [
        (1, "sort-1"),
        (2, "sort-2"),
        (3, "sort-3"),
        (4, "merge-1"),
        (5, "merge-2"),
    ]
    assert (found.total, [found.copies(node) for node in found.nodes]) == (10, [(1, 6), (2, 7), (3, 8), (4, 9), (5, 10)])
    sort, merge = found.nodes[0], found.nodes[3]
    assert lines(sort.binds) == [
        "tcp:2:0;tcp:7:0,/dev/in/sort-2,0,0,1,2,0,0",
        "tcp:3:0;tcp:8:0,/dev/in/sort-3,0,0,1,2,0,0",
    ]
    assert lines(sort.connects) == [
        "tcp:4:;tcp:9:,/dev/out/merge-1,0,0,0,0,3,4",
        "tcp:5:;tcp:10:,/dev/out/merge-2,0,0,0,0,3,4",
        "tcp:2:;tcp:7:,/dev/out/sort-2,0,0,0,0,3,4",
        "tcp:3:;tcp:8:,/dev/out/sort-3,0,0,0,0,3,4",
    ]
    assert [(bind.device, bind.peers) for bind in merge.binds] == [
        ("in/sort-1", (1, 6)),
        ("in/sort-2", (2, 7)),
        ("in/sort-3", (3, 8)),
    ]
    assert merge.connects == ()
    assert merge.path_info == "/a"


def test_e9_pipeline():
    found = plan(
        group("s1", ("stdin", "swift://./c/o"), ("stdout", "zvm://s2:/dev/stdin")),
        group("s2", ("stdout", "zvm://s3:stdin")),
        group("s3", "stdout"),
    )
    assert [told(node) for node in found.nodes] == ["1 s1 [GET /a/c/o] stdin=swift://a/c/o", "2 s2 [/a] ", "3 s3 [/a] stdout"]
    first, second, third = found.nodes
    assert lines(first.connects) == ["tcp:2:,/dev/stdout,0,0,0,0,3,4"]
    assert lines(second.binds) == ["tcp:1:0,/dev/stdin,0,0,1,2,0,0"]
    assert lines(second.connects) == ["tcp:3:,/dev/stdout,0,0,0,0,3,4"]
    assert lines(third.binds) == ["tcp:2:0,/dev/stdin,0,0,1,2,0,0"]


E10 = (
    ("stdin", "swift://a/c/o"),
    ("image", "swift://a/imgs/i1.tar"),
    ("stdout", "swift://a/c/z"),
    "py",
    ("debug", "tcp://h:5"),
    ("input", "swift://a/c/exe"),
    "stderr",
)


def test_e10_order():
    node = plan(group("n", *E10)).nodes[0]
    assert [channel.device for channel in node.channels] == ["stdin", "input", "image", "stdout", "stderr", "py", "debug"]
    assert (node.access, node.path_info, list(node.remote)) == ("GET", "/a/c/o", ["boot", "input", "image"])
    assert (node.channels[5].access, node.channels[2].access) == (RANDOM, CDR)


def test_e10_attach():
    node = plan(group("n", *E10, attach="stdout")).nodes[0]
    assert (node.access, node.path_info, list(node.remote)) == ("PUT", "/a/c/z", ["boot", "stdin", "input", "image"])


def test_e10_user_image():
    found = problem(group("n", *E10), image=True)
    assert found.reason == "The job brings an image of its own, so n cannot have a device image"
    node = plan(group("n", *(device for device in E10 if device[0] != "image")), image=True).nodes[0]
    assert (node.channels[-1].device, node.channels[-1].access, node.channels[-1].removable) == ("image", CDR, True)


def test_e11_captures_in_device_names():
    reducer = group("r", "stdout")
    found = plan(group("m", ("stdin", "swift://a/c_in1/in*"), ("stdout", "zvm://r:/dev/x-*")), reducer)
    assert [(bind.device, bind.peers) for bind in found.nodes[2].binds] == [("x-put1", (1,)), ("x-put2", (2,))]
    wrong = problem(group("m", ("stdin", "swift://a/c_in1/in*"), ("stdout", "zvm://r:/dev/x-*-*")), reducer)
    assert wrong.reason.startswith("Cannot resolve wildcard for node m-1")


def test_e12_opaque():
    found = plan(group("m", "stderr", count=2, connect=["r"], replicate=3), group("r", "stdout"), network="opaque")
    assert [lines(node.connects) for node in found.nodes] == [
        ["opaque:local|>TX-3-1,/dev/out/r,0,0,0,0,3,4"],
        ["opaque:local|>TX-3-2,/dev/out/r,0,0,0,0,3,4"],
        [],
    ]
    assert lines(found.nodes[2].binds) == [
        "opaque:local|TX-3-1,/dev/in/m-1,0,0,1,2,0,0",
        "opaque:local|TX-3-2,/dev/in/m-2,0,0,1,2,0,0",
    ]
    assert found.total == 3


def test_e13_script():
    script, data = ("script", "swift://a/c/exe"), ("input", "swift://a/c/o")
    assert told(plan(group("n", data, script)).nodes[0]).startswith("1 n [GET /a/c/o] input=")
    assert told(plan(group("n", script, data)).nodes[0]).startswith("1 n [GET /a/c/o] script=")
    assert told(plan(group("n", script)).nodes[0]).startswith("1 n [GET /a/c/exe] script=")
