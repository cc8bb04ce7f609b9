import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakuga.stylizer.tiles import cut, plan


def test_by_hand():
    """Ten rows in tiles of about four with a margin of two that must be multiples of two: 0-4, 4-8, 8-10."""
    tiles = list(plan(10, 3, tile=4, margin=1, multiple=2, scale=2))
    assert [(t.outer[0].start, t.outer[0].stop) for t in tiles] == [(0, 6), (2, 10), (6, 10)]
    assert [(t.core[0].start, t.core[0].stop) for t in tiles] == [(0, 8), (4, 12), (4, 8)]
    assert [(t.inner[0].start, t.inner[0].stop) for t in tiles] == [(0, 8), (8, 16), (16, 20)]
    assert {(t.outer[1].start, t.outer[1].stop, t.pad) for t in tiles} == {(0, 3, (0, 1))}


def test_without_a_tile_it_is_one_piece():
    (whole,) = plan(5, 70, multiple=4, smallest=64)
    assert whole == ((slice(0, 5), slice(0, 70)), (59, 2), (slice(0, 5), slice(0, 70)), (slice(0, 5), slice(0, 70)))


sides, multiples = st.integers(1, 600), st.sampled_from([1, 3, 4, 16])


@given(sides, sides, st.integers(16, 300), st.integers(0, 50), multiples, st.integers(1, 80), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_every_pixel_comes_once_and_sees_its_surroundings(height, width, tile, margin, multiple, smallest, scale):
    seen = np.zeros((height * scale, width * scale), int)
    for one in plan(height, width, tile=tile, margin=margin, multiple=multiple, smallest=smallest, scale=scale):
        seen[one.inner] += 1
        for i, length in enumerate((height, width)):
            outer, core, inner = one.outer[i], one.core[i], one.inner[i]
            full = -(-max(length, smallest) // multiple) * multiple
            size = outer.stop - outer.start + one.pad[i]
            assert outer.start % multiple == size % multiple == 0
            assert core.stop - core.start == inner.stop - inner.start <= (tile + multiple) * scale
            assert core.start == inner.start - outer.start * scale
            assert inner.start // scale - outer.start >= min(margin, inner.start // scale)
            assert outer.start + size - inner.stop // scale >= min(margin, full - inner.stop // scale)
    assert (seen == 1).all()


@given(st.integers(20, 90), st.integers(20, 90), st.sampled_from([4, 8]))
@settings(max_examples=50, deadline=None)
def test_tiles_are_cut_from_the_reflected_picture(height, width, multiple):
    """Also where one reaches over the border by less than its margin."""
    image = np.random.default_rng(0).random((height, width, 2))
    full = [-(-side // multiple) * multiple for side in (height, width)]
    padded = np.pad(image, ((0, full[0] - height), (0, full[1] - width), (0, 0)), mode="reflect")
    for one in plan(height, width, tile=16, margin=1, multiple=multiple):
        rows, columns = (slice(o.start, o.stop + pad) for o, pad in zip(one.outer, one.pad, strict=True))
        np.testing.assert_array_equal(cut(image, one), padded[rows, columns])


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (9, 7, 2, 2)])
def test_any_array_that_begins_with_rows_and_columns(shape):
    (whole,) = plan(9, 7, multiple=8)
    assert cut(np.zeros(shape), whole).shape == (16, 8, *shape[2:])
