from __future__ import annotations

from pathlib import Path

from zerocloud.zebra import logview


def test_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert logview.last_lines(log, 3) == []
    log.write_bytes(b"one\ntwo\n\xff\nfour")
    assert logview.last_lines(log, 2) == ["�", "four"]
    assert logview.last_lines(log, 0) == []


def test_follow_sees_what_is_added_and_new_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    first.write_text("old\n")
    lines = logview.follow([first, second])
    with first.open("a") as log:
        log.write("new\n")
    assert next(lines) == (first, "new")
    second.write_text("born\n")
    assert next(lines) == (second, "born")
    lines.close()


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("new, ha")
    tail = logview.Tail(log)
    assert list(tail.lines()) == []
    log.write_text("new, half\nnext\n")
    assert list(tail.lines()) == ["new, half", "next"]
    tail.close()


def test_follow_through_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("")
    tail = logview.Tail(log)
    tail.open(at_end=True)
    log.write_text("last of the old\n")
    log.rename(tmp_path / "a.log.1")
    log.write_text("first of the new\n")
    assert list(tail.lines()) == ["last of the old"]
    assert list(tail.lines()) == ["first of the new"]
    log.unlink()
    assert list(tail.lines()) == []
    assert list(tail.lines()) == []
