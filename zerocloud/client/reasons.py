"""Why a connection failed, in the words of the operating system: requests wraps them three times."""

from __future__ import annotations


def root_reason(error: BaseException) -> str:
    """What is at the bottom of an error of requests: ``Connection refused``; its own text, if there is no more to it."""
    found, inner = str(error), error.__cause__ or error.__context__
    for _ in range(10):
        if inner is None:
            break
        if isinstance(inner, OSError):
            found = inner.strerror or str(inner) or found
        inner = inner.__cause__ or inner.__context__
    return found
