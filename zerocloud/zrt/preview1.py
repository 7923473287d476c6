"""WASI preview 1, whole: every function of the specification as a method of one class.

Nothing here knows of wasmtime: a test can call it with a bytearray for memory.
"""

from __future__ import annotations

from .file_calls import FileCalls
from .path_calls import PathCalls
from .poll_calls import PollCalls
from .process_calls import ProcessCalls


class Wasi(FileCalls, PathCalls, PollCalls, ProcessCalls):
    """The system calls of one guest."""
