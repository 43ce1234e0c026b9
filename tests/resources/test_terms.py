"""Term completion: what three members or more write, commonest first, and nothing of fewer."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.harness import Kith

TERMS = {
    "hiking": 5, "Hike leading": 3, "café crawls": 4, "100% cotton": 3, "snake_case": 3, "snakeXcase": 3,
    "rare thing": 2, "C++": 3, "it's": 3,
}  # fmt: skip


def fill(kith: Kith) -> Kith:
    profiles = [
        {
            "id": f"m{number}",
            "name": "M",
            "interests": [term for term, count in TERMS.items() if number < count],
        }
        for number in range(5)
    ]
    kith.import_profiles(*profiles)
    return kith


def complete(kith: Kith, query: str = "") -> dict[str, int]:
    return {item["term"]: item["count"] for item in kith.get(f"/v1/terms{query}")["items"]}


def test_terms_of_three_members_come_commonest_first(kith: Kith) -> None:
    items = kith.get("/v1/terms").get("items")

    assert items == kith.get("/v1/terms?prefix=")["items"] == []
    fill(kith)
    listed = complete(kith)
    assert list(listed.values()) == sorted(listed.values(), reverse=True)
    assert listed == {term: count for term, count in TERMS.items() if count >= 3}
    assert set(kith.get("/v1/terms")) == {"items"}


def test_a_term_comes_with_its_third_member_and_goes_with_them(kith: Kith) -> None:
    for name in ("a", "b"):
        kith.post_profile(name, goals=["learn Spanish"])
    assert complete(kith) == {}

    kith.post_profile("c", goals=["Learn  spanish"])
    assert complete(kith, "?prefix=learn") == {"learn Spanish": 3}

    kith.call("PATCH", "/v1/profiles/c", {"goals": None})
    assert complete(kith) == {}


def test_the_commonest_spelling_is_shown(kith: Kith) -> None:
    for number, term in enumerate(["HIKING", "Hiking", "Hiking", "hikings"]):
        kith.post_profile(f"m{number}", interests=[term])

    assert complete(kith, "?prefix=hik") == {"Hiking": 4}


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("hik", {"hiking", "Hike leading"}),
        ("HIK", {"hiking", "Hike leading"}),
        ("  hik", {"hiking", "Hike leading"}),
        ("ｈｉｋ", {"hiking", "Hike leading"}),
        ("h\u200bik", {"hiking", "Hike leading"}),
        ("cafe", {"café crawls"}),
        ("CAFÉ C", {"café crawls"}),
        ("café crawls", {"café crawls"}),
        ("rare", set()),
        ("iking", set()),
        ("c++", {"C++"}),
        ("it's", {"it's"}),
        ("it’s", {"it's"}),
        ("100%", {"100% cotton"}),
        ("%", set()),
        ("_", set()),
        ("h%", set()),
        ("snake_", {"snake_case"}),
        ("snake?", set()),
        ("'; DROP TABLE profiles; --", set()),
        (".*", set()),
        ("zzz", set()),
    ],
)
def test_a_prefix_is_folded_and_means_itself(sqlite_kith: Kith, prefix: str, found: set[str]) -> None:
    assert set(complete(fill(sqlite_kith), f"?prefix={quote(prefix)}")) == found


def test_a_lone_percent_sign_is_text(sqlite_kith: Kith) -> None:
    assert complete(fill(sqlite_kith), "?prefix=%") == {}


def test_a_facet_narrows_and_without_one_members_count_once(kith: Kith) -> None:
    for name in ("a", "b", "c"):
        kith.post_profile(name, interests=["hiking"], activities=["hiking"])
    kith.post_profile("d", activities=["hiking"])

    assert complete(kith) == {"hiking": 4}
    assert complete(kith, "?facet=interests") == {"hiking": 3}
    assert complete(kith, "?facet=activities") == {"hiking": 4}
    assert complete(kith, "?facet=goals") == {}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_hold_every_term_once(sqlite_kith: Kith, limit: int) -> None:
    whole = fill(sqlite_kith).get("/v1/terms?limit=100")["items"]

    page = sqlite_kith.get(f"/v1/terms?limit={limit}")
    listed = list(page["items"])
    while "next" in page:
        assert len(page["items"]) == limit
        page = sqlite_kith.get(f"/v1/terms?limit={limit}&cursor={page['next']}")
        listed += page["items"]

    assert listed == whole
    assert len(listed) == sum(count >= 3 for count in TERMS.values())


def test_a_paused_member_counts_and_an_erased_one_does_not(kith: Kith) -> None:
    for name in ("a", "b", "c"):
        kith.post_profile(name, interests=["hiking"], status="paused")
    assert complete(kith) == {"hiking": 3}

    kith.call("DELETE", "/v1/profiles/a")

    assert complete(kith) == {}
