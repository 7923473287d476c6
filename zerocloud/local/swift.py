"""The application in place of Swift's proxy server: accounts, containers and objects over folders and files.

Of Swift's API it has what jobs need, and what one tries by hand: listings, GET with ranges and conditions, HEAD, PUT, POST,
DELETE. What a container is told of itself (metadata, access lists) lasts as long as the process.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import simplejson
from swift.common.swob import HTTPException, HTTPMethodNotAllowed, Request, Response, str_to_wsgi, wsgi_to_str
from swift.common.utils import get_logger

from zerocloud.cli.files import whole_file

from . import listing, metadata
from .names import Folders, NoFileName
from .settings import folders_of

CHUNK = 1 << 16
JSON = "application/json"
DESCRIBES_CONTAINER = ("x-container-", "x-versions-", "x-history-")
STATUS_OF = {
    errno.ENOENT: 404,
    errno.ENOTDIR: 404,
    errno.EACCES: 403,
    errno.EPERM: 403,
    errno.EROFS: 403,
    errno.EISDIR: 409,
    errno.ENOTEMPTY: 409,
    errno.ENAMETOOLONG: 400,
    errno.ENOSPC: 507,
    errno.EDQUOT: 507,
}


class FolderSwift:
    """One for the process."""

    def __init__(self, folders: Folders, logger: Any) -> None:
        """``logger`` is where Swift's helpers look for one, at the end of the pipeline."""
        self.logger = logger
        self._folders = folders
        self._digests = metadata.Digests()
        self._told: dict[Path, dict[str, str]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request for ``/v1/account[/container[/object]]``."""
        request = Request(environ)
        try:
            response = self._answer(request)
        except HTTPException as refused:
            response = refused
        except NoFileName as error:  # nothing can be there, nor be put there
            response = _refusal(400 if request.method == "PUT" else 404, str(error))
        except OSError as error:
            response = _refusal(STATUS_OF.get(error.errno or 0, 500), f"{error.strerror}: {error.filename}")
        answered: Iterable[bytes] = response(environ, start_response)
        return answered

    def _answer(self, request: Any) -> Any:
        version, account, container, name = [*str(wsgi_to_str(request.path_info)).split("/", 4)[1:], "", "", "", ""][:4]
        if not version.startswith("v1") or not account:
            raise _refusal(404, f"{request.path_info} is no path of Swift's")
        kind = "object" if name else "container" if container else "account"
        answer = METHODS.get((request.method, kind))
        if answer is None:
            raise HTTPMethodNotAllowed(request=request)
        return answer(self, request, *filter(None, (account, container, name)))

    # Accounts

    def get_account(self, request: Any, account: str) -> Any:
        """List its containers."""
        try:
            names = listing.containers(self._folders.of_account(account))
        except FileNotFoundError:
            names = []
        wanted = _wanted(request)
        entries = [listing.Entry(name, 0, 0.0) for name in names]
        found = [entry for entry in listing.page(entries, wanted) if isinstance(entry, listing.Entry)]
        told = [{"name": entry.name, "count": 0, "bytes": 0} for entry in found]
        headers = {"X-Account-Container-Count": str(len(names)), "X-Account-Object-Count": "0", "X-Account-Bytes-Used": "0"}
        return _listed(request, [entry.name for entry in found], told, headers)

    # Containers

    def get_container(self, request: Any, account: str, container: str) -> Any:
        """List its objects."""
        folder = self._folders.container(account, container)
        entries = listing.objects(folder)
        found = listing.page(entries, _wanted(request))
        told = [{"subdir": entry} if isinstance(entry, str) else entry.told() for entry in found]
        names = [entry if isinstance(entry, str) else entry.name for entry in found]
        return _listed(request, names, told, {**self._of(folder), **_counted(entries)})

    def head_container(self, request: Any, account: str, container: str) -> Any:
        """What is told of it, and how much is in it."""
        folder = self._folders.container(account, container)
        return Response(status=204, headers={**self._of(folder), **_counted(listing.objects(folder))}, request=request)

    def put_container(self, request: Any, account: str, container: str) -> Any:
        """Make it, unless it is there."""
        folder = self._folders.container(account, container)
        there = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        self._tell(folder, request)
        return Response(status=202 if there else 201, request=request)

    def post_container(self, request: Any, account: str, container: str) -> Any:
        """Keep what the request says of it."""
        folder = self._folders.container(account, container)
        os.stat(folder)
        self._tell(folder, request)
        return Response(status=204, request=request)

    def delete_container(self, request: Any, account: str, container: str) -> Any:
        """Remove it if it is empty."""
        folder = self._folders.container(account, container)
        folder.rmdir()
        self._told.pop(folder, None)
        return Response(status=204, request=request)

    def _tell(self, folder: Path, request: Any) -> None:
        """Keep what a request says of a container."""
        told = self._told.setdefault(folder, {})
        for name, value in request.headers.items():
            if name.lower().startswith(DESCRIBES_CONTAINER):
                told[name] = value

    def _of(self, folder: Path) -> dict[str, str]:
        return {name: value for name, value in self._told.get(folder, {}).items() if value}

    # Objects

    def get_object(self, request: Any, account: str, container: str, name: str) -> Any:
        """Its bytes, or a part of them."""
        path = self._folders.object(account, container, name)
        try:
            file = path.open("rb")
        except IsADirectoryError as error:
            raise FileNotFoundError(errno.ENOENT, "No such object", str(path)) from error
        try:
            return self._told_object(request, file, name)
        except BaseException:
            file.close()
            raise

    def _told_object(self, request: Any, file: IO[bytes], name: str) -> Any:
        status = os.fstat(file.fileno())
        kept = {key: str_to_wsgi(value) for key, value in metadata.read(file, name).items()}
        response = Response(app_iter=_Content(file), headers=kept, request=request, conditional_response=True)
        response.content_length = status.st_size
        response.etag = self._digests.of(file)
        response.last_modified = status.st_mtime
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["X-Timestamp"] = f"{status.st_mtime:.5f}"
        return response

    def put_object(self, request: Any, account: str, container: str, name: str) -> Any:
        """Store it, whole or not at all."""
        folder, path = self._folders.container(account, container), self._folders.object(account, container, name)
        os.stat(folder)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise _refusal(409, f"{error.filename} is a file: no object can lie below it") from error
        with whole_file(path) as file:
            digest = _receive(request, file)
            metadata.write(file.fileno(), _described(request, name))
            file.flush()
            self._digests.tell(file, digest)
        return Response(status=201, headers={"Etag": digest}, request=request)

    def post_object(self, request: Any, account: str, container: str, name: str) -> Any:
        """Describe it anew."""
        path = self._folders.object(account, container, name)
        os.stat(path)
        metadata.write(str(path), _described(request, name))
        return Response(status=202, request=request)

    def delete_object(self, request: Any, account: str, container: str, name: str) -> Any:
        """Remove it."""
        folder, path = self._folders.container(account, container), self._folders.object(account, container, name)
        try:
            path.unlink()
        except IsADirectoryError as error:
            raise FileNotFoundError(errno.ENOENT, "No such object", str(path)) from error
        with suppress(OSError):  # folders that held nothing else go with it
            for parent in path.parents:
                if parent == folder:
                    break
                parent.rmdir()
        return Response(status=204, request=request)


METHODS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("GET", "account"): FolderSwift.get_account,
    ("HEAD", "account"): FolderSwift.get_account,
    ("GET", "container"): FolderSwift.get_container,
    ("HEAD", "container"): FolderSwift.head_container,
    ("PUT", "container"): FolderSwift.put_container,
    ("POST", "container"): FolderSwift.post_container,
    ("DELETE", "container"): FolderSwift.delete_container,
    ("GET", "object"): FolderSwift.get_object,
    ("HEAD", "object"): FolderSwift.get_object,
    ("PUT", "object"): FolderSwift.put_object,
    ("POST", "object"): FolderSwift.post_object,
    ("DELETE", "object"): FolderSwift.delete_object,
}


class _Content:
    """A file's bytes, or a part of them: what swob asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return self.app_iter_range(0, None)

    def app_iter_range(self, start: int, stop: int | None) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``. Closes the file."""
        with self._file:
            self._file.seek(start)
            left = stop - start if stop is not None else None
            while piece := self._file.read(CHUNK if left is None else min(CHUNK, left)):
                left = None if left is None else left - len(piece)
                yield piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _refusal(status: int, text: str) -> Any:
    return HTTPException(body=f"{text}\n", status=status, content_type="text/plain")


def _receive(request: Any, file: IO[bytes]) -> str:
    """Write a request's body; its MD5. Raises HTTPException, and nothing is stored then."""
    md5, size = hashlib.md5(usedforsecurity=False), 0
    while piece := request.environ["wsgi.input"].read(CHUNK):
        md5.update(piece)
        size += len(piece)
        file.write(piece)
    if request.content_length is not None and size != request.content_length:
        raise _refusal(499, "The body ended early")
    digest, wanted = md5.hexdigest(), request.headers.get("Etag", "").strip('"').lower()
    if wanted and wanted != digest:
        raise _refusal(422, f"The body's MD5 is {digest}")
    return digest


def _described(request: Any, name: str) -> dict[str, str]:
    """What a PUT or POST says of an object. A type that its name tells anyhow need not be kept."""
    told = {key: wsgi_to_str(value) for key, value in request.headers.items() if key.lower().startswith(metadata.META)}
    kind = wsgi_to_str(request.headers.get("Content-Type", ""))
    if kind and kind != metadata.guessed_type(name):
        told[metadata.CONTENT_TYPE] = kind
    return told


def _wanted(request: Any) -> listing.Page:
    given: Mapping[str, str] = request.params
    texts = {key: wsgi_to_str(given.get(key, "")) for key in ("prefix", "marker", "end_marker", "delimiter")}
    limit = given.get("limit", "")
    return listing.Page(**texts, limit=min(int(limit), listing.PAGE) if limit.isdigit() else listing.PAGE)


def _counted(entries: list[listing.Entry]) -> dict[str, str]:
    return {
        "X-Container-Object-Count": str(len(entries)),
        "X-Container-Bytes-Used": str(sum(entry.bytes for entry in entries)),
    }


def _listed(request: Any, names: list[str], told: list[dict[str, Any]], headers: Mapping[str, str]) -> Any:
    if request.params.get("format") == "json" or JSON in request.headers.get("Accept", ""):
        return Response(body=simplejson.dumps(told), content_type=JSON, charset="utf-8", headers=headers, request=request)
    text = "".join(f"{name}\n" for name in names).encode()
    plain = Response(status=200 if text else 204, body=text, content_type="text/plain", request=request)
    plain.charset = "utf-8"
    plain.headers.update(headers)
    return plain


def app_factory(global_conf: Mapping[str, str], **local_conf: str) -> FolderSwift:
    """The paste entry point."""
    conf = {**global_conf, **local_conf}
    logger = get_logger(conf, log_route="proxy-server", statsd_tail_prefix="proxy-server")
    return FolderSwift(folders_of(conf), logger)


__all__ = ["FolderSwift", "app_factory"]
