"""The console: a web page for everything that people do with a ZeroCloud.

It is a static page (``static/``), written as plain ES modules, that uses nothing but the public HTTP API with its user's token.
``files`` knows what it consists of. The filter ``zero_console`` (``filter``) serves it from the proxy, as Zebra does;
``deploy`` puts it into a container of any Swift. ``editor/`` builds the one file that is not written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["filter_factory"]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], Any]:
    """The paste entry point ``zero_console``. Raises ConfigurationError."""
    # Imported here: only the filter needs Swift, deploying does not.
    from swift.common.registry import register_swift_info

    from .filter import PREFIX, ZeroConsole
    from .settings import Settings

    settings = Settings.read({**global_conf, **local_conf})
    register_swift_info("zero_console", path=f"{PREFIX}/")
    return lambda application: ZeroConsole(application, settings)
