from collections import Counter

import pytest

from ptlib.errors import PromptError
from ptlib.tasks.facts import Fact, read_facts
from ptlib.tasks.splits import split_of


def test_a_fact_file_is_read_line_by_line(tmp_path):
    file = tmp_path / "P36.tsv"
    file.write_text("France\tParis\nNew Zealand\tWellington\n", encoding="utf-8")
    assert read_facts(file) == (Fact("France", "Paris"), Fact("New Zealand", "Wellington"))


@pytest.mark.parametrize("line", ["France", "France\t", "\tParis", "France\tParis\tcapital", ""])
def test_a_malformed_line_is_named_with_its_file(tmp_path, line):
    file = tmp_path / "P36.tsv"
    file.write_text(f"Italy\tRome\n{line}\nSpain\tMadrid\n", encoding="utf-8")
    with pytest.raises(PromptError, match=r"P36\.tsv, line 2: expected"):
        read_facts(file)


def test_a_subject_that_stands_twice_is_named_with_both_lines(tmp_path):
    file = tmp_path / "P36.tsv"
    file.write_text("Italy\tRome\nSpain\tMadrid\nItaly\tMilan\n", encoding="utf-8")
    with pytest.raises(PromptError, match=r"line 3: 'Italy' already stands on line 1"):
        read_facts(file)


def test_splits_are_fixed_and_have_their_shares():
    subjects = [f"subject {number}" for number in range(10_000)]
    counts = Counter(map(split_of, subjects))
    # Five standard deviations of a binomial count, so that the hash has to be a fair one.
    for split, share in (("train", 0.60), ("dev", 0.15), ("test", 0.25)):
        assert abs(counts[split] - 10_000 * share) < 5 * (10_000 * share * (1 - share)) ** 0.5
    assert [split_of(subject) for subject in ("France", "Bosnia and Herzegovina", "Austria")] == [
        "train",
        "dev",
        "test",
    ]
