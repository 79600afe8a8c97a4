"""The one exception that `ptlib` raises on purpose, and what it is raised for everywhere."""


class PromptError(ValueError):
    """Something the caller handed over cannot be used; the message says what, where, and what to do."""


def first_line(error: Exception) -> str:
    """What another library's error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def require_count(count: int, most: int) -> None:
    """Refuse to give more of something than there is, or none."""
    if not 1 <= count <= most:
        raise PromptError(f"count {count}: there are {most}; give a number from 1 to that")
