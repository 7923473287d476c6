"""Puts the page into a container, as ordinary objects that everybody may read: any Swift then serves it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from zerocloud.client import Connection, Refused

from .files import INDEX, File, page
from .settings import Settings

DEFAULT_CONTAINER = "console"
ANYONE_MAY_READ = ".r:*"


@dataclass(frozen=True)
class Deployed:
    """Where the page is now, and how many of its files had to be stored."""

    url: str
    stored: int


def deploy(cloud: Connection, container: str, settings: Settings) -> Deployed:
    """Store what is missing or has changed. The container becomes readable by everybody: it is to hold nothing but the page.

    Raises ClientError.
    """
    folder = f"/{quote(container, safe='')}"
    cloud.request("PUT", folder, headers={"X-Container-Read": ANYONE_MAY_READ}).close()
    stored = sum(_store(cloud, f"{folder}/{file.name}", file) for file in page(settings))
    return Deployed(f"{cloud.login.storage_url}{folder}/{INDEX}", stored)


def _store(cloud: Connection, path: str, file: File) -> bool:
    if _etag(cloud, path) == file.etag:
        return False
    headers = {"Content-Type": file.media_type, "ETag": file.etag}
    cloud.request("PUT", path, data=file.content, headers=headers).close()
    return True


def _etag(cloud: Connection, path: str) -> str | None:
    try:
        return cloud.request("HEAD", path).headers.get("ETag")
    except Refused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return None
        raise
