"""The one exception that `ptlib` raises on purpose."""


class PromptError(ValueError):
    """Something the caller handed over cannot be used; the message says what, where, and what to do."""


def first_line(error: Exception) -> str:
    """What another library's error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
