"""The pool of earlier fakes."""

import copy
import io

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from sakuga.losses.memory import ImagePool

CASES = []


def numbered(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).clone()


def numbers(images: Tensor) -> list[float]:
    return images[:, 0, 0, 0].tolist()


def held(pool: ImagePool) -> list[float]:
    return [image[0, 0, 0].item() for image in pool.images]


def test_until_full_images_pass_and_are_kept():
    pool = ImagePool(3)
    assert numbers(pool(numbered(0, 1))) == [0, 1]
    assert numbers(pool(numbered(2))) == [2]
    assert held(pool) == [0, 1, 2]


def test_no_image_is_lost():
    pool = ImagePool(5)
    pool(numbered(0, 1, 2, 3, 4))
    for step in range(5, 100):
        before, fake = held(pool), numbered(step, -step)
        # What was there and what goes in is what comes out and what stays.
        assert sorted(numbers(pool(fake)) + held(pool)) == sorted(before + numbers(fake))
    assert len(pool.images) == 5


def test_half_of_the_images_are_exchanged_for_any_of_the_pool():
    pool = ImagePool(4, seed=1)
    pool(numbered(0, 1, 2, 3))
    count, places = 0, [0, 0, 0, 0]
    for step in range(4, 2004):
        before = held(pool)
        out = numbers(pool(numbered(step)))[0]
        if out != step:
            count += 1
            place = before.index(out)
            places[place] += 1
            assert held(pool)[place] == step
    # 2000 tosses: four standard deviations are 4 √(2000/4) = 89; of a place among about 1000, 4 √(1000·3/16) = 55.
    assert abs(count - 1000) < 90
    assert all(abs(n - count / 4) < 60 for n in places)


def test_images_of_one_batch_go_one_by_one():
    # The pool of one holds 0. Image by image each comes out as it is or as its forerunner in the pool.
    pool = ImagePool(1, seed=3)
    shown = numbers(pool(numbered(*range(50))))
    assert shown[0] == 0
    last = 0
    for number, out in enumerate(shown[1:], 1):
        assert out in (number, last)
        last = number if out == last else last
    assert held(pool) == [last]
    assert last > 0


def test_size_zero_returns_the_input():
    pool, fake = ImagePool(0), numbered(1, 2)
    assert pool(fake).data_ptr() == fake.data_ptr()
    assert held(pool) == []


@pytest.mark.parametrize("size", [0, 1])
def test_no_graph_comes_out_or_stays(size):
    pool, weight = ImagePool(size), torch.ones(1, requires_grad=True)
    for step in range(10):
        assert not pool(weight * numbered(step)).requires_grad
    assert not any(image.requires_grad for image in pool.images)


def test_copies_are_held():
    pool, fake = ImagePool(2), numbered(1, 2)
    pool(fake)
    fake.zero_()
    assert held(pool) == [1, 2]
    for _ in range(20):  # after which both have been exchanged
        fake = numbered(3, 4)
        pool(fake)
        fake.zero_()
    assert set(held(pool)) <= {3, 4}


def test_has_its_own_chance():
    def run(seed: int, noise: int) -> list[float]:
        torch.manual_seed(noise)
        pool = ImagePool(3, seed=seed)
        return [number for step in range(40) for number in numbers(pool(numbered(step)))]

    state = torch.get_rng_state()
    assert run(0, 1) == run(0, 2)
    assert run(0, 1) != run(1, 1)
    torch.set_rng_state(state)
    ImagePool(1)(numbered(1, 2, 3))
    assert_close(torch.get_rng_state(), state)


@pytest.mark.parametrize("before", [2, 20])
def test_resumed_equals_uninterrupted(before):
    whole, first = ImagePool(4, seed=7), ImagePool(4, seed=7)
    for step in range(before):
        whole(numbered(step))
        first(numbered(step))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    snapshot = first.state_dict()
    first(numbered(*range(100, 120)))
    file.seek(0)
    for state in (torch.load(file, weights_only=True), snapshot):
        # A copy, for the second round must start where the first did.
        resumed, go_on = ImagePool(4), copy.deepcopy(whole)
        resumed.load_state_dict(state)
        for step in range(before, before + 30):
            assert numbers(resumed(numbered(step))) == numbers(go_on(numbered(step)))


def test_a_smaller_pool_takes_over_what_it_can_hold():
    large, small = ImagePool(4), ImagePool(2)
    large(numbered(1, 2, 3, 4))
    small.load_state_dict(large.state_dict())
    assert held(small) == [1, 2]


def test_images_of_another_size_begin_anew():
    pool = ImagePool(2)
    pool(numbered(1, 2))
    assert torch.equal(pool(torch.ones(1, 3, 4, 4)), torch.ones(1, 3, 4, 4))
    assert [image.shape for image in pool.images] == [(3, 4, 4)]


def test_what_is_no_batch_of_such_images_is_refused():
    pool = ImagePool(2)
    pool(numbered(1))
    with pytest.raises(ValueError, match="images must have shape"):
        pool(torch.zeros(3, 2, 2))
    with pytest.raises(ValueError, match="size must be 0 or more"):
        ImagePool(-1)


def test_a_pool_that_was_loaded_gives_images_where_they_are_wanted():
    pool = ImagePool(1, seed=0)
    pool(torch.zeros(1, 3, 4, 4))
    shown = [pool(torch.zeros(1, 3, 4, 4, device="meta")) for _ in range(8)]
    assert all(image.device.type == "meta" for image in shown)
