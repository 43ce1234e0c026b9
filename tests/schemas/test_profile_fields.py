"""Every field of a profile: its limits, and the path that a message stands under."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import Invalid
from service.records import ProfileRecord
from service.schemas.profiles import ProfileSchema

BERLIN = {"lat": 52.52, "lon": 13.405}
TUESDAY = {"day": "tue", "from": "18:00", "to": "21:00"}
ZONE = {"timezone": "Europe/Berlin"}


def read(**fields: Any) -> ProfileRecord:
    record: ProfileRecord = ProfileSchema().read({"name": "Ana"} | fields)
    return record


def refused(**fields: Any) -> list[str]:
    with pytest.raises(Invalid) as error:
        read(**fields)
    assert all(texts and all(texts) for texts in error.value.errors.values())
    return sorted(error.value.errors)


TAKEN: dict[str, list[Any]] = {
    "id": ["a", "9", "A" * 128, "a.b_c~d@e:f-g", "imports", "Export"],
    "name": ["A", "a" * 100, "Inés", "李", "\N{GRINNING FACE}" * 100, "O'Neil-Smith", " Ana "],
    "interests": [
        [],
        ["a"],
        ["a" * 60],
        [f"term {number}" for number in range(50)],
        ["C++", "李"],
        ["\u200bhiking"],
    ],
    "location": [
        None,
        BERLIN,
        {"lat": -90, "lon": 180},
        {"lat": 90.0, "lon": -180.0},
        {"lat": 0, "lon": 0},
        BERLIN | {"accuracy_km": 1.4},
        BERLIN | {"accuracy_km": "whatever we wrote"},
    ],
    "radius_km": [1, 1.0, 200, 12.5],
    "modes": [["in_person"], ["online"], ["online", "in_person"]],
    "timezone": [None, "Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"],
    "languages": [
        [],
        ["de"],
        ["de-AT"],
        ["zh-Hant-TW"],
        ["sl-rozaj-biske-1994"],
        [f"a{chr(97 + n)}" for n in range(20)],
    ],
    "attributes": [{}, {"role": "mentee"}, {"a" * 60: "b" * 60}, {f"name {n}": "x" for n in range(20)}],
    "seeks": [
        {},
        {"role": ["mentor"]},
        {"role": [f"value {n}" for n in range(20)]},
        {f"n{n}": ["x"] for n in range(20)},
    ],
    "capacity": [0, 3, 20],
    "joins_rounds": [True, False],
    "status": ["active", "paused"],
    "paused_until": [None],
    "moves_at": [None, "2026-01-01T00:00:00Z", 17],
}
NO_TEXT: list[Any] = [1, 1.5, True, ["Ana"], {"a": "b"}]
# Value, and the path that must be named where it is not the field itself.
REFUSED: dict[str, list[Any]] = {
    "id": [
        "",
        "a" * 129,
        ".a",
        "-a",
        "_a",
        "~a",
        "@a",
        ":a",
        "a b",
        "a/b",
        "a\n",
        "inés",
        "import",
        "export",
        "a%20",
        None,
        *NO_TEXT,
    ],
    "name": [
        "",
        "a" * 101,
        " ",
        "\u200b",
        "\u2060\ufeff",
        "a\nb",
        "a\tb",
        "a\x07b",
        "a\u2028b",
        None,
        *NO_TEXT,
    ],
    "interests": [None, "hiking", {"0": "hiking"}, ["a"] * 51, 7],
    "location": [[], "52,13", 1, True, [52.5, 13.4]],
    "radius_km": [0, 0.99, 200.01, -5, "12", True, None, [12], 10**30],
    "modes": [[], None, "online", ["online", "online", "online"], {}],
    "timezone": [
        "",
        "Berlin",
        "europe/berlin",
        "Europe/Atlantis",
        "+01:00",
        "CEST2",
        "../etc/passwd",
        "Europe/Berlin\n",
        *NO_TEXT,
    ],
    "availability": [None, "tue 18:00-21:00", {}, [TUESDAY] * 51],
    "languages": [None, "de", ["de"] * 21],
    "attributes": [None, [], "role", {f"name {n}": "x" for n in range(21)}],
    "seeks": [None, [], {f"name {n}": ["x"] for n in range(21)}],
    "capacity": [-1, 21, 1.0, 2.5, "3", True, None, [3]],
    "joins_rounds": [0, 1, "true", "yes", None, []],
    "status": ["", "Active", "erased", None, *NO_TEXT],
    "paused_until": [
        "",
        "tomorrow",
        "2099-01-01",
        "2099-01-01 00:00:00Z",
        "2099-01-01T00:00:00",
        "2099-13-01T00:00:00Z",
        "2099-02-29T00:00:00Z",
        "2099-01-01T25:00:00Z",
        "२०९९-01-01T00:00:00Z",
        "2099-01-01T00:00Z",
        "2099-01-01T00:00:00+0100",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        4070908800,
        True,
        {},
    ],
    "surprise": [1, None],
    "Name": ["Ana"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in TAKEN for value in TAKEN[field]])
def test_a_value_within_the_rule_is_taken(field: str, value: Any) -> None:
    assert read(**{field: value}).name


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in REFUSED for value in REFUSED[field]]
)
def test_a_value_outside_the_rule_is_refused_under_its_field(field: str, value: Any) -> None:
    more = {"status": "paused"} if field == "paused_until" else {}

    assert refused(**more, **{field: value}) == [field]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"interests": ["ok", ""]}, "interests.1"),
        ({"activities": [" "]}, "activities.0"),
        ({"goals": ["\u200b\u2060"]}, "goals.0"),
        ({"goals": ["ok", "ok 2", "a" * 61]}, "goals.2"),
        ({"goals": ["a" * 241]}, "goals.0"),
        ({"goals": [None]}, "goals.0"),
        ({"goals": [["nested"]]}, "goals.0"),
        ({"goals": ["two\nlines"]}, "goals.0"),
        ({"location": {}}, "location.lat location.lon"),
        ({"location": {"lat": 52}}, "location.lon"),
        ({"location": {"lat": 90.1, "lon": 0}}, "location.lat"),
        ({"location": {"lat": -90.1, "lon": 0}}, "location.lat"),
        ({"location": {"lat": 0, "lon": 180.1}}, "location.lon"),
        ({"location": {"lat": 0, "lon": -181}}, "location.lon"),
        ({"location": {"lat": "52.5", "lon": 0}}, "location.lat"),
        ({"location": {"lat": True, "lon": 0}}, "location.lat"),
        ({"location": {"lat": None, "lon": 0}}, "location.lat"),
        ({"location": BERLIN | {"alt": 34}}, "location.alt"),
        ({"modes": ["in_person", "by_phone"]}, "modes.1"),
        ({"modes": [1]}, "modes.0"),
        ({"languages": ["de", "german language"]}, "languages.1"),
        ({"languages": ["d"]}, "languages.0"),
        ({"languages": ["de_AT"]}, "languages.0"),
        ({"languages": ["de-"]}, "languages.0"),
        ({"languages": ["a" * 36]}, "languages.0"),
        ({"languages": [7]}, "languages.0"),
        ({"attributes": {"role": ""}}, "attributes.role"),
        ({"attributes": {"role": "a" * 61}}, "attributes.role"),
        ({"attributes": {"role": 1}}, "attributes.role"),
        ({"attributes": {"role": None}}, "attributes.role"),
        ({"attributes": {"role": ["mentor"]}}, "attributes.role"),
        ({"attributes": {"a" * 61: "b"}}, "attributes." + "a" * 60),
        ({"seeks": {"role": []}}, "seeks.role"),
        ({"seeks": {"role": "mentor"}}, "seeks.role"),
        ({"seeks": {"role": ["mentor", ""]}}, "seeks.role.1"),
        ({"seeks": {"role": [f"value {n}" for n in range(21)]}}, "seeks.role"),
        ({"seeks": {"role": ["a" * 61]}}, "seeks.role.0"),
        ({"availability": [TUESDAY]}, "timezone"),
        ({"availability": [TUESDAY], "timezone": None}, "timezone"),
        ({**ZONE, "availability": [TUESDAY | {"day": "Tue"}]}, "availability.0.day"),
        ({**ZONE, "availability": [TUESDAY | {"day": 1}]}, "availability.0.day"),
        ({**ZONE, "availability": [TUESDAY, {"day": "mon"}]}, "availability.1.from availability.1.to"),
        ({**ZONE, "availability": [TUESDAY | {"from": "18:05"}]}, "availability.0.from"),
        ({**ZONE, "availability": [TUESDAY | {"from": "8:00"}]}, "availability.0.from"),
        ({**ZONE, "availability": [TUESDAY | {"from": "24:00"}]}, "availability.0.from"),
        ({**ZONE, "availability": [TUESDAY | {"from": "१८:00"}]}, "availability.0.from"),
        ({**ZONE, "availability": [TUESDAY | {"to": "24:15"}]}, "availability.0.to"),
        ({**ZONE, "availability": [TUESDAY | {"to": "21:00\n"}]}, "availability.0.to"),
        ({**ZONE, "availability": [TUESDAY | {"to": "18:00"}]}, "availability.0.to"),
        ({**ZONE, "availability": [TUESDAY | {"to": "02:00"}]}, "availability.0.to"),
        ({**ZONE, "availability": [TUESDAY | {"to": "00:00"}]}, "availability.0.to"),
        ({**ZONE, "availability": [TUESDAY | {"until": "22:00"}]}, "availability.0.until"),
        ({**ZONE, "availability": ["tue 18:00-21:00"]}, "availability.0"),
        ({"status": "active", "paused_until": "2099-01-01T00:00:00Z"}, "paused_until"),
        ({"paused_until": "2099-01-01T00:00:00Z"}, "paused_until"),
        ({"name": "", "capacity": 21, "goals": [""]}, "capacity goals.0 name"),
    ],
)
def test_messages_stand_under_the_path_of_what_is_wrong(fields: dict[str, Any], path: str) -> None:
    assert refused(**fields) == path.split()


def test_only_the_name_is_required() -> None:
    assert ProfileSchema().read({"name": "Ana"}) == ProfileRecord(id="", name="Ana")
    with pytest.raises(Invalid) as error:
        ProfileSchema().read({})
    assert list(error.value.errors) == ["name"]


@pytest.mark.parametrize("spelt", ["00:00", "00:15", "18:30", "23:45"])
def test_slots_are_on_the_quarter_hour_until_midnight(spelt: str) -> None:
    record = read(**ZONE, availability=[{"day": "sun", "from": spelt, "to": "24:00"}])

    slot = record.availability[0]
    assert (slot.day, slot.start, slot.end) == (6, int(spelt[:2]) * 60 + int(spelt[3:]), 1440)


def test_fifty_slots_are_taken_and_overlap_as_they_like() -> None:
    assert len(read(**ZONE, availability=[TUESDAY] * 50).availability) == 50


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["Hiking", "hiking", "HIKING"], ["Hiking"]),
        (["board games", "Board  Game", "Ｂｏａｒｄ ｇａｍｅｓ"], ["board games"]),
        (["Café", "cafe", "Cafe\u0301", "\u200bcafé"], ["Café"]),
        (["chess", "hiking", "Chess"], ["chess", "hiking"]),
        (["  hiking ", "hiking"], ["  hiking "]),
    ],
)
@pytest.mark.parametrize("facet", ["interests", "activities", "goals"])
def test_repeats_in_normal_form_are_dropped_and_the_first_spelling_stays(
    facet: str, sent: list[str], kept: list[str]
) -> None:
    assert list(getattr(read(**{facet: sent}), facet)) == kept


def test_terms_of_two_facets_are_not_repeats() -> None:
    record = read(interests=["hiking"], activities=["hiking"])

    assert (record.interests, record.activities) == (("hiking",), ("hiking",))


@pytest.mark.parametrize(
    ("term", "taken"),
    [
        ("\ufdfa", True),  # one character that normalises to eighteen
        ("\ufdfa" * 3, True),
        ("\ufdfa" * 4, False),
        ("a" * 60 + "\u200b" * 100, True),
        ("a" * 61, False),
        ("ß" * 30, True),
        ("ß" * 31, False),
        ("   " + "a" * 60 + "   ", True),
        ("e\u0301" * 60, True),
    ],
)
def test_a_terms_length_is_counted_after_normalising(term: str, taken: bool) -> None:
    if taken:
        assert read(goals=[term]).goals == (term,)
    else:
        assert refused(goals=[term]) == ["goals.0"]


def test_modes_and_values_said_twice_are_said_once() -> None:
    record = read(modes=["online", "online"], seeks={"role": ["mentor", "mentor"]}, languages=["de", "de"])

    assert (record.modes, record.seeks, record.languages) == (("online",), {"role": ("mentor",)}, ("de",))
