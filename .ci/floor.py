"""After the tests: fails if of any module of the library less than this share of the lines was run."""

import json
import sys
import tempfile
from pathlib import Path

import coverage

LEAST = 90  # percent


def shares() -> dict[str, float]:
    """For each module, the percentage of its lines that the tests ran."""
    measured = coverage.Coverage()
    measured.load()
    with tempfile.TemporaryDirectory() as folder:
        measured.json_report(outfile=str(Path(folder) / "coverage.json"))
        report = json.loads((Path(folder) / "coverage.json").read_text(encoding="utf-8"))
    return {name: about["summary"]["percent_covered"] for name, about in report["files"].items()}


if __name__ == "__main__":
    low = {name: share for name, share in shares().items() if share < LEAST}
    for name, share in sorted(low.items()):
        print(f"{name}: the tests run {share:.0f} % of it; at least {LEAST} % are wanted", file=sys.stderr)
    sys.exit(bool(low))
