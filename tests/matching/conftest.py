"""The index cleans up early here, so that short tests see it happen."""

from collections.abc import Iterator

import pytest

from matching import index


@pytest.fixture(autouse=True, scope="session")
def early_clean_up() -> Iterator[None]:
    usual, index.SLACK = index.SLACK, 3
    yield
    index.SLACK = usual
