"""Acquaintances in common: in comes how many two have and how many each of these knows, out comes a step.

Who knows few people and is known to both says much; who knows everybody says nearly nothing. So each counts
by their share, one by how many they know (resource allocation: Zhou, Lü, Zhang 2009).
"""

WHOLE = 2**20  # shares are whole parts of it, so that their sum is the same in any order
_SOME = WHOLE // 32
_MANY = WHOLE * 3 // 20


def share(known: int) -> int:
    """Return what an acquaintance counts who knows so many people, 1 at least, in parts of `WHOLE`."""
    return WHOLE // known


def step(common: int, shares: int) -> int:
    """Return 0 for none, 1 for some, 2 for many, by how many are in common and the sum of their shares.

    Many are two at least, and together as good as one who knows seven; some are as good as one who knows 32.

    Examples
    --------
    >>> step(0, 0), step(1, share(100)), step(1, share(2)), step(2, share(9) + share(11))
    (0, 0, 1, 2)
    """
    return int(shares >= _SOME) + int(common > 1 and shares >= _MANY)
