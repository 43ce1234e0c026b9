"""Events: what happens is told once to who asked, by id alone; an erasure takes its member out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from service.storage.tables import deliveries, mentions
from service.worker import work_once
from tests.harness import NDJSON, Kith
from tests.hooks import deliver, hook, module_kith, module_receiver, receiver
from tests.receiver import Receiver
from tests.tenants import TestClock, neighbour

__all__ = ["module_kith", "module_receiver", "receiver"]


def data(receiver: Receiver) -> list[tuple[str, Any]]:
    """Return what came, in an order of its own."""
    return sorted(receiver.events(), key=str)


def test_a_profile_is_told_of_once_a_change(kith: Kith, receiver: Receiver) -> None:
    secret = hook(kith, receiver.url)["secret"]

    kith.post_profile("ana", interests=["hiking"])
    kith.call("PATCH", "/v1/profiles/ana", {"name": "Anna"})
    kith.call("PATCH", "/v1/profiles/ana", {"name": "Anna"})  # changes nothing
    kith.import_profiles(
        {"id": "ana", "name": "Annika"}, {"id": "ben", "name": "B"}, {"id": "ben", "name": "C"}
    )
    deliver(kith)

    told = {"profile": "ana"}
    assert data(receiver) == [
        ("profile.created", told), ("profile.created", {"profile": "ben"}),
        ("profile.updated", told), ("profile.updated", told),
    ]  # fmt: skip
    assert all(one.is_signed_with(secret) for one in receiver.received)
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 4
    assert {*receiver.received[0].told} == {"type", "timestamp", "data"}
    assert receiver.received[0].told["timestamp"].endswith("Z")


def test_people_are_told_of_by_id_and_never_who_declined_or_blocked(kith: Kith, receiver: Receiver) -> None:
    hook(kith, receiver.url, "connection.invited", "connection.made", "connection.ended", "report.filed")
    kith.import_profiles(*({"id": name, "name": "N"} for name in ("ana", "ben", "cem", "dan", "eva")))

    def respond(who: str, peer: str, response: str) -> None:
        answer = kith.call("POST", f"/v1/profiles/{who}/responses", {"peer": peer, "response": response})
        assert answer.status_code == 200

    respond("ben", "ana", "accept")
    respond("ben", "ana", "accept")  # again: nothing new
    respond("ana", "ben", "accept")
    respond("cem", "ana", "decline")
    respond("ana", "cem", "accept")  # Cem sees no invitation: there is none
    respond("ana", "dan", "later")
    lines = b'{"a": "dan", "b": "ana"}\n{"a": "eva", "b": "ana"}\n'
    kith.call("POST", "/v1/connections/import", lines, Content_Type=NDJSON)
    kith.call("DELETE", "/v1/profiles/ben/connections/ana")
    kith.call("PUT", "/v1/profiles/ana/blocks/dan")
    kith.call("PUT", "/v1/profiles/ana/blocks/cem")
    kith.call("DELETE", "/v1/profiles/eva")
    report = kith.call("POST", "/v1/profiles/ana/reports", {"peer": "ben", "reason": "spam"}).json["id"]
    deliver(kith)

    # Of Eva's connection nothing is told any more, and of its end neither.
    assert data(receiver) == [
        ("connection.ended", {"profile": "ana", "peer": "ben"}),
        ("connection.ended", {"profile": "ana", "peer": "dan"}),
        ("connection.invited", {"profile": "ben", "peer": "ana"}),
        ("connection.made", {"profile": "ana", "peer": "ben"}),
        ("connection.made", {"profile": "ana", "peer": "dan"}),
        ("report.filed", {"report": report}),
    ]


def test_what_was_rolled_back_or_not_asked_for_is_not_told(kith: Kith, receiver: Receiver) -> None:
    hook(kith, receiver.url, "profile.updated")
    kith.post_profile("ana")
    refused = kith.call("PATCH", "/v1/profiles/ana", {"name": ""}, Idempotency_Key="k")
    assert refused.status_code == 422

    assert (deliver(kith), receiver.received) == (0, [])


def test_communities_hear_nothing_of_each_other(kith: Kith, receiver: Receiver) -> None:
    other = neighbour(kith)
    mine, theirs = hook(kith, f"{receiver.url}/mine"), hook(other, f"{receiver.url}/theirs")

    kith.post_profile("ana")
    other.post_profile("zoe")
    deliver(kith)

    told = {one.path: (one.event, one.is_signed_with(secret)) for one in receiver.received
            for secret in [{"/kith/mine": mine, "/kith/theirs": theirs}[one.path]["secret"]]}  # fmt: skip
    assert told == {
        "/kith/mine": (("profile.created", {"profile": "ana"}), True),
        "/kith/theirs": (("profile.created", {"profile": "zoe"}), True),
    }
    theirs_path = f"/v1/webhooks/{theirs['id']}/deliveries"
    assert kith.call("GET", theirs_path).status_code == 404


# ---------------------------------------------------------------- erasure


def payloads(kith: Kith) -> list[str]:
    with kith.database.read() as connection:
        return list(connection.execute(select(deliveries.c.payload)).scalars())


def test_an_erasure_drops_what_names_its_member_and_is_told_first(
    kith: Kith, receiver: Receiver, clock: TestClock
) -> None:
    hook(kith, receiver.url)
    for name in ("ana", "ben"):
        kith.post_profile(name)
    kith.call("POST", "/v1/profiles/ben/responses", {"peer": "ana", "response": "accept"})
    kith.call("DELETE", "/v1/profiles/ana")

    assert sorted(payloads(kith)) == ['{"profile":"ana"}', '{"profile":"ben"}']
    deliver(kith)

    assert receiver.events() == [
        ("profile.erased", {"profile": "ana"}), ("profile.created", {"profile": "ben"}),
    ]  # fmt: skip
    # Delivered, it keeps nobody's id; and nothing is left that ends with nobody.
    assert sorted(payloads(kith)) == ['{"profile":"ben"}', '{"profile":null}']
    with kith.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(mentions)).scalar_one() == 1


def test_an_erasure_that_nobody_hears_of_is_told_without_the_id_in_the_end(
    kith: Kith, receiver: Receiver, clock: TestClock, tmp_path: Path
) -> None:
    hook(kith, receiver.url, "profile.erased")
    kith.post_profile("ana")
    kith.call("DELETE", "/v1/profiles/ana")
    receiver.answer = 503

    for seconds in (0, 5, 5):
        clock.forward(seconds=seconds)
        work_once(kith.database, kith.cache, tmp_path / "erased.log", private_webhooks=True)
    assert receiver.events()[:2] == [("profile.erased", {"profile": "ana"})] * 2
    clock.forward(seconds=10)
    work_once(kith.database, kith.cache, tmp_path / "erased.log", private_webhooks=True)
    assert payloads(kith) == ['{"profile":null}']

    receiver.answer = 204
    clock.forward(hours=1)
    deliver(kith)
    assert receiver.events()[-1] == ("profile.erased", {"profile": None})
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
