"""One normal form per interest, activity, goal: in comes what a member wrote, out comes what is compared.

Order: decompose, casefold, drop what cannot be seen, strip accents, map a few letters, collapse white space,
compose, and last the English singular, word by word. Doing it twice changes nothing.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from .plurals import singular

# Letters that Unicode does not decompose, and marks that keyboards exchange for one another.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"}
    | dict.fromkeys("‘’ʼ`´", "'")
    | dict.fromkeys("‐‑‒–—−", "-")
)
# Default-ignorable code points that are neither Cf nor Cc: joiner marks, fillers, variation selectors,
# reserved ranges.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_BLANK_BRAILLE = "\u2800"
_WORD = re.compile(r"(?<![\w'])[a-z]{4,}(?![\w'])")


def fold(text: str) -> str:
    r"""Bring a text to normal form but for plurals, so that it can stand as a prefix.

    Examples
    --------
    >>> fold("  Café \u200bCrèmes ")
    'cafe cremes'
    """
    known = text.translate(_LETTERS)
    # Twice, since a letter's decomposition may have upper case in it (™) and a casefold may decompose
    # further.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", known).casefold()).casefold()
    visible = unicodedata.normalize("NFKD", "".join(map(_shown, _IGNORABLE.sub("", plain))))
    letters = "".join(_without_accents(visible)).translate(_LETTERS)
    return unicodedata.normalize("NFC", " ".join(letters.split()))


@lru_cache(maxsize=1 << 17)
def normalise(text: str) -> str:
    r"""Bring a term to the form in which terms are compared; empty if nothing visible is left.

    Examples
    --------
    >>> normalise("Board  GAMES"), normalise("Ｂｏａｒｄ game"), normalise("Straßencafés \u200b")
    ('board game', 'board game', 'strassencafe')
    """
    return _WORD.sub(lambda word: singular(word[0]), fold(text))


def distinct(written: Iterable[str]) -> dict[str, str]:
    """Map each normal form among some terms to its first spelling; what leaves nothing visible is dropped.

    Examples
    --------
    >>> distinct(["Hobbies", "hobby", " "])
    {'hobby': 'Hobbies'}
    """
    spelt: dict[str, str] = {}
    for term in written:
        spelt.setdefault(normalise(term), term)
    spelt.pop("", None)
    return spelt


def _shown(char: str) -> str:
    if char.isspace() or char == _BLANK_BRAILLE:
        return " "
    return "" if unicodedata.category(char) in ("Cf", "Cc", "Cs") else char


def _without_accents(text: str) -> Iterable[str]:
    """Yield the text without Latin and Greek accents; the breve of й makes another letter and stays."""
    cyrillic = False
    for char in text:
        accent = "\u0300" <= char <= "\u036f"
        if accent and not cyrillic:
            continue
        if not accent:
            cyrillic = "\u0400" <= char <= "\u052f"
        yield char
