"""The rings: which devices hold which partition of accounts, containers and objects.

A ring is built once. Later starts only tell it the ports of the day, so that what is stored stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swift.common.ring import RingBuilder

from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import EC_DEVICES, KINDS, Settings, address_of

# 64 partitions: enough to spread over some dozens of nodes, and few enough folders to look through by hand.
PART_POWER = 6
MIN_PART_HOURS = 1


def ring_kinds(settings: Settings) -> Iterator[tuple[str, str, int]]:
    """``(ring, kind of server, replicas)`` for every ring of this Zebra."""
    for kind in KINDS:
        yield kind, kind, settings.replicas
    if settings.ec:
        yield "object-1", "object", EC_DEVICES


def write(layout: Layout, settings: Settings) -> None:
    """Build the rings that are missing; bring the addresses in the others up to date."""
    for ring, kind, replicas in ring_kinds(settings):
        builder_file = layout.etc / f"{ring}.builder"
        if builder_file.exists():
            builder = RingBuilder.load(str(builder_file))
            changed = _set_ports(builder, kind, settings)
        else:
            builder = _build(kind, replicas, settings)
            changed = True
        if changed:
            fresh = builder_file.with_suffix(".new")
            builder.save(str(fresh))
            fresh.replace(builder_file)
        builder.get_ring().save(str(layout.etc / f"{ring}.ring.gz"))


def _build(kind: str, replicas: int, settings: Settings) -> Any:
    builder = RingBuilder(PART_POWER, replicas, MIN_PART_HOURS)
    for node, devices in settings.devices().items():
        for device in devices:
            builder.add_dev(_device(kind, node, device, settings))
    builder.rebalance()
    return builder


def _device(kind: str, node: int, device: str, settings: Settings) -> dict[str, Any]:
    server = f"{kind}-{node}"
    address, port = address_of(server), settings.ports[server]
    place = {"ip": address, "port": port, "replication_ip": address, "replication_port": port}
    return {"region": 1, "zone": node, "device": device, "weight": 100.0, "meta": "", **place}


def _set_ports(builder: Any, kind: str, settings: Settings) -> bool:
    changed = False
    for device in filter(None, builder.devs):
        port = settings.ports[f"{kind}-{device['zone']}"]
        if device["port"] != port:
            device["port"] = device["replication_port"] = port
            changed = True
    if changed:
        builder.version += 1
    return changed
