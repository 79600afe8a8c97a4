"""Results that survive a kill: files, keys, the store, and the state to resume from."""

from ptlib.keeping.store import default_cache

__all__ = ["default_cache"]
