"""The one table of every key in Redis, and the functions that make their names.

All of it can be lost at any moment: slower, never wrong. Everything expires by itself.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

ANSWER_SECONDS = 600
FRONT_SECONDS = 24 * 3600  # a date is in its key
ANSWER_SPREAD = 0.1
PROBE_SECONDS = 5
Kind = Literal["answer", "front"]
LIFETIMES: dict[Kind, float] = {"answer": ANSWER_SECONDS, "front": FRONT_SECONDS}
LONGEST_RATE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class RedisKey:
    """One kind of key: its name with `*` for what varies, its type, the longest it lives, its meaning."""

    pattern: str
    type: Literal["string"]
    lifetime_seconds: float
    meaning: str


KEYS = (
    RedisKey(
        "kith:1:answer:*:*",
        "string",
        ANSWER_SECONDS * (1 + ANSWER_SPREAD),
        "A question's latest answer: its key as JSON, a checksum, the body. Community, hash of the question.",
    ),
    RedisKey(
        "kith:1:front:*:*",
        "string",
        FRONT_SECONDS * (1 + ANSWER_SPREAD),
        "Who stood in front when an answer was computed, likewise. Community, hash of the question.",
    ),
    RedisKey(
        "kith:1:rate:*:*",
        "string",
        LONGEST_RATE_SECONDS,
        "Requests handed out in the current window. Rate; API key, hash of the address, or calendar.",
    ),
    RedisKey(
        "kith:1:probe:*",
        "string",
        PROBE_SECONDS,
        "Nothing: whether Redis can be written to again. Process id.",
    ),
)


def answer_prefix(community: str, kind: Kind = "answer") -> str:
    """Return what the names of a community's answers, or fronts, and no other's, begin with.

    Quoting leaves neither a colon nor a character that means something in a pattern.
    """
    return f"kith:1:{kind}:{quote(community, safe='', errors='backslashreplace')}:"


def answer_name(community: str, digest: str, kind: Kind = "answer") -> str:
    """Return the name of one answer, or front."""
    return answer_prefix(community, kind) + digest


def rate_name(rate: str, key_id: str) -> str:
    """Return the name of the window in which an API key's requests are counted."""
    return f"kith:1:rate:{quote(rate, safe='')}:{quote(key_id, safe='')}"


def probe_name(process_id: int) -> str:
    """Return the name of what a process writes to see whether Redis is back."""
    return f"kith:1:probe:{process_id}"
