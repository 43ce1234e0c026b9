"""What writing costs an index, and what it costs those who ask meanwhile: in come a matcher and askers."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from typing import Any

import numpy as np

from benchmarks.country import Country
from benchmarks.figures import Spread, quantile
from benchmarks.scans import ALIKE, ON
from matching import Matcher, Profile
from matching.arrays import Growing
from matching.index import TAIL

A_SECOND = 1_000  # members who are added while others ask
ASKING_SECONDS = 2.0
PAUSE_SECONDS = 0.002  # between two questions
BATCH_SECONDS = 0.01  # what came meanwhile is added at once
_APART = ("_packed", "_directions", "_lengths")  # counted by themselves, or dense


@dataclass(frozen=True, slots=True)
class Writing:
    """Hold what writes cost, in milliseconds, and what the index takes, in bytes a member."""

    insert: Spread
    seal: Spread
    rebuild: Spread
    quiet: Spread
    busy: Spread
    ratio: Spread
    pause: float
    longest: float
    index: float
    packed: float


def measure(matcher: Matcher, country: Country, askers: Sequence[Profile], km: float, rounds: int) -> Writing:
    """Rebuild, add and seal, and ask with and without others being added, so many times."""
    fresh = (country.profile(number % len(country), "new") for number in count())
    newcomers = _renamed(fresh)
    rebuilt = [_taken(matcher.compact) for _ in range(rounds)]
    index, packed = _sizes(matcher)
    matcher.update(next(newcomers))
    matcher.suggest(askers[0], ALIKE, on=ON, radius_km=km)  # compiles what reads newcomers
    inserts, seals, quiet, busy, pauses = [], [], [], [], []
    for _ in range(rounds):
        times = [_taken(matcher.update, next(newcomers)) for _ in range(TAIL + 1)]
        inserts.append(float(np.median(times)))
        seals.append(max(times))
        quiet.append(quantile(_asked(matcher, askers, km, iter(()))[0], 0.99))
        answers, longest = _asked(matcher, askers, km, newcomers)
        busy.append(quantile(answers, 0.99))
        pauses.append((max(answers), longest))
    return Writing(
        insert=Spread.of(inserts),
        seal=Spread.of(seals),
        rebuild=Spread.of(rebuilt),
        quiet=Spread.of(quiet),
        busy=Spread.of(busy),
        ratio=Spread.of(one / other for one, other in zip(busy, quiet, strict=True)),
        pause=max(pause for pause, _ in pauses),
        longest=max(longest for _, longest in pauses),
        index=index,
        packed=packed,
    )


def _renamed(profiles: Iterator[Profile]) -> Iterator[Profile]:
    """Give everybody an id of their own."""
    for profile, number in zip(profiles, count(), strict=False):
        yield replace(profile, id=f"{profile.id}.{number}")


def _taken(call: Any, *words: Any) -> float:
    began = time.perf_counter()
    call(*words)
    return 1_000 * (time.perf_counter() - began)


def _asked(
    matcher: Matcher, askers: Sequence[Profile], km: float, newcomers: Iterator[Profile]
) -> tuple[list[float], float]:
    """Ask for some seconds while newcomers are added; return what answers took and the longest write."""
    lock, over, writes = threading.Lock(), threading.Event(), [0.0]

    def write() -> None:
        began, written = time.perf_counter(), 0
        while not over.wait(BATCH_SECONDS):
            due = int((time.perf_counter() - began) * A_SECOND)
            batch = list(islice(newcomers, due - written))
            written = due
            with lock:
                writes.append(_taken(matcher.update, *batch))

    def ask(profile: Profile) -> None:
        with lock:
            matcher.suggest(profile, ALIKE, on=ON, radius_km=km)

    writer, answers = threading.Thread(target=write), list[float]()
    writer.start()
    until = time.perf_counter() + ASKING_SECONDS
    for profile in cycle(askers):
        answers.append(_taken(ask, profile))
        time.sleep(PAUSE_SECONDS)
        if time.perf_counter() > until:
            break
    over.set()
    writer.join()
    return answers, max(writes)


def _sizes(matcher: Matcher) -> tuple[float, float]:
    """Return the bytes a member of the index, without what is dense, and of the packed profiles."""
    index, members = matcher.index_, len(matcher)
    packed = index.roster.__dict__["_packed"]
    return (_bytes_of(index, set()) + packed.ends.nbytes) / members, packed.numbers.nbytes / members


def _bytes_of(thing: Any, seen: set[int]) -> int:
    """Sum the bytes of all arrays that something holds, each once; room that nobody has filled takes none."""
    if isinstance(thing, Growing):
        return int(thing.values.nbytes)
    if isinstance(thing, np.ndarray):
        owner: Any = thing if thing.base is None else thing.base
        fresh = id(owner) not in seen
        seen.add(id(owner))
        return int(owner.nbytes) if fresh else 0
    if isinstance(thing, list | tuple):
        parts = list(thing[:64])  # longer ones are of values, not of arrays
    elif isinstance(thing, dict):
        parts = [one for name, one in thing.items() if name not in _APART] if len(thing) <= 64 else []
    else:
        slots = {name: getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())}
        parts = [{**slots, **getattr(thing, "__dict__", {})}] if _is_ours(thing) else []
    return sum(_bytes_of(one, seen) for one in parts)


def _is_ours(thing: Any) -> bool:
    return type(thing).__module__.startswith("matching.") and not isinstance(thing, Profile)
