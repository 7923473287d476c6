from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from zerocloud.sysmap.inputs import cuts


def test_a_whole_object_is_cut_evenly():
    assert list(cuts(25, 10, ())) == [(0, 10), (10, 20), (20, 25)]
    assert list(cuts(0, 10, ())) == [(0, 0)]


def test_large_segments_are_cut_each_by_itself():
    assert list(cuts(25, 10, (12, 13))) == [(0, 10), (10, 12), (12, 22), (22, 25)]


def test_small_segments_share_a_part():
    assert list(cuts(33, 10, (3, 3, 3, 3, 18, 2, 1))) == [(0, 9), (9, 12), (12, 22), (22, 30), (30, 33)]


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(1, 40))
def test_parts_cover_the_object_once_and_stay_within_large_segments(segments, most):
    size = sum(segments)
    found = list(cuts(size, most, segments))
    assert (found[0][0], found[-1][1]) == (0, size)
    assert all(end == start for (_, end), (start, _) in pairwise(found))
    assert all(end - start <= most for start, end in found)
    position, inner = 0, set()
    for segment in segments:
        if 2 * segment >= most:
            inner.update(range(position + 1, position + segment))
            assert {position, position + segment} <= {edge for part in found for edge in part}
        position += segment
