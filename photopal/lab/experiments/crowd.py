"""2 to 64 registered concepts: everyone in the prompt, or only whom the maps shortlist (method, 7.7).

All concepts of a seed stand in one row, people first, then pets, and neighbours form pairs. For every m the
row is cut into groups of m that are registered together. The same questions are asked for every m: about
every second pair, on photos of either of them, of nobody, of a lookalike, and on a near-duplicate. Everyone
and the shortlist are treated alike: no marks, and no name made likelier than the model has it. Intervals are
over blocks of four neighbours, which share their photos.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photopal.assistant.assistant import View
from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets.form import Dataset, DatasetConcept, Negative, Scenario
from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.crowd_table import tell
from photopal.lab.experiments.everyone import Crowd
from photopal.lab.experiments.exam import rows_of
from photopal.lab.experiments.form import Cell, Experiment, Figures
from photopal.lab.metrics.names import names_told
from photopal.lab.runs.learning import Learned, LearnOptions, register, told_concepts, tuning_photos
from photopal.lab.runs.outcomes import Captioned, Recognised
from photopal.lab.runs.posing import Examiner, Pose
from photopal.lab.runs.scoring import yes_shares
from photopal.lab.runs.telling import CAPTION_TOKENS
from photopal.library import ConceptRecord
from photopal.prompts import CAPTION_QUESTION, MOST_CONCEPTS, PromptConcept, recognition_question
from photopal.vlm.batch_decoder import GenerationRequest as Prompted
from photopal.vlm.batch_decoder import answer_batch
from photopal.vlm.placeholders import SLOTS

NAME = "crowd"
BLOCK = 4


@dataclass(frozen=True)
class Query:
    """One question for one concept of the row."""

    photo: Path
    place: int
    is_there: bool
    negative: Negative | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """Concepts registered together, and ways to ask for them."""

    rows: tuple[ConceptRecord, ...]
    bank: Bank
    examiner: Examiner

    def of(self, concept_id: int) -> ConceptRecord:
        """The concept with an id."""
        return next(row for row in self.rows if row.id == concept_id)


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register the whole row in groups of every size and ask the same each time."""
    dataset = bench.dataset(cell.seed)
    row = line_up(dataset, max(bench.plan.crowd))
    queries = list_queries(dataset, row, bench.plan.crowd_photos)
    blocks: list[dict[str, Figures]] = [{} for _ in range(-(-len(row) // BLOCK))]
    facts: dict[str, Any] = {"tokens": {}, "tuning_cpu_s": {}}
    for size in (size for size in bench.plan.crowd if size <= len(row)):
        ways = _Size(bench, dataset, row, size, cell.seed)
        for arm, figures, block in ways.ask(queries):
            blocks[block].setdefault(arm, {}).update(figures)
        facts["tokens"] |= ways.tokens
        if cell.seed == bench.plan.seeds[0]:
            facts["tuning_cpu_s"][str(size)] = ways.tuning_cost()
    return {}, {**facts, "blocks": blocks}


def line_up(dataset: Dataset, count: int) -> list[DatasetConcept]:
    """The concepts of plain scenarios, people first, no more than wanted."""
    plain = [one for scenario in dataset.scenarios if scenario.group == "plain" for one in scenario.concepts]
    return sorted(plain[:count], key=lambda one: one.kind)


def list_queries(dataset: Dataset, row: Sequence[DatasetConcept], photos: int) -> list[Query]:
    """What is asked for every m: about every second pair of neighbours."""
    alike = [photo for scenario in dataset.scenarios for photo in scenario.lookalikes]
    strangers = dataset.negatives.test
    asked = []
    for place in range(len(row)):
        partner = place ^ 1
        if place % BLOCK >= BLOCK // 2 or partner >= len(row):
            continue
        concept, other = row[place], row[partner]
        kind: Negative = "same kind" if concept.kind == other.kind else "other kind"
        for photo in concept.test[:photos]:
            asked += [Query(photo.path, place, True), Query(photo.path, partner, False, kind)]
        if strangers:
            asked.append(Query(strangers[place % len(strangers)].path, place, False, "random"))
        for negative in ("sibling", "near-duplicate"):
            mine = [p for p in alike if p.resembles == concept.name and p.negative == negative]
            asked += [Query(photo.path, place, False, photo.negative) for photo in mine[:1]]
    return asked


class _Size:
    """The row in groups of one size."""

    def __init__(
        self, bench: Bench, dataset: Dataset, row: Sequence[DatasetConcept], size: int, seed: int
    ) -> None:
        self.bench, self.row, self.size, self.seed = bench, row, size, seed
        self.strangers = list(dataset.negatives.train)
        self.tokens: dict[str, list[int]] = {f"shortlist {size}": [], f"all {size}": []}
        starts = range(0, len(row) - size + 1, size)
        asked = [start for start in starts if size >= BLOCK or start % BLOCK < BLOCK // 2]
        self.groups = [self._register(range(start, start + size)) for start in asked]

    def _register(self, places: Sequence[int]) -> Group:
        concepts = [self.row[place] for place in places]
        rows = tuple(
            ConceptRecord(id=place + 1, name=one.name, kind=one.kind, about=one.about, created_at="")
            for place, one in zip(places, concepts, strict=True)
        )
        shelf = self.bench.shelf
        strangers = shelf.features([photo.path for photo in self.strangers[:24]])
        how = LearnOptions(None, RegisterOptions(seed=self.seed))
        bank = register(shelf, rows, concepts, strangers, how)
        scenario = Scenario("crowd", tuple(concepts))
        learned = Learned(scenario, rows, bank, None, None, None, 0.0)
        return Group(rows, bank, Examiner(shelf, learned, bank, seed=self.seed))

    def ask(self, queries: Sequence[Query]) -> Iterator[tuple[str, Figures, int]]:
        """Arm, figures and block: recognition and names in captions, with the shortlist and with everyone."""
        has_all = self.bench.model.supports_prefix
        for group in self.groups:
            ids = {one.id for one in group.rows}
            mine = [query for query in queries if query.place + 1 in ids]
            for block in sorted({query.place // BLOCK for query in mine}):
                of_block = [query for query in mine if query.place // BLOCK == block]
                for arm in ("shortlist", "all") if has_all else ("shortlist",):
                    name = f"{arm} {self.size}"
                    told = self._recognise(arm, group, of_block)
                    told |= self._captions(arm, group, of_block)
                    yield name, told, block

    def _recognise(self, arm: str, group: Group, queries: Sequence[Query]) -> Figures:
        shares = self._short if arm == "shortlist" else self._everyone
        outcomes = []
        for query, share in zip(queries, shares(group, queries), strict=True):
            is_pair = query.negative in (None, "same kind", "other kind")
            authors = query.is_there if is_pair else None
            outcomes.append(Recognised("si_sq", query.is_there, authors, share, 0.5, query.negative))
        return rows_of("recognition", outcomes)

    def _short(self, group: Group, queries: Sequence[Query]) -> list[float]:
        """p(Yes) with whom the question names and whom the maps find there in the prompt."""
        shares = []
        for query in queries:
            concept = group.of(query.place + 1)
            view = group.examiner.view(query.photo)
            seen = [one for one in _seen(view) if one.id != concept.id]
            pose = self._pose(group, [concept, *seen[: MOST_CONCEPTS - 1]], query.photo)
            shares += yes_shares(group.examiner, pose, [(concept.name,)])
            encoded = group.examiner.encode(pose, recognition_question(concept.name))
            self.tokens[f"shortlist {self.size}"].append(int(encoded.ids.shape[0]))
        return shares

    def _everyone(self, group: Group, queries: Sequence[Query]) -> list[float]:
        """p(Yes) with the whole group in the prompt."""
        told: dict[tuple[Path, int], float] = {}
        crowd = None
        for path in dict.fromkeys(query.photo for query in queries):
            [features] = self.bench.shelf.features([path])
            crowd = crowd or Crowd(self.bench.model, group.bank, features)
            ids = [query.place + 1 for query in queries if query.photo == path]
            told |= {(path, i): p for i, p in zip(ids, crowd.yes_shares(features, ids), strict=True)}
            self.tokens[f"all {self.size}"].append(crowd.prompt_length(features))
        return [told[query.photo, query.place + 1] for query in queries]

    def _pose(self, group: Group, chosen: Sequence[ConceptRecord], path: Path) -> Pose:
        if not chosen:
            return Pose((), (), None, self.bench.shelf.features([path])[0])
        rows = group.bank.embeddings([one.id for one in chosen], [one.name for one in chosen])
        offered = tuple(PromptConcept(count) for count in rows.soft_token_counts)
        return Pose(tuple(rows.names), offered, rows, self.bench.shelf.features([path])[0])

    def _captions(self, arm: str, group: Group, queries: Sequence[Query]) -> Figures:
        """Names in captions of photos of one concept and of nobody; everyone where the prompt has room."""
        if arm == "all" and self.size > SLOTS:
            return {}
        nobody = [query.photo for query in queries if query.negative == "random"]
        photos: dict[Path, int | None] = dict.fromkeys(nobody)
        photos |= {query.photo: query.place + 1 for query in queries if query.is_there}
        prompted = []
        for path in photos:
            chosen = group.rows if arm == "all" else _seen(group.examiner.view(path))[:MOST_CONCEPTS]
            pose = self._pose(group, chosen, path)
            encoded = group.examiner.encode(pose, CAPTION_QUESTION)
            prompted.append(Prompted(encoded, pose.features, pose.rows, CAPTION_TOKENS))
        captions = answer_batch(self.bench.model, prompted)
        known = [one.name for one in group.rows]
        outcomes = []
        for words, concept_id in zip(captions, photos.values(), strict=True):
            truth = [] if concept_id is None else [group.of(concept_id).name]
            names = names_told(words, truth, known)
            outcomes.append(Captioned("si_sq", True, float("nan"), names, float("nan")))
        told = rows_of("caption", outcomes)
        wanted = ("caption: F1 of names, all offered", "caption: wrong names a photo, all offered")
        return {figure: told[figure] for figure in wanted}

    def tuning_cost(self) -> float:
        """Processor seconds of tuning the first group for as many passes as the plan says."""
        group, plan = self.groups[0], self.bench.plan
        concepts = group.examiner.learned.scenario.concepts
        photos = tuning_photos(self.bench.shelf, group.bank, concepts, self.strangers)
        options = replace(plan.tune(self.seed), epochs=plan.crowd_epochs)
        started = time.process_time()
        self.bench.tune(group.examiner.learned, photos, options, concepts=told_concepts(group.rows))
        return time.process_time() - started


def _seen(view: View) -> list[ConceptRecord]:
    """Whom the maps find on a photo, the surest first."""
    return [sighting.concept for sighting in view.sightings if sighting.is_present]


EXPERIMENT = Experiment(NAME, run, tell)
