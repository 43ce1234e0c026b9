"""Suggestions over HTTP beside a route that does nothing, and what the answers are worth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Spread, quantile, table
from benchmarks.judge import Wire, in_reach, mean, shares_term
from benchmarks.running import Caller, Reply

NO_OP = "/livez"
WORTH = (
    "set",
    "asked",
    "share a term with the first peer",
    "items",
    "can meet as offered",
    "offered in person",
    "hits the second time",
)


@dataclass(frozen=True, slots=True)
class Pass:
    """One question to each of some members, each right after a call of the route that does nothing."""

    nothing: tuple[Reply, ...]
    asked: tuple[Reply, ...]

    def ratio(self, share: float) -> float:
        """Return how many times as long a question takes, at this quantile."""
        taken, idle = ([reply.seconds for reply in replies] for replies in (self.asked, self.nothing))
        return quantile(taken, share) / quantile(idle, share)

    def share(self, cache: str) -> float:
        """Return the share of answers whose `cache` says so."""
        return mean(reply.json["cache"] == cache for reply in self.asked)


@dataclass(frozen=True, slots=True)
class AskRound:
    """The same questions to a community that was just imported: the first of all, then cold, then warm."""

    first: Reply
    cold: Pass
    warm: Pass


@dataclass(frozen=True, slots=True)
class Worth:
    """What the answers to some members hold, over all of them."""

    asked: int
    sharing: float
    items: float
    in_person: int
    reachable: float
    hits: float


def measure_suggestions(caller: Caller, asked: Sequence[str], opener: str) -> AskRound:
    """Ask `opener` first, for whom the process loads the community, then each twice."""
    first = caller.suggestions(opener)
    return AskRound(first, _pass(caller, asked), _pass(caller, asked))


def _pass(caller: Caller, asked: Iterable[str]) -> Pass:
    pairs = [(caller.get(NO_OP), caller.suggestions(profile_id)) for profile_id in asked]
    return Pass(tuple(nothing for nothing, _ in pairs), tuple(found for _, found in pairs))


def judge_answers(asked: Sequence[str], measured: AskRound, profiles: Mapping[str, Wire]) -> Worth:
    """Judge the answers by the profiles as they are read back."""
    answers: list[Any] = [reply.json["items"] for reply in measured.cold.asked]
    offered = [(profiles[asker], item) for asker, items in zip(asked, answers, strict=True) for item in items]
    return Worth(
        asked=len(asked),
        sharing=mean(bool(items) and shares_term(items[0]) for items in answers),
        items=mean(len(items) for items in answers),
        in_person=sum("in_person" in item["modes"] for _, item in offered),
        reachable=mean(in_reach(mine, profiles[item["peer"]["id"]], item["modes"]) for mine, item in offered),
        hits=measured.warm.share("hit"),
    )


def latency_table(measured: Mapping[str, Sequence[AskRound]]) -> str:
    """Write how long questions take, as multiples of a route that does nothing."""
    head = ("set", f"`{NO_OP}` ms", "miss, median", "miss, p99", "hit, median", "hit, p99", "first miss s")
    return table(head, (_latency_row(name, rounds) for name, rounds in measured.items()))


def _latency_row(name: str, rounds: Sequence[AskRound]) -> tuple[str, ...]:
    idle = Spread.of(
        1000 * quantile((reply.seconds for reply in round_.warm.nothing), 0.5) for round_ in rounds
    )
    ratios = (
        Spread.of(which.ratio(share) for which in passes).words(1)
        for passes in ([round_.cold for round_ in rounds], [round_.warm for round_ in rounds])
        for share in (0.5, 0.99)
    )
    return (name, idle.words(2), *ratios, Spread.of(round_.first.seconds for round_ in rounds).words(2))


def worth_table(worths: Mapping[str, Worth]) -> str:
    """Write what the answers hold."""
    return table(WORTH, (_worth_row(name, worth) for name, worth in worths.items()))


def _worth_row(name: str, worth: Worth) -> tuple[str, ...]:
    shares = [f"{share:.1%}" for share in (worth.sharing, worth.reachable, worth.hits)]
    in_person = f"{worth.in_person:,}" if worth.in_person else "none placed"
    return (name, f"{worth.asked}", shares[0], f"{worth.items:.1f}", shares[1], in_person, shares[2])
