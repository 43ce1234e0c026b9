"""The judge of values: what speaks for two members, in plain loops from the definition."""

import math
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import haversine_distances

from matching import FACETS, Profile, TermModel, normalise
from matching.related import kin

GRAIN, MASK = 2**-16, 2**64 - 1
RADIUS_KM = 6371.0088


def terms(profile: Profile, facet: str) -> set[str]:
    return {normalise(term) for term in getattr(profile, facet)} - {""}


def weight(model: TermModel, facet: str, term: str) -> float:
    """Return the inverse fourth root of the share of members who use a term."""
    members = max(model.members, 3)
    count = max(model.counts.get(facet, {}).get(term, 3), 3)
    return float(1 / math.sqrt(math.sqrt(min(max(count / members, 1 / 4000), 1))))


def rounded(value: Any, grain: float) -> Any:
    return np.rint(np.asarray(value) / grain) * grain


def entries(profile: Profile, facet: str, model: TermModel, stress: float) -> dict[str, float]:
    """Return what of a member's terms stands on which term or column of kin, multiplied and rounded."""
    found: dict[str, float] = {}
    for term in terms(profile, facet):
        right = model.spelling.nearest(term) or term
        whole, slipped = weight(model, facet, right), right != term
        part = whole * (0.8 if slipped else 1)
        own = math.sqrt(1 - sum(share for _, share in kin(right)))
        added = [(right, part * own)]
        added += [(f"kin {column}", part * math.sqrt(share)) for column, share in kin(right)]
        added += [(term, 0.6 * whole)] * slipped
        for column, value in added:
            found[column] = found.get(column, 0) + float(rounded(stress * value, GRAIN))
    return found


def shared_value(a: Profile, b: Profile, facet: str, model: TermModel, weight: float = 1.0) -> float:
    mine, theirs = (entries(one, facet, model, math.sqrt(weight)) for one in (a, b))
    return sum(mine[column] * theirs[column] for column in mine.keys() & theirs.keys())


def point(profile: Profile, model: TermModel, stated: Mapping[str, float] | None) -> np.ndarray:
    """Return a member's point in the latent space, no longer than the longest, all rounded."""
    fitted = model.fitted
    assert fitted is not None
    total, stresses = -fitted.centre, [1.0]
    for facet in FACETS:
        stress = 1.0 if stated is None else math.sqrt(facet_weights(model, stated)[facet])
        stresses.append(stress)
        meant = {model.spelling.nearest(term) or term for term in terms(profile, facet)}
        for at, term in enumerate(fitted.terms[facet]):
            if term in meant:
                total = total + stress * weight(model, facet, term) * fitted.vectors[facet][at]
    length = float(np.linalg.norm(total))
    direction = rounded(total / (length or 1), 2**-11)
    placed: np.ndarray = direction * rounded(min(length, max(stresses) * fitted.longest), 2**-16)
    return placed


def facet_weights(model: TermModel, stated: Mapping[str, float] | None) -> dict[str, float]:
    """Return those stated, with a mean of 1, or those learnt, or ones."""
    if stated is None:
        learnt = np.ones(3) if model.fitted is None else model.fitted.facets
        return dict(zip(FACETS, learnt.tolist(), strict=True))
    full = dict.fromkeys(FACETS, 1.0) | dict(stated)
    mean = sum(full.values()) / 3 or 1
    return {facet: weight / mean for facet, weight in full.items()}


def half(model: TermModel) -> float:
    """Return 0.3 of what a member has in common with their like, on average."""
    counted = [(weight(model, f, term) ** 2, n) for f in FACETS for term, n in model.counts[f].items()]
    rarest = weight(model, "", "") ** 2
    rest = model.terms * model.members - sum(n for _, n in counted)
    total = sum(square * n for square, n in counted) + max(rest, 0) * rarest
    return 0.3 * (total / max(model.members, 1) or rarest)


def norm(profile: Profile, model: TermModel, facets: Iterable[str]) -> float:
    stated = sum(len(terms(profile, facet)) for facet in facets)
    return math.sqrt((100 + stated) / (100 + model.terms))


def worth(
    a: Profile, b: Profile, model: TermModel, stated: Mapping[str, float] | None, facet: str | None
) -> tuple[float, bool]:
    """Return what speaks for two, and whether any terms are shared or kin."""
    facets = FACETS if facet is None else (facet,)
    weights = facet_weights(model, stated) if facet is None else {facet: 1.0}
    shared = sum(shared_value(a, b, one, model, weights[one]) for one in facets)
    norms = norm(a, model, facets) * norm(b, model, facets)
    if facet is not None:
        return shared / norms, shared > 0
    kindred, unit = 0.0, 0.3
    if model.fitted is not None:
        signs, unit = model.fitted.signs.astype(float), model.fitted.near
        kindred = float(np.sum(signs * point(a, model, stated) * point(b, model, stated)))
    return (shared + kindred) / norms + unit * near(a, b), shared > 0


def score(value: float, has_common: bool, middle: float) -> float:
    if not has_common:
        return 0.1 * max(value, 0) / (max(value, 0) + middle)
    far = (value - middle) / middle
    return 0.55 + 0.45 * far / (1 + abs(far))


def code(profile_id: str) -> int:
    return int.from_bytes(blake2b(profile_id.encode(), digest_size=8).digest(), "little")


def splitmix(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def pair_code(one: str, other: str, number: int) -> int:
    return splitmix(code(one) ^ code(other) ^ splitmix(number & MASK))


def has_mode(profile: Profile, mode: str) -> bool:
    if profile.modes is None:
        return mode == ("online" if profile.place is None else "in_person")
    return mode in profile.modes


def kilometres(a: Profile, b: Profile) -> float:
    if a.place is None or b.place is None:
        return math.inf
    points = np.radians([[a.place.lat, a.place.lon], [b.place.lat, b.place.lon]])
    return float(haversine_distances(points)[0, 1] * RADIUS_KM)


def near(a: Profile, b: Profile) -> float:
    km = kilometres(a, b)
    if not (has_mode(a, "in_person") and has_mode(b, "in_person") and km < math.inf):
        return 0.0
    return float(rounded(min(max(1 - math.log(1 + km) / math.log(201), 0.0), 1.0), GRAIN))
