"""The demo reads the answer's headers and body."""

from zerocloud.demo import job


def test_a_row_for_each_node() -> None:
    headers = {
        "X-Nexe-System": "map-1,collect",
        "X-Nexe-Server": "127.0.0.1,127.0.0.2",
        "X-Nexe-Status": "ok,ok",
        "X-Nexe-Cdr-Line": "1.500, 0.250, 0.01 0.02 3 300 1 10 0 0 2 20,0.500, 0.01 0.02 0 0 1 7 4 40 0 0",
    }
    assert job.node_rows(headers) == [
        job.NodeRow("map-1", "127.0.0.1", "ok", 0.25, 300, 20),
        job.NodeRow("collect", "127.0.0.2", "ok", 0.5, 40, 0),
    ]


def test_counts_of_words() -> None:
    assert job.word_counts(b"12 the\n3 a\n") == [("the", 12), ("a", 3)]
