"""Every chapter in the smoke profile, through the runner as a user calls it, and the claims of each chapter."""

import itertools
import json
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from book.runner.pages import ROOT, pages

pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "book.runner", "--profile", "smoke", "--build", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def noted(build):
    """The numbers of each chapter."""
    files = (build / "results" / "smoke").glob("*.json")
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def numbered():
    """The chapters; other notebooks say how to, or are for reference."""
    return [page for page in pages() if re.match(r"book/\d\d-", page.name)]


def test_every_page_was_built(build):
    for page in pages():
        html = BeautifulSoup((build / "html" / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")
        assert html.find("h1")
        assert "Traceback" not in html.text


def test_chapters_show_figures_and_computed_numbers(build):
    for page in numbered():
        html = BeautifulSoup((build / "html" / f"{page.name}.html").read_text(encoding="utf-8"), "html.parser")
        assert html.select("article img")
        assert html.select(".pasted-text")
        assert not [element.text for element in html.select(".pasted-text") if "nan" in element.text.lower()]


def test_solutions_are_hidden_and_were_run(build):
    for page in numbered():
        notebook = json.loads((build / "executed" / "smoke" / f"{page.name}.ipynb").read_text(encoding="utf-8"))
        solutions = [cell for cell in notebook["cells"] if "solution" in cell["metadata"].get("tags", [])]
        assert solutions, f"{page.name} has no exercise with a solution"
        for cell in solutions:
            assert "hide-cell" in cell["metadata"]["tags"]
            assert cell["execution_count"]


def test_the_pocket_models_know_more_than_a_plain_question_gets_out_of_them(noted):
    chapter = noted["00-pocket-models"]
    assert chapter["lowest_recall"] >= 0.9
    assert chapter["highest_mean_manual"] < chapter["lowest_recall"]
    assert chapter["exercise_better"] > chapter["exercise_plain"] + 0.1


def test_a_tuned_prompt_beats_the_manual_template_and_a_random_prompt(noted):
    chapter = noted["01-prompt-tuning"]
    for model in ("bert", "gpt2"):
        assert chapter[f"{model}_tuned"] > chapter[f"{model}_random"] + 0.5
        assert chapter[f"{model}_tuned"] > 0.9
    assert chapter["gpt2_tuned"] > chapter["gpt2_manual"] + 3 * chapter["gpt2_tuned_spread"]


def test_the_prompt_asks_and_does_not_answer(noted):
    chapter = noted["01-prompt-tuning"]
    assert max(chapter["untrained"], chapter["frequent"]) < chapter["bert_tuned"] - 0.5


def test_a_copied_prompt_is_worth_little(noted):
    chapter = noted["01-prompt-tuning"]
    assert chapter["copied"] + 3 * chapter["copied_spread"] < chapter["bert_tuned"] - 0.3


def test_more_facts_make_a_better_prompt(noted):
    chapter = noted["01-prompt-tuning"]
    assert chapter["few_most"] > chapter["few_one"] + 0.1


def test_prompt_vectors_lie_away_from_words(noted):
    chapter = noted["01-prompt-tuning"]
    assert chapter["away"] > 1.5 * chapter["between"]


def test_relations_survive_a_turn_and_numbers_do_not(noted):
    chapter = noted["02-relative-encoding"]
    assert chapter["carried_turned"] > chapter["carried_straight"] - 0.02
    assert chapter["copied_turned"] + 3 * chapter["copied_turned_spread"] < chapter["carried_turned"] - 0.3


def test_models_agree_about_words_by_their_relations(noted):
    chapter = noted["02-relative-encoding"]
    assert abs(chapter["raw"]) < chapter["seen"] - 0.2
    assert chapter["seen"] > chapter["strangers"] + 0.3
    assert chapter["again_roberta"] > 20 * chapter["chance"]


def test_transfer_beats_copy_and_random_by_more_than_the_spread(noted):
    chapter = noted["03-transfer-search"]
    for rival in ("copy", "random"):
        spread = chapter["equal_closed_form_spread"] + chapter[f"equal_{rival}_spread"]
        assert chapter["equal_closed_form"] > chapter[f"equal_{rival}"] + 3 * spread + 0.1


def test_the_closed_form_is_no_worse_than_the_search_and_far_faster(noted):
    chapter = noted["03-transfer-search"]
    assert chapter["search_exact"] > chapter["search"] - 0.02
    assert chapter["ratio"] > 3  # of the few steps that the smoke profile makes


def test_prompts_in_shared_words_travel_better_and_cost_little_at_home(noted):
    chapter = noted["03-transfer-search"]
    spread = chapter["shared_words_spread"] + chapter["closed_form_spread"]
    assert chapter["shared_words"] > chapter["closed_form"] + spread + 0.05
    assert chapter["own_words"] > 0.85 * chapter["own_free"]  # after 60 of the 200 steps


def test_a_carried_prompt_is_a_head_start(noted):
    chapter = noted["03-transfer-search"]
    assert chapter["start_carried"] > chapter["start_random"] + 0.03  # after five steps, on two easy relations


def test_company_makes_a_target_s_own_prompt_worse(noted):
    chapter = noted["04-many-sources"]
    assert chapter["among_1"] > chapter["among_2"] + 0.02


def test_a_growing_pull_brings_the_words_back(noted):
    chapter = noted["05-waywardness"]
    distances, likeness = chapter["distance_by_gamma"], chapter["f1_by_gamma"]
    assert all(later < earlier for earlier, later in itertools.pairwise(distances))
    assert all(later > earlier - 0.02 for earlier, later in itertools.pairwise(likeness))
    assert likeness[0] < 0.97
    assert likeness[-1] > 0.99


def test_a_prompt_reads_as_a_text_and_does_its_task(noted):
    chapter = noted["05-waywardness"]
    assert chapter["f1_one"] > 0.95
    assert chapter["accuracy_one"] > 0.9
    assert chapter["alone_another"] < 0.2
    assert chapter["nudge"] < 0.5


def test_the_pull_does_what_the_start_alone_does_not(noted):
    chapter = noted["05-waywardness"]
    assert chapter["random_f1_free"] < 0.3
    assert chapter["random_f1_one"] > 0.8


def test_wayward_prompts_do_not_travel_as_prompts_that_only_start_at_words_do(noted):
    chapter = noted["06-do-wayward-prompts-travel"]
    assert chapter["home_one"] > 0.9
    assert chapter["masked_free"] > chapter["masked_one"] + 0.1
    assert chapter["masked_ten"] < chapter["masked_ordinary"]


def test_prompts_in_shared_words_travel_where_wayward_ones_do_not(noted):
    chapter = noted["06-do-wayward-prompts-travel"]
    assert chapter["abroad_shared_small"] > chapter["abroad_wayward_small"] + 0.2


def test_a_prompt_of_peft_is_read_and_prompts_behind_the_text_arrive(noted):
    page = noted["how-to-adapters"]
    assert page["home"] > 0.5
    assert page["behind_there"] > page["before_there"] + 0.3
