"""The rights of an account's owner, within the account: what a hook's zapp runs with, whoever made it run."""

from __future__ import annotations

from typing import Any

from swift.common.swob import HTTPForbidden, wsgi_to_str


class OwnersRights:
    """An authorizer (``swift.authorize``) that allows everything in one account and nothing elsewhere."""

    def __init__(self, account: str) -> None:
        self._account = account

    def __call__(self, request: Any) -> Any:
        """None if the request stays in the account, else the response that refuses it."""
        parts = str(wsgi_to_str(request.path_info)).split("/", 3)
        return None if parts[2:3] == [self._account] else HTTPForbidden(request=request)
