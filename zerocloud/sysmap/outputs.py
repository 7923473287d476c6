"""Resolves the paths of outputs, each to be written by one node only. Source: system map, section 5."""

from __future__ import annotations

from .groups import Device
from .inputs import Unplannable
from .paths import SwiftPath, SwiftPattern
from .problems import Problems
from .urls import UrlError, checked_swift_path
from .wildcards import TooFewCaptures


class Outputs:
    """All objects that a job will write."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._writers: dict[SwiftPath, tuple[str, str]] = {}

    def resolve(self, device: Device, node: str, captures: tuple[str, ...] | None, inputs: str) -> SwiftPath:
        """The path that ``node`` writes on ``device``: its ``*`` replaced by the captures, or by the node's name without any.

        ``inputs`` names the paths that the captures come from. Raises Unplannable.
        """
        pattern = device.paths[0]
        if isinstance(pattern, SwiftPattern):
            path = self._fill(device, pattern, node, captures, inputs)
        else:
            assert isinstance(pattern, SwiftPath)
            path = pattern
        writer = self._writers.setdefault(path, (node, device.name))
        if writer != (node, device.name):
            reason = f"{path.url} would be written twice: by {writer[1]} of {writer[0]} and by {device.name} of {node}"
            self._problems.add((*device.pointer, "path"), reason, "Use a * for each * of the input")
            raise Unplannable
        return path

    def _fill(
        self, device: Device, pattern: SwiftPattern, node: str, captures: tuple[str, ...] | None, inputs: str
    ) -> SwiftPath:
        try:
            filled = pattern.fill((node,) * pattern.stars if captures is None else captures)
            if not filled.object:
                raise UrlError(f"No object is left of it: {filled.url}")
            return checked_swift_path(filled.account, filled.container, filled.object)
        except TooFewCaptures:
            has = len(captures or ())
            reason = (
                f"Wildcards in input cannot be resolved into output path {pattern.url}: "
                f"it has {pattern.stars}, but {inputs} gives {has}"
            )
            self._problems.add((*device.pointer, "path"), reason)
        except UrlError as error:
            self._problems.add((*device.pointer, "path"), f"Output path of {node} from {pattern.url}: {error}", error.cure)
        raise Unplannable
