"""Cards of any shape: read, or refused in one sentence that names what is wrong; and what is read can be shown."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_style import CARD

from sakuga.errors import SakugaError, UsageError
from sakuga.style import Card
from sakuga.stylizer import Stylizer

WHOLE = json.dumps(CARD)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def read(text: str) -> Card | None:
    """The card, or None where it is refused as it should be."""
    try:
        return Card.from_json(text)
    except SakugaError as error:
        sentence = str(error)
    assert sentence.isprintable()
    assert "card" in sentence
    return None


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(CARD)), ANYTHING, min_size=1, max_size=3))
def test_cards_with_fields_of_anything(changes: dict[str, Any]) -> None:
    card = read(json.dumps({**CARD, **changes}))
    if card is not None:
        assert 1 <= card.multiple <= 1024
        assert 1 <= card.scale <= 16
        assert 0 <= card.receptive_field <= 16384
        card.to_json().encode()
        assert all(isinstance(each["name"], str) for each in card.data)


@settings(max_examples=200, deadline=None)
@given(st.text() | ANYTHING.map(json.dumps) | st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end]))
def test_cards_of_any_text(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000])
def test_a_card_that_json_gives_up_on(text: str) -> None:
    """Depth is no ValueError: it came through as a RecursionError."""
    with pytest.raises(SakugaError, match="not JSON"):
        Card.from_json(text)


@pytest.mark.parametrize("field", ["title", "licence", "system", "version"])
@pytest.mark.parametrize("text", ["\ud800", "\x1b[2J", "two\nlines", "\x9b2J", "\0"])
def test_a_text_that_cannot_be_shown_is_refused(field: str, text: str) -> None:
    """`sakuga styles` prints it: half a surrogate ended it in a traceback, an escape sequence cleared the screen."""
    with pytest.raises(SakugaError, match=f"card's {field} must be a text"):
        Card.from_json(json.dumps({**CARD, field: text}))
    assert read(json.dumps({**CARD, field: "新海 – « été » \u3000🎨"}))


@pytest.mark.parametrize("part", ["name", "licence", "use"])
def test_data_are_told_in_texts(part: str) -> None:
    with pytest.raises(SakugaError, match=r"card's data .* each a text"):
        Card.from_json(json.dumps({**CARD, "data": [{**CARD["data"][0], part: 7}]}))


@pytest.mark.parametrize("field", [16385, 10**30])
def test_a_receptive_field_beyond_reason_is_refused(field: int) -> None:
    """Every tile would be run with the whole picture around it."""
    with pytest.raises(SakugaError, match="card's receptive_field must lie between 0 and 16384"):
        Card.from_json(json.dumps({**CARD, "receptive_field": field}))


@settings(max_examples=100, deadline=None)
@given(
    strength=st.floats() | st.integers(-2, 2),
    max_side=st.none() | st.integers(-5, 5),
    threads=st.none() | st.integers(-5, 5),
)
def test_options_out_of_range_are_wrong_usage(strength: float, max_side: int | None, threads: int | None) -> None:
    allowed = 0 <= strength <= 1 and (max_side is None or max_side >= 1) and (threads is None or threads >= 1)
    try:
        Stylizer("hosoda", strength=strength, max_side=max_side, threads=threads)
    except UsageError:
        assert not allowed
    else:
        assert allowed
