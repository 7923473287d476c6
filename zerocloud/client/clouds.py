"""Reads one cloud of a ``clouds.yaml``, OpenStack's file of credentials, as the environment variables that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import LoginError

VERSION_1 = {"auth_url": "ST_AUTH", "username": "ST_USER", "password": "ST_KEY"}
PLACES = ("clouds.yaml", "~/.config/openstack/clouds.yaml", "/etc/openstack/clouds.yaml")
LARGEST = 1 << 20
"""Bytes of a file that may still be one."""


def variables(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The credentials of the cloud ``name``, from the first file that there is. Raises LoginError."""
    path = next(_files(environment), None)
    if path is None:
        raise LoginError(f"OS_CLOUD is {name}, but there is no clouds.yaml here, in ~/.config/openstack or in /etc/openstack")
    clouds = _loaded(path).get("clouds")
    cloud = clouds.get(name) if isinstance(clouds, dict) else None
    if not isinstance(cloud, dict):
        known = ", ".join(sorted(map(str, clouds))) if isinstance(clouds, dict) else ""
        raise LoginError(f"{path} has no cloud {name}" + (f"; it has {known}" if known else ""))
    return _named(cloud)


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    given = environment.get("OS_CLIENT_CONFIG_FILE")
    paths = (Path(place).expanduser() for place in ((given,) if given else PLACES))
    return (path for path in paths if path.is_file())


def _loaded(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = yaml.safe_load(file.read(LARGEST))
    except OSError as error:
        raise LoginError(f"{path} can't be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise LoginError(f"{path} is no YAML: {error}") from error
    return value if isinstance(value, dict) else {}


def _named(cloud: Mapping[str, Any]) -> dict[str, str]:
    auth = cloud.get("auth")
    texts = {key: str(value) for key, value in (auth.items() if isinstance(auth, dict) else ())}
    if cloud.get("auth_type") == "v1password":
        return {VERSION_1[key]: value for key, value in texts.items() if key in VERSION_1}
    others = {key: str(cloud[key]) for key in ("region_name", "identity_api_version", "auth_type") if key in cloud}
    return {f"OS_{key.upper()}": value for key, value in {**texts, **others}.items()}
