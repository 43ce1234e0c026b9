"""The table of kindred terms is sound: every term once, every group of some use."""

import json
from importlib import resources

from matching import normalise
from matching.related import related_count, related_group


def table() -> list[list[str]]:
    text = resources.files("matching").joinpath("related.json").read_text(encoding="utf-8")
    groups: list[list[str]] = json.loads(text)["groups"]
    return groups


def test_no_term_stands_in_two_groups() -> None:
    forms = [normalise(term) for group in table() for term in group]

    assert len(set(forms)) == len(forms)
    assert all(forms)


def test_every_group_has_two_terms_or_more() -> None:
    assert all(len(group) >= 2 for group in table())
    assert related_count() == len(table()) >= 40


def test_every_term_is_found_by_its_normal_form() -> None:
    for number, group in enumerate(table()):
        assert {related_group(normalise(term)) for term in group} == {number}
    assert related_group("alphorn") is None
