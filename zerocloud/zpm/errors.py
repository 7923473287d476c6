"""What zpm raises for a user's mistake or a failure that has a name.

CommandError             exit code 1
  ZpmError               all of these
    ZappError            a zapp.yaml with mistakes, each with its line
    BundleError          a zapp can't be made
      DependencyError    a Python package that can't be put into it
    DeployError          a zapp can't be deployed
"""

from __future__ import annotations

from zerocloud.cli.errors import CommandError

__all__ = ["BundleError", "DependencyError", "DeployError", "ZappError", "ZpmError"]


class ZpmError(CommandError):
    """zpm failed; the text says why."""


class ZappError(ZpmError):
    """A zapp.yaml that is none. The text has a line for each mistake: the file, the line, the reason and the cure."""


class BundleError(ZpmError):
    """A zapp can't be made of this folder."""


class DependencyError(BundleError):
    """A Python package can't be put into the zapp."""


class DeployError(ZpmError):
    """A zapp can't be deployed."""
