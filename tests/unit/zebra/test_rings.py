from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from swift.common.ring import RingBuilder
from swift.common.ring.ring import RingData

from zerocloud.zebra import rings, settings
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import Settings, Wish


def settled(layout: Layout, base: int, **wish: Any) -> Settings:
    known = settings.settle(layout, Wish(**wish))
    return known.with_ports({server: base + number for number, server in enumerate(known.servers)})


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path)
    layout.prepare()
    return layout


def ring(layout: Layout, name: str) -> RingData:
    return RingData.load(str(layout.etc / f"{name}.ring.gz"))


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 7])
def test_copies_lie_on_different_nodes(layout: Layout, nodes: int) -> None:
    known = settled(layout, 6000, nodes=nodes)
    rings.write(layout, known)
    for name in ("account", "container", "object"):
        data = ring(layout, name)
        assert len(data._replica2part2dev_id) == min(3, nodes)
        for part in range(2**rings.PART_POWER):
            assert len({row[part] for row in data._replica2part2dev_id}) == min(3, nodes)


def test_devices_bear_addresses_and_ports(layout: Layout) -> None:
    known = settled(layout, 6000)
    rings.write(layout, known)
    devices = ring(layout, "object").devs
    assert {device["ip"] for device in devices} == {f"127.0.0.{node}" for node in range(1, 5)}
    for device in devices:
        assert device["port"] == device["replication_port"] == known.ports[f"object-{device['zone']}"]


def test_new_ports_move_no_partition(layout: Layout) -> None:
    rings.write(layout, settled(layout, 6000))
    before = ring(layout, "container")
    rings.write(layout, settled(layout, 7000))
    after = ring(layout, "container")
    assert [list(row) for row in after._replica2part2dev_id] == [list(row) for row in before._replica2part2dev_id]
    assert {device["port"] for device in before.devs}.isdisjoint(device["port"] for device in after.devs)
    assert after.version > before.version


def test_same_ports_change_nothing(layout: Layout) -> None:
    known = settled(layout, 6000)
    rings.write(layout, known)
    builder = layout.etc / "object.builder"
    before = builder.read_bytes()
    (layout.etc / "object.ring.gz").unlink()
    rings.write(layout, known)
    assert builder.read_bytes() == before
    assert ring(layout, "object").version == RingBuilder.load(str(builder)).version


def test_an_erasure_coded_policy_has_a_ring_of_its_own(layout: Layout) -> None:
    known = settled(layout, 6000, nodes=3, ec=True)
    rings.write(layout, known)
    assert len(ring(layout, "object-1")._replica2part2dev_id) == 3
    assert {device["port"] for device in ring(layout, "object-1").devs} == {known.ports[f"object-{node}"] for node in (1, 2, 3)}
