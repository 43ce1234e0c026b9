"""The fixtures of this folder's tests."""

from tests.tenants import (
    clock,
    clock_file,
    kith,
    module_kith,
    module_sqlite_kith,
    module_url,
    sqlite_kith,
)

__all__ = [
    "clock",
    "clock_file",
    "kith",
    "module_kith",
    "module_sqlite_kith",
    "module_url",
    "sqlite_kith",
]
