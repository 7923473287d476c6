"""Reads a group's ``exec``. Source: system map, sections 1 and 11."""

from __future__ import annotations

import json
import re

from . import grammar
from .context import Context
from .groups import Program
from .paths import ImagePath, SwiftPath
from .problems import did_you_mean, shown
from .reader import JsonObject
from .urls import USER_IMAGE, UrlError, has_surrogate, parse_url

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ELSEWHERE = {
    **dict.fromkeys(("content_type", "meta", "mode"), '"devices"'),
    **dict.fromkeys(("count", "connect", "timeout", "memory"), "the group"),
}


def has_control(text: str) -> bool:
    """Whether it holds a control character or is not Unicode text."""
    return _CONTROL.search(text) is not None or has_surrogate(text)


def read_program(group: JsonObject, name: str, image: bool, context: Context) -> Program | None:
    """The program of group ``name``, None if it is wrong. ``image``: its nodes have a device ``image``."""
    if not group.get("exec"):
        group.wrong("exec" if "exec" in group else "", f"Must specify exec stanza for {name}")
        return None
    value = group.child("exec")
    if value is None:
        return None
    value.expect_keys(grammar.names(grammar.EXEC), _ELSEWHERE)
    path = _path(value, name, image, context)
    args = _plain_text(value, "args", name)
    own_name = _plain_text(value, "name", name)
    env = _environment(value, name, context)
    return Program(path, args, env, own_name) if path else None


def _plain_text(value: JsonObject, key: str, name: str) -> str:
    text = value.text(key)
    if has_control(text):
        value.wrong(key, f"Invalid nexe property for {name}: control character in {key}")
    return text


def _path(value: JsonObject, name: str, image: bool, context: Context) -> SwiftPath | ImagePath | None:
    text = value.text("path")
    if has_control(text):
        value.wrong("path", f"Invalid nexe property for {name}: control character in path")
    elif text.startswith("zvm:"):
        value.wrong("path", f"Executable path cannot be a zvm path in {name}")
    elif not text:
        value.wrong("path", f"Must specify executable path for {name}")
    else:
        return _checked_path(value, text, name, image, context)
    return None


def _checked_path(value: JsonObject, text: str, name: str, image: bool, context: Context) -> SwiftPath | ImagePath | None:
    try:
        path = parse_url(text, context.account, wildcards=False)
    except UrlError as error:
        value.wrong("path", f"Must specify executable path for {name}: {error}", error.cure)
        return None
    if not isinstance(path, ImagePath) and not (isinstance(path, SwiftPath) and path.object):
        cure = "Write swift://account/container/object or file://image:path"
        value.wrong("path", f"Must specify executable path for {name}: {shown(text)} is no object or file of an image", cure)
        return None
    if has_control(path.url):
        value.wrong("path", f"Invalid nexe property for {name}: control character in path")
    elif isinstance(path, ImagePath):
        _expect_image(value, path, image, context)
    return path


def _expect_image(value: JsonObject, path: ImagePath, image: bool, context: Context) -> None:
    images = context.system_images
    if path.image == USER_IMAGE:
        if not image and not context.image:
            value.wrong("path", f"{shown(path.url)} is a file of the job's image, but the job has none", "Name a system image?")
    elif images is not None and path.image not in images:
        value.wrong("path", f"Unknown image {shown(path.image)} in {shown(path.url)}", did_you_mean(path.image, images))


def _environment(value: JsonObject, name: str, context: Context) -> dict[str, str]:
    environment: dict[str, str] = {}

    def wrong(key: str, reason: str) -> None:
        value.problems.add((*value.pointer, "env", key), reason)

    pairs = list(value.pairs("env"))
    if len(pairs) > context.limits.maxenv:
        value.wrong("env", f"{name} has {len(pairs)} environment variables, the limit is {context.limits.maxenv}")
    for key, item in pairs:
        text = _env_text(item)
        if not key or "=" in key or has_control(key):
            wrong(key, f"Invalid name of an environment variable in {name}: {shown(key)}")
        elif text is None or "\0" in text or has_surrogate(text):
            wrong(key, f"Invalid value of environment variable {shown(key)} in {name}: {shown(item)}")
        elif text:
            environment[key] = text
    return environment


def _env_text(item: object) -> str | None:
    if item is None or isinstance(item, str):
        return item or ""
    if isinstance(item, bool) or not isinstance(item, (int, float)):
        return None
    return None if isinstance(item, int) and item.bit_length() > 128 else json.dumps(item)
