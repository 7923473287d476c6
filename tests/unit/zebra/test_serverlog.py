from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from logging.handlers import SysLogHandler
from pathlib import Path

import pytest

from zerocloud.zebra import serverlog


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("zebra-test-logger")
    logger.propagate = False
    handler = SysLogHandler(address=("127.0.0.1", 9))
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    handler.close()


def writes_to_syslog(logger: logging.Logger) -> bool:
    return any(isinstance(handler, SysLogHandler) for handler in logger.handlers)


def test_syslog_goes_and_the_root_logger_gets_it(logger: logging.Logger) -> None:
    serverlog.replace_syslog({}, "n", False, "r", "f", logger, None)
    assert not writes_to_syslog(logger)
    assert logger.propagate


def test_all_loggers_are_redirected(logger: logging.Logger) -> None:
    serverlog.redirect_all()
    assert not writes_to_syslog(logger)


def test_other_handlers_stay() -> None:
    logger = logging.getLogger("zebra-test-other")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    serverlog.redirect(logger)
    assert handler in logger.handlers


def record(message: str, **extra: object) -> str:
    made = logging.LogRecord("some.module", logging.INFO, "", 0, message, (), None)
    made.__dict__.update(extra)
    return serverlog.LineFormatter().format(made)


def test_lines() -> None:
    assert record("hello").endswith(" INFO some.module: hello")
    assert record("hello", server="object-1", txn_id="tx1").endswith(" INFO object-1: hello (txn: tx1)")
    assert record("hello tx1", server="object-1", txn_id="tx1").endswith("hello tx1")


def test_a_message_cannot_forge_a_record() -> None:
    assert record("a\n2026-01-01 ERROR all is lost").count("\n2026") == 0


# In a process of its own, since it takes over the standard streams.
SCRIPT = """
import logging, os, sys
from pathlib import Path
from zerocloud.zebra import serverlog
serverlog.open_log(Path(sys.argv[1]))
logging.getLogger().handlers[0].maxBytes = int(sys.argv[2])
for number in range(int(sys.argv[3])):
    logging.getLogger("somebody").info("record %d", number)
os.write(1, b"printed\\n")
print("complained", file=sys.stderr)
"""


def test_records_and_prints_go_to_the_file(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    done = subprocess.run([sys.executable, "-c", SCRIPT, log, "0", "2"], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
    text = log.read_text()
    assert "INFO somebody: record 1" in text
    assert "printed\n" in text
    assert "complained\n" in text


def test_the_files_are_bounded(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    subprocess.run([sys.executable, "-c", SCRIPT, log, "2000", "500"], capture_output=True, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1"]
    assert all(path.stat().st_size <= 2100 for path in tmp_path.iterdir())
    assert "record 499" in log.read_text()
    assert "complained" in log.read_text()
