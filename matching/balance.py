"""Evening out: in come groups and who is in none, out come fewer small groups and fewer left over.

Whoever is in none is the beginning of a group. A small group draws the member who suits it best out of a
larger one that can spare them.
"""

from collections.abc import Sequence

import numpy as np

from .arrays import FloatArray, IntArray
from .meetable import NO
from .odd_ones import Groups, padded
from .pairs import Asked


def evened_out(asked: Asked, groups: Groups, alone: Sequence[int], size: int) -> tuple[Groups, list[int]]:
    """Let groups of fewer than `size` less one draw members from those of `size` and more.

    Who is in none may draw one from any group of three or more.
    """
    made = [list(group) for group in groups] + [[one] for one in alone]
    owner = np.full(asked.size, -1, np.int64)
    for number, group in enumerate(made):
        owner[group] = number
    sizes = np.array([len(group) for group in made], np.int64)
    for number, group in enumerate(made):
        while len(group) < size - 1:
            spare = size if len(group) > 1 else 3
            drawn = _drawn(asked, group, np.flatnonzero((owner >= 0) & (sizes[owner] >= spare)))
            if drawn is None:
                break
            made[owner[drawn]].remove(drawn)
            sizes[owner[drawn]] -= 1
            group.append(drawn)
            owner[drawn] = number
            sizes[number] += 1
    full: Groups = [tuple(group) for group in made if len(group) > 1]
    return full, [group[0] for group in made if len(group) == 1]


def _drawn(asked: Asked, group: list[int], others: IntArray) -> int | None:
    """Return who of some members suits a group best."""
    able = others[asked.free[others]]
    gains: FloatArray = np.zeros(len(able))
    for member in group:
        scores = asked.members.row(member)[able]
        fits = (scores > NO / 2) & ~asked.repeats(np.full(len(able), member), able)
        able, gains = able[fits], (gains + np.sqrt(np.maximum(scores, 0)))[fits]
    if len(able):
        joined = np.column_stack([np.repeat(padded([group]), len(able), axis=0), able])
        fits = asked.members.share_time(joined)
        able, gains = able[fits], gains[fits]
    return int(able[np.argmax(gains)]) if len(able) else None
