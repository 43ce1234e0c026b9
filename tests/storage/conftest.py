"""The fixtures of this folder's tests."""

from tests.tenants import clock, clock_file, kith, module_kith, module_url

__all__ = ["clock", "clock_file", "kith", "module_kith", "module_url"]
