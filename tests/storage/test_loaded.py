"""The loaded index follows every change, whatever happens between its own reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from matching import Matcher
from service.errors import NotReady
from service.records import Community
from service.storage import loaded as loaded_module
from service.storage import models, profiles
from service.storage.access import AccessReader
from service.storage.followed import Followed
from service.storage.loaded import LoadedCommunities, LoadedCommunity
from service.storage.tables import communities as community_table
from service.storage.tables import profiles as profile_table
from service.storage.tables import tombstones
from service.usecases.erasures import remove_community
from service.usecases.keys import digest_of
from service.usecases.refits import refit_now
from tests.harness import Kith
from tests.tenants import neighbour

HERE = {"lat": 52.52, "lon": 13.405}


def read(kith: Kith) -> Community:
    """Return the community as a request would find it now."""
    found = AccessReader(kith.database).find(digest_of(kith.key))
    assert found is not None
    return found[0].community


def known(loaded: LoadedCommunities, community: Community) -> dict[str, str]:
    """Return the names of the members that the index holds, by id."""

    def look(matcher: Matcher) -> dict[str, str]:
        return {profile.id: profile.name for profile in matcher.index_.profiles()}

    return loaded.use(community, look)


@pytest.fixture
def loaded(kith: Kith) -> LoadedCommunities:
    """A loaded index that knows Ana and Ben."""
    kith.post_profile("ana", location=HERE)
    kith.post_profile("ben", location=HERE)
    loaded = LoadedCommunities(kith.database)
    assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Ben"}
    return loaded


def _erase(kith: Kith, member: str) -> None:
    assert kith.call("DELETE", f"/v1/profiles/{member}").status_code == 204


def _rename(kith: Kith, member: str, name: str) -> None:
    assert kith.call("PATCH", f"/v1/profiles/{member}", {"name": name}).status_code == 200


def _between(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, happening: Callable[[], object]
) -> None:
    """Let something happen just before the index's next read of this kind."""
    original = getattr(module, name)

    def interrupted(*arguments: Any) -> Any:
        monkeypatch.setattr(module, name, original)
        happening()
        return original(*arguments)

    monkeypatch.setattr(module, name, interrupted)


def test_it_follows_what_comes_changes_and_goes(kith: Kith, loaded: LoadedCommunities) -> None:
    kith.post_profile("cem")
    _rename(kith, "ana", "Anna")
    _erase(kith, "ben")
    assert known(loaded, read(kith)) == {"ana": "Anna", "cem": "Cem"}


def test_an_erased_and_reposted_id_is_the_new_member(kith: Kith, loaded: LoadedCommunities) -> None:
    _erase(kith, "ben")
    kith.post_profile("ben", name="Benno")
    assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Benno"}


def test_a_thread_that_read_earlier_takes_nothing_back(kith: Kith, loaded: LoadedCommunities) -> None:
    earlier = read(kith)
    _rename(kith, "ana", "Anna")
    _erase(kith, "ben")
    later = read(kith)
    for community in (later, earlier, later):
        assert known(loaded, community) == {"ana": "Anna"}


@pytest.mark.parametrize("reading", ["changed_since", "departed_since"])
def test_an_erasure_between_two_reads_is_known_to_the_next_request(
    kith: Kith, loaded: LoadedCommunities, monkeypatch: pytest.MonkeyPatch, reading: str
) -> None:
    _rename(kith, "ben", "Benno")
    community = read(kith)
    _between(monkeypatch, profiles, reading, lambda: _erase(kith, "ben"))
    known(loaded, community)
    assert known(loaded, read(kith)) == {"ana": "Ana"}


@pytest.mark.parametrize("reading", ["changed_since", "departed_since"])
def test_an_erasure_and_a_new_post_between_two_reads_are_known_to_the_next_request(
    kith: Kith, loaded: LoadedCommunities, monkeypatch: pytest.MonkeyPatch, reading: str
) -> None:
    def happening() -> None:
        _erase(kith, "ben")
        kith.post_profile("ben", name="Benno")

    _rename(kith, "ben", "Ben the first")
    community = read(kith)
    _between(monkeypatch, profiles, reading, happening)
    known(loaded, community)
    for _ in range(2):
        assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Benno"}
        _rename(kith, "ana", "Ana")


def test_models_replaced_while_one_was_to_be_loaded_end_in_the_newest(
    kith: Kith, loaded: LoadedCommunities, monkeypatch: pytest.MonkeyPatch
) -> None:
    def happening() -> None:
        for _ in range(models.KEPT + 1):
            refit_now(kith.database, community.number)

    refit_now(kith.database, read(kith).number)
    community = read(kith)
    _between(monkeypatch, loaded_module, "load_or_repair", happening)
    known(loaded, community)
    newest = read(kith)
    number = loaded.use(newest, lambda matcher: matcher.model_.number)
    assert newest.model.startswith(f"{number:015x}")
    assert newest.model > community.model


def test_a_catch_up_that_failed_is_made_again(
    kith: Kith, loaded: LoadedCommunities, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise NotReady("cut off")

    _rename(kith, "ana", "Anna")
    _erase(kith, "ben")
    _between(monkeypatch, profiles, "departed_since", fail)
    with pytest.raises(NotReady):
        known(loaded, read(kith))
    assert known(loaded, read(kith)) == {"ana": "Anna"}


def test_other_settings_hold_at_once(kith: Kith, loaded: LoadedCommunities) -> None:
    settings = {"separate_by": ["role"], "facet_weights": {"goals": 2}}
    assert kith.call("PATCH", "/v1/community", settings).status_code == 200
    used = loaded.use(read(kith), lambda matcher: (matcher.separate_by, matcher.facet_weights))
    assert used == (("role",), {"interests": 0, "activities": 0, "goals": 2})


def test_threads_that_come_together_load_a_community_once(
    kith: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    kith.post_profile("ana")
    community, loaded, calls = read(kith), LoadedCommunities(kith.database), list[int]()
    original = profiles.everybody

    def counted(*arguments: Any) -> Any:
        calls.append(arguments[1])
        return original(*arguments)

    monkeypatch.setattr(profiles, "everybody", counted)
    start, answers = threading.Barrier(6), list[dict[str, str]]()

    def ask() -> None:
        start.wait(10)
        answers.append(known(loaded, community))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"ana": "Ana"}] * 6
    assert calls == [community.number]


def test_what_was_dropped_for_want_of_room_is_loaded_again(
    kith: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    towns = [neighbour(kith) for _ in range(3)]
    for number, town in enumerate(towns):
        town.post_profile(f"m{number}")
        town.post_profile("second")
    monkeypatch.setattr(loaded_module, "MOST_MEMBERS_LOADED", 4)
    loaded = LoadedCommunities(kith.database)
    for number in (0, 1, 0, 2, 1, 0):
        town = towns[number]
        _rename(town, "second", "Renamed")
        assert known(loaded, read(town)) == {f"m{number}": f"M{number}", "second": "Renamed"}
        assert len(loaded._loaded) <= 2
    assert list(loaded._loaded) == [read(towns[1]).number, read(towns[0]).number]


def test_an_older_copy_of_the_database_is_loaded_from_nothing(kith: Kith, loaded: LoadedCommunities) -> None:
    copied = read(kith)
    kith.post_profile("ghost")
    _rename(kith, "ana", "Anna")
    assert set(known(loaded, read(kith))) == {"ana", "ben", "ghost"}
    with kith.database.write() as connection:
        here = profile_table.c.community == copied.number
        connection.execute(delete(profile_table).where(here, profile_table.c.id == "ghost"))
        number = copied.change_number
        values = {"changed": number, "document": '{"id":"ana","name":"Ana"}'}
        connection.execute(update(profile_table).where(here, profile_table.c.id == "ana").values(values))
        row = update(community_table).where(community_table.c.number == copied.number)
        connection.execute(row.values(change_number=number))
    assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Ben"}


def test_who_was_erased_is_forgotten_though_nobody_asks(kith: Kith, loaded: LoadedCommunities) -> None:
    held = loaded._loaded[read(kith).number]
    assert held.tidy() is None
    _erase(kith, "ben")
    assert _names_in_memory(held) == {"Ana", "Ben"}
    assert held.tidy() == kith.community
    assert (_names_in_memory(held), len(held)) == ({"Ana"}, 1)
    assert held.tidy() is None
    assert known(loaded, read(kith)) == {"ana": "Ana"}


def test_who_was_erased_is_forgotten_though_a_question_has_dropped_them_already(
    kith: Kith, loaded: LoadedCommunities
) -> None:
    held = loaded._loaded[read(kith).number]
    _erase(kith, "ben")
    assert known(loaded, read(kith)) == {"ana": "Ana"}
    assert _names_in_memory(held) == {"Ana", "Ben"}
    assert held.tidy() == kith.community
    assert _names_in_memory(held) == {"Ana"}
    assert held.tidy() is None


def test_an_erased_and_reposted_id_stays_as_the_new_member_alone(
    kith: Kith, loaded: LoadedCommunities
) -> None:
    _erase(kith, "ben")
    kith.post_profile("ben", name="Benno")
    held = loaded._loaded[read(kith).number]
    assert held.tidy() == kith.community
    assert _names_in_memory(held) == {"Ana", "Benno"}
    assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Benno"}


def test_every_community_in_memory_is_tidied(kith: Kith, loaded: LoadedCommunities) -> None:
    other, quiet = neighbour(kith), neighbour(kith)
    for town in (other, quiet):
        town.post_profile("ben", name="Other")
        town.post_profile("cem")
        assert known(loaded, read(town)) == {"ben": "Other", "cem": "Cem"}
    _rename(kith, "ana", "Anna")
    for town in (kith, other):
        _erase(town, "ben")
    told = loaded.tidy()
    assert told.count(kith.community) == told.count(other.community) == 1
    assert quiet.community not in told
    held = [_names_in_memory(loaded._loaded[read(town).number]) for town in (kith, other, quiet)]
    assert held == [{"Anna"}, {"Cem"}, {"Other", "Cem"}]
    assert known(loaded, read(kith)) == {"ana": "Anna"}


def test_a_community_is_told_of_until_all_sweeps_after_its_erasures_are_done(
    kith: Kith, loaded: LoadedCommunities
) -> None:
    number, empty = read(kith).number, LoadedCommunities(kith.database)
    _erase(kith, "ben")
    for _ in range(2):
        assert kith.community in loaded.tidy()
        assert kith.community in empty.tidy()
    with kith.database.write() as connection:
        done = update(tombstones).where(tombstones.c.community == number)
        connection.execute(done.values(sweep_at=None))
    assert kith.community not in loaded.tidy()
    assert kith.community not in empty.tidy()
    assert not empty._loaded


def test_a_deleted_community_is_dropped(kith: Kith, loaded: LoadedCommunities) -> None:
    doomed = neighbour(kith)
    doomed.post_profile("dan")
    community = read(doomed)
    known(loaded, community)
    remove_community(doomed.database, doomed.cache, doomed.community)
    assert doomed.community in loaded.tidy()
    assert community.number not in loaded._loaded
    assert doomed.community not in loaded.tidy()
    # A request that came in before the end still gets an answer.
    assert known(loaded, community) == {}
    assert known(loaded, read(kith)) == {"ana": "Ana", "ben": "Ben"}


def test_what_was_never_loaded_is_left_alone(kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    kith.post_profile("ana")
    community, held = read(kith), LoadedCommunity(kith.database, read(kith).number)
    _erase(kith, "ana")

    def fail(*_: object) -> list[object]:
        raise NotReady("cut off")

    monkeypatch.setattr(profiles, "everybody", fail)
    assert held.tidy() is None
    with pytest.raises(NotReady):
        held.use(community, lambda matcher: matcher.index_)
    assert held.tidy() is None
    assert len(held) == 0


def test_what_was_read_along_with_a_question_knows_of_everybody_in_the_index(
    kith: Kith, loaded: LoadedCommunities
) -> None:
    community = read(kith)

    def look(matcher: Matcher, told: str, followed: Followed | None) -> tuple[str, set[str]]:
        assert followed is None  # the matcher is ahead of what was read
        return told, {profile.id for profile in matcher.index_.profiles()}

    def erase() -> str:
        _erase(kith, "ben")
        return "done"

    assert loaded.use_with(community, erase, look) == ("done", {"ana"})
    assert loaded._loaded[community.number].tidy() == kith.community
    assert known(loaded, read(kith)) == {"ana": "Ana"}


def test_nothing_is_read_for_a_matcher_that_stands_where_what_is_known_was(
    kith: Kith, loaded: LoadedCommunities
) -> None:
    community = read(kith)

    def look(_matcher: Matcher, told: str, followed: Followed | None) -> tuple[str, bool]:
        return told, followed is None

    assert loaded.use_with(community, lambda: "read", look, "known") == ("known", False)
    assert loaded.use_with(community, lambda: "read", look) == ("read", False)

    _erase(kith, "ben")
    known(loaded, read(kith))
    assert loaded.use_with(community, lambda: "read", look, "known") == ("read", True)


def _names_in_memory(held: LoadedCommunity) -> set[str]:
    """Return the names of all whom the index still holds, also of those whom it shows to nobody."""
    index = held._matcher.index_
    return {index.profile(row).name for row in range(index.rows)}
