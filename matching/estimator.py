"""What estimators take from scikit-learn, which loads without `scipy.stats` here: in half the time.

Its `utils.fixes` names that module as it is loaded, and takes something of it in one function only, which
then finds the real one.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def named_only(module: str) -> Iterator[None]:
    """Let what is imported in the block name a module that isn't loaded for it; to use it would fail."""
    empty = ModuleType(module)
    found = sys.modules.setdefault(module, empty)
    try:
        yield
    finally:
        if found is empty:
            del sys.modules[module]


with named_only("scipy.stats"):
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils import Tags
    from sklearn.utils.extmath import randomized_svd
    from sklearn.utils.validation import check_is_fitted

__all__ = ["BaseEstimator", "Tags", "TransformerMixin", "check_is_fitted", "randomized_svd"]
