"""Swift's log lines into the process's own log file, without syslog.

Swift logs to syslog, and where there is none, by UDP to whoever listens on port 514. It knows one documented way to change
that, the option ``log_custom_handlers``: functions that are called with every logger it makes. :func:`replace_syslog` is one.
The access log's options leave it out, so :func:`redirect_all` also goes once over all loggers when the pipelines stand. Both
only use Python's own ``logging``; no name of Swift's is touched.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler, SysLogHandler
from pathlib import Path
from typing import Any

# Bounds of one process's logs on the disk: the file and one that came before it.
MAX_BYTES = 16 * 1024 * 1024
EARLIER_FILES = 1


class LineFormatter(logging.Formatter):
    """One record to a line, later lines of it indented; with Swift's transaction where the record has one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(server)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """As the class says. Records that were not made by Swift bear their logger's name as ``server``."""
        if not hasattr(record, "server"):
            record.server = record.name
        text = super().format(record)
        transaction = getattr(record, "txn_id", None)
        if transaction and transaction not in text:
            text += f" (txn: {transaction})"
        return text.replace("\n", "\n    ")


class ProcessLog(RotatingFileHandler):
    """The log file of this process. What is printed to standard output and error goes there too, from the start."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=EARLIER_FILES, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(LineFormatter())
        self._take_standard_streams()

    def doRollover(self) -> None:
        """Start a new file when this one is full."""
        super().doRollover()
        self._take_standard_streams()

    def _take_standard_streams(self) -> None:
        if self.stream is not None:
            for descriptor in (1, 2):
                os.dup2(self.stream.fileno(), descriptor)


def open_log(path: Path) -> None:
    """Make ``path`` the log of this process: what the root logger gets, and what is printed."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.addHandler(ProcessLog(path))
    root.setLevel(logging.INFO)


def redirect(logger: logging.Logger) -> None:
    """Let the logger write to the process's log if it wrote to syslog."""
    for handler in list(logger.handlers):
        if isinstance(handler, SysLogHandler):
            logger.removeHandler(handler)
            handler.close()
            # Swift's loggers keep their records from the root logger; its handler is where they belong now.
            logger.propagate = True


def redirect_all() -> None:
    """:func:`redirect` every logger that exists."""
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            redirect(logger)


def replace_syslog(
    conf: Any,
    name: Any,
    log_to_console: Any,
    log_route: Any,
    fmt: Any,
    logger: logging.Logger,
    adapted_logger: Any,
) -> None:
    """Swift's hook ``log_custom_handlers``."""
    redirect(logger)
