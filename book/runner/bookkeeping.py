"""Code without what notes numbers for the text: who reads it in a notebook has the numbers in the text already."""

import ast

NOTES = ("claim", "note", "note_mean", "note_figure")  # as chapters call them, of `pt.book` or by name alone


def without_notes(source: str) -> str:
    """The code without calls of `pt.book.note`, its kin and `pt.book.claim`; as it is where it is not plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # such as a magic
        return source
    lines = source.splitlines()
    notes = [note for body in _bodies(tree) for note in _removable(body, tree) if _alone(note, lines)]
    if not notes:
        return source
    last = tree.body[-1]
    kept = [statement for statement in tree.body if statement not in notes]
    if last in notes and kept and isinstance(kept[-1], ast.Expr):
        # What stands last in a cell is shown; this stood before something else, and was not.
        row = _last_row(kept[-1])
        end = len(lines[row].encode()[: kept[-1].end_col_offset].decode())
        lines[row] = lines[row][:end] + ";" + lines[row][end:].removeprefix(";")
    gone = {row for note in notes for row in range(note.lineno - 1, _last_row(note) + 1)}
    return "\n".join(line for row, line in enumerate(lines) if row not in gone).strip("\n")


def _last_row(statement: ast.stmt) -> int:
    return (statement.end_lineno or statement.lineno) - 1


def _bodies(tree: ast.AST) -> list[list[ast.stmt]]:
    blocks = (getattr(node, name, None) for node in ast.walk(tree) for name in ("body", "orelse", "finalbody"))
    return [block for block in blocks if isinstance(block, list)]


def _removable(body: list[ast.stmt], tree: ast.Module) -> list[ast.stmt]:
    """The notes of a block, unless it has nothing else: then what it belongs to is a note, or must keep it."""
    notes = [statement for statement in body if _is_note(statement)]
    return notes if body is tree.body or len(notes) < len(body) else []


def _is_note(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return ast.unparse(statement.value.func).removeprefix("pt.book.") in NOTES
    if isinstance(statement, ast.For | ast.If):
        return all(map(_is_note, [*statement.body, *statement.orelse]))
    return False


def _alone(statement: ast.stmt, lines: list[str]) -> bool:
    """Whether nothing else stands on the lines of a statement but a comment."""
    before = lines[statement.lineno - 1].encode()[: statement.col_offset].decode()
    behind = lines[_last_row(statement)].encode()[statement.end_col_offset :].decode()
    return not before.strip() and (not behind.strip(" ;") or behind.lstrip().startswith("#"))
