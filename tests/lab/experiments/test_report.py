"""The whole report on a tiny model: every experiment, kept results, budgets, the page."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import pytest

from photopal.errors import UsageError
from photopal.lab.experiments.plan import FULL, QUICK, Share
from photopal.lab.experiments.results import Result, ResultStore, Run
from photopal.lab.experiments.runner import (
    EXPERIMENTS,
    BudgetAccount,
    RunEnvironment,
    list_runs,
    make_report,
    take_next,
)
from photopal.lab.experiments.tables import ReportHeading, write_report
from photopal.tuning import TuneOptions

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tiny_llava, tiny_plan, tmp_path_factory):
    return RunEnvironment(tiny_llava, "cpu", tiny_plan, tmp_path_factory.mktemp("report"), workers=0)


@pytest.fixture(scope="module")
def made(environment, short_answers):
    return make_report(environment)


def test_every_experiment_has_cells_and_tells_tables(made, tiny_plan):
    assert made.counts == {name: (s.plain + s.lookalike,) * 2 for name, s in tiny_plan.shares.items()}
    assert len(made.sections) == len(EXPERIMENTS)
    for section in made.sections:
        assert any(table.rows for table in section.tables), section.title
    figures = {one.claim: one.figure for section in made.sections for one in section.verdicts}
    assert len(figures) >= 20
    missing = [claim for claim, figure in figures.items() if figure != figure]
    # One plain scenario has no lookalike among its concepts, and ratios may be without end.
    assert len(missing) <= 2, missing


def test_what_is_kept_is_not_computed_again(environment, made):
    folder = environment.folder
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    gone = next(folder.glob("tokens-*.json"))
    kept = ResultStore(folder).get(Run("tokens", 0, 0))
    gone.unlink()
    told = []
    make_report(environment, ("tokens", "photos"), on_progress=lambda done, total, at: told.append(at))
    assert told == ["tokens-0-00"]
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert {name for name in before if before[name] != after[name]} == {gone.name}
    again = ResultStore(folder).get(Run("tokens", 0, 0))
    assert again is not None
    assert kept is not None
    assert again.conditions == kept.conditions


def test_anew_forgets_only_the_cells_of_the_experiments_wanted(environment, made, tmp_path):
    folder = tmp_path / "kept"
    shutil.copytree(environment.folder, folder)
    scene = next((folder / "scenes-0").rglob("*.png"))
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    drawn = scene.stat().st_mtime_ns
    make_report(replace(environment, folder=folder), ("tokens",), is_anew=True)
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert {name for name in before if before[name] != after[name]} == {"tokens-0-00.json"}
    assert scene.stat().st_mtime_ns == drawn


def test_whatever_makes_cells_come_out_otherwise_gives_another_folder(tiny_plan, monkeypatch):
    def key(plan, fingerprint="a", dtype="float32", device="cpu"):
        return plan.key(fingerprint, dtype=dtype, device=device)

    usual = key(tiny_plan)
    others = {
        key(tiny_plan, fingerprint="b"),
        key(tiny_plan, dtype="bfloat16"),
        key(tiny_plan, device="cuda"),
        key(replace(tiny_plan, order_epochs=5)),
        key(replace(tiny_plan, variants=7)),
    }
    monkeypatch.setattr("photopal.lab.experiments.plan.VERSION", -1)
    others.add(key(tiny_plan))
    monkeypatch.undo()
    monkeypatch.setattr("photopal.lab.experiments.plan.TuneOptions", partial(TuneOptions, learning_rate=0.5))
    others.add(key(tiny_plan))
    monkeypatch.undo()
    assert usual not in others
    assert len(others) == 7
    assert key(replace(tiny_plan, shares={}, margin_s=1.0, seeds=(0, 1))) == usual


def test_a_crowd_says_that_it_rests_on_blocks(made):
    [crowd] = [section for section in made.sections if section.title == "Many registered concepts"]
    assert "1 block of four neighbours in 1 crowd; seeds 0" in crowd.tables[0].note
    assert {verdict.basis for verdict in crowd.verdicts} == {"1 block, 1 seed"}


def test_baselines_are_ranked_by_recognition_at_their_own_thresholds(made):
    [section] = [one for one in made.sections if one.title == "Joint against separate, and baselines"]
    for table in (one for one in section.tables if one.title.startswith("Baselines")):
        assert table.columns[1] == "more negatives, own threshold"
        figures = [float(row[1].split()[0]) for row in table.rows]
        assert figures == sorted(figures, reverse=True)
        assert len(figures) == 7


def test_a_broken_file_counts_as_nothing_kept(tmp_path):
    stored, run = ResultStore(tmp_path), Run("tokens", 0, 3)
    stored.put(Result(run, "s", "plain", {"a": {"f": [[1.0]]}}, {"x": 1}, 0.5))
    assert stored.get(run) == Result(run, "s", "plain", {"a": {"f": [[1.0]]}}, {"x": 1}, 0.5)
    (tmp_path / "tokens-0-03.json").write_text("{", encoding="utf-8")
    assert stored.get(run) is None


def test_a_worker_process_computes_what_this_process_does(environment, made, tmp_path):
    apart = replace(environment, folder=tmp_path / "apart", workers=1)
    make_report(apart, ("photos",))
    first, second = (ResultStore(one.folder).get(Run("photos", 0, 0)) for one in (environment, apart))
    assert first is not None
    assert second is not None
    assert first.conditions["registered 3"].keys() == second.conditions["registered 3"].keys()


def test_a_budget_lets_the_first_cell_run_and_stops_before_it_is_exceeded(tiny_plan):
    plan = replace(tiny_plan, shares={"tokens": Share(9, 0, 25.0)})
    account = BudgetAccount(plan)
    assert account.allows("tokens", 0)
    account.add(Result(Run("tokens", 0, 0), "s", "plain", {}, {}, 10.0))
    assert account.allows("tokens", 0)
    assert not account.allows("tokens", 1)
    account.add(Result(Run("tokens", 0, 1), "s", "plain", {}, {}, 10.0))
    assert not account.allows("tokens", 0)


def test_a_second_run_waits_until_the_first_shows_what_one_costs(tiny_plan):
    account = BudgetAccount(
        replace(tiny_plan, shares={"many": Share(3, 0, 25.0), "order": Share(1, 0, 25.0)})
    )
    first, second, third = (Run("many", 0, index) for index in range(3))
    waiting = [first, second, third, Run("order", 0, 0)]
    assert take_next(waiting, [], account) == first
    assert take_next(waiting, [first], account) == Run("order", 0, 0)
    assert take_next(waiting, [first], account) is None
    account.add(Result(first, "s", "plain", {}, {}, 15.0))
    assert take_next(waiting, [], account) is None
    assert waiting == []


def test_the_plans_fit_their_hour_and_their_five_minutes_on_two_cores():
    assert FULL.budget_s / 2 < 60 * 60
    both_models = 2 * FULL.budget_s
    assert both_models / 2 < 75 * 60
    assert QUICK.budget_s / 2 < 5 * 60
    assert len(FULL.seeds) == 3
    assert FULL.shares["claims"].plain >= 20
    assert {run.experiment for run in list_runs(FULL)} == {run.experiment for run in list_runs(QUICK)}


def test_cells_come_from_every_seed_in_turn():
    seeds = [run.seed for run in list_runs(FULL, ("adding",))]
    assert seeds[:6] == [0, 1, 2, 0, 1, 2]
    assert {run.experiment for run in list_runs(FULL, ("calibration",))} == {"claims"}


def test_plain_and_lookalike_scenarios_come_in_proportion_at_every_point():
    share = FULL.shares["claims"]
    indices = [run.index for run in list_runs(FULL, ("claims",)) if run.seed == 1]
    assert len(set(indices)) == len(indices) == share.plain + share.lookalike
    for count in range(1, len(indices) + 1):
        plain = sum(index < FULL.drawn.scenarios for index in indices[:count])
        assert abs(plain - count * share.plain / len(indices)) < 1


def test_the_page_has_claims_tables_and_plots_and_keeps_what_was_written_by_hand(made, tmp_path):
    heading = ReportHeading(("tiny", "0" * 40), "tiny", (0,), made.counts, 1.0, 1.0, "photopal eval report")
    page = write_report(tmp_path, heading, made.sections)
    notes = tmp_path / "results" / "notes.md"
    assert "No notes on this run yet." in page.read_text(encoding="utf-8")
    notes.write_text("Marks do nothing, because …\n", encoding="utf-8")
    text = write_report(tmp_path, heading, made.sections).read_text(encoding="utf-8")
    assert "Marks do nothing, because …" in text
    assert notes.read_text(encoding="utf-8") == "Marks do nothing, because …\n"
    assert "`photopal eval report --only claims`" in text
    for section in made.sections:
        assert f"## {section.title}" in text
        for plot in section.plots:
            assert (tmp_path / "results" / f"{plot.name}.png").stat().st_size > 5000
            assert f"(results/{plot.name}.png)" in text


def test_an_unknown_experiment_is_refused_with_those_there_are(environment):
    with pytest.raises(UsageError, match="singing: no such experiment") as caught:
        make_report(environment, ("singing",))
    assert "initialization" in str(caught.value.hint)
