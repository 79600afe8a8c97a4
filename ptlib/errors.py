"""The one exception that `ptlib` raises on purpose."""


class PromptError(ValueError):
    """Something the caller handed over cannot be used; the message says what, where, and what to do."""
