"""Terms that a person would call the same have one normal form; others keep their own."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching import fold, normalise
from matching.terms import distinct


@given(st.text())
@example("ΰ́Ⅷ℡ ﷺ")
@example("İstanbul ıŞIK")
@example("ᾳ\u0345")
@example("и\u200d\u0306 й")
@example("womens peoples movieses")
@example("a\u034f\u0301\u3099")
@example("ﬃ ẞ ŉ ǰ Ĳ")
@example("´s x´")
def test_doing_it_twice_changes_nothing(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once
    assert fold(fold(text)) == fold(text)
    assert fold(once) == once


@given(st.text())
def test_a_normal_form_holds_nothing_that_cannot_be_seen(text: str) -> None:
    form = normalise(text)

    assert form == " ".join(form.split())
    assert unicodedata.is_normalized("NFC", form)
    assert not any(unicodedata.category(char) in ("Cf", "Cc", "Cs", "Zl", "Zp") for char in form)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Board Games", "board  game"),
        ("Ｂｏａｒｄ　ｇａｍｅ", "board game"),
        ("Café", "cafe\u0301"),
        ("CAFÉ", "cafe"),
        ("Straße", "STRASSE"),
        ("Smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
        ("Encyclopædia", "encyclopaedia"),
        ("Cœur", "coeur"),
        ("Đà Nẵng", "da nang"),
        ("İzmir", "izmir"),
        ("yo\u200bga", "yoga"),
        ("yo\u00adga\ufeff", "yoga"),
        ("yoga\ufe0f", "yoga"),
        ("\u3164yoga", "yoga"),
        ("\tyoga\u00a0\u2028mats ", "yoga mat"),
        ("yoga\u2800mat", "yoga mat"),
        ("yo\x00ga", "yoga"),
        ("Σίσυφος", "σισυφοσ"),
        ("ﾊﾞｲｸ", "バイク"),
        ("Rock ’n’ Roll", "rock 'n' roll"),
        ("trip‑hop", "trip-hop"),
        ("ﬁlms", "film"),
        ("①", "1"),
        ("Hobbies", "hobby"),
        ("e-sports", "e-sport"),
    ],
)
def test_two_ways_to_write_a_term_meet(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("й", "и"),
        ("ё", "е"),
        ("バイク", "ハイク"),
        ("क़", "क"),
        ("강", "가"),
        ("c++", "c"),
        ("c#", "c"),
        ("news", "new"),
        ("1990s", "1990"),
        ("🎲", "🎸"),
        ("chess boxing", "chessboxing"),
    ],
)
def test_different_terms_stay_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\u3164\ufe0f", "\x00\x1f", "\u2800", "\u0301", "\ud800", "\U000e0020"]
)
def test_nothing_visible_leaves_nothing(text: str) -> None:
    assert normalise(text) == ""


@pytest.mark.parametrize("emoji", ["🎲", "❤️", "👩‍💻", "🏳️‍🌈", "🇩🇪", "👍🏽", "1️⃣"])
def test_an_emoji_survives_as_a_term(emoji: str) -> None:
    assert normalise(emoji)
    assert normalise(f"{emoji} art") == f"{normalise(emoji)} art"


def test_a_prefix_keeps_its_plural() -> None:
    assert fold("Hobbies") == "hobbies"
    assert normalise("Hobbies") == "hobby"


def test_of_repeats_the_first_spelling_stays() -> None:
    assert distinct(["Hiking", "HIKING", "\u200b", "chess"]) == {"hiking": "Hiking", "chess": "chess"}
