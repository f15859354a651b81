"""2 to 64 registered concepts: everyone in the prompt, or only whom the maps shortlist (method, 7.7).

All concepts of a seed stand in one row, people first, then pets, and neighbors form pairs. For every m the
row is cut into groups of m that are registered together. The same questions are asked for every m: about
every second pair, on photos of either of them, of nobody, of a lookalike, and on a near-duplicate. Everyone
and the shortlist are treated alike: no marks, and no name made likelier than the model has it. Beside them
stand captions as photopal writes them, with its whole decision. Where the model cannot read registered
embeddings, concepts stand in prompts in its own words, as after `photopal add-concept`. Intervals are over
blocks of four neighbors, which share their photos.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from photopal.assistant.assistant import PhotoAnalysis
from photopal.assistant.captioner import CAPTION_TOKENS, write_captions
from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.wording import begin_in_words, reads_embeddings
from photopal.lab.datasets.scenario import Dataset, DatasetConcept, Negative, Scenario
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.evaluator import Evaluator, PromptSetup, yes_shares
from photopal.lab.experiments.learned_scenario import (
    MOST_NEGATIVES,
    LearnedScenario,
    LearningOptions,
    examples_of_each,
    register,
    say_of_each,
    some_of,
    tuning_concepts,
    tuning_photos,
)
from photopal.lab.experiments.measures import CaptionResult, RecognitionResult
from photopal.lab.experiments.results import (
    Experiment,
    Figures,
    Plot,
    Result,
    Results,
    Run,
    Section,
    Table,
    Verdict,
    difference,
    estimate,
    mean_of,
    number,
)
from photopal.lab.experiments.tables import at_least, at_most, compare, line, rests_on, shown
from photopal.lab.experiments.tasks import rows_of
from photopal.lab.metrics.text_scores import count_names
from photopal.library import ConceptRecord
from photopal.prompts import (
    CAPTION_QUESTION,
    MOST_CONCEPTS,
    PromptConcept,
    build_prompt,
    recognition_question,
)
from photopal.prompts import templates as questions
from photopal.text import count
from photopal.tuning import tune_bank
from photopal.vlm.batch_decoder import GenerationRequest as Prompted
from photopal.vlm.batch_decoder import answer_batch
from photopal.vlm.kv_cache import copy_past
from photopal.vlm.placeholders import SLOTS, name_placeholder
from photopal.vlm.protocol import EncodedPrompt, PhotoFeatures, PrefixCache, VisionModel

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan


class FullPrompt:
    """All concepts of a bank in one prompt.

    A prompt has placeholders for 16 concepts. More are put in as several blocks, one after another, whose
    embeddings are laid in block by block, so that everyone stands between the photo and the question.

    Args:
        model: Must be able to go on from a photo's keys and values.
        bank: Who is in it.
        features: Of any photo, to write prompts with.
    """

    def __init__(self, model: VisionModel, bank: Bank, features: PhotoFeatures) -> None:
        self._model, self._bank = model, bank
        ids = list(bank.concepts)
        chunks = [ids[start : start + SLOTS] for start in range(0, len(ids), SLOTS)]
        parts = [self._embedded(chunks[0], features, is_first=True)]
        # What stands between two concepts: a full stop and a space.
        encoded = self._encode((1, 1), "-", features)
        concept = torch.nonzero(encoded.ids >= self._model.vocab_size)[:, 0].tolist()
        first_ends = next(index for index in concept if encoded.ids[index] >= self._model.vocab_size + SLOTS)
        second = next(index for index in concept if index > first_ends)
        between = self._model.embed_ids(encoded.ids[first_ends + 1 : second])
        for chunk in chunks[1:]:
            parts += [between, self._embedded(chunk, features, is_first=False)]
        self._block = torch.cat(parts)  # [tokens, hidden], from the end of the photo to the last soft token

    def __len__(self) -> int:
        """How many tokens the concepts take in a prompt."""
        return int(self._block.shape[0])

    def prompt_length(self, features: PhotoFeatures) -> int:
        """How many tokens the recognition question takes with everyone, from the first token to the last."""
        one = self._encode((1,), recognition_question(name_placeholder(0)), features)
        question = int(one.ids.shape[0]) - self._block_end(one)
        return one.image_end + len(self) + question

    def _encode(self, counts: Sequence[int], question: str, features: PhotoFeatures) -> EncodedPrompt:
        return self._model.encode_prompt(build_prompt(question, [PromptConcept(k) for k in counts]), features)

    def _block_end(self, encoded: EncodedPrompt) -> int:
        """Where the last soft token ends; the full stop after it goes with what follows."""
        return int(torch.nonzero(encoded.ids >= self._model.vocab_size + SLOTS)[-1]) + 1

    def _embedded(self, ids: Sequence[int], features: PhotoFeatures, *, is_first: bool) -> Tensor:
        encoded = self._encode([self._bank.concepts[i].token_count for i in ids], "-", features)
        name = int(torch.nonzero(encoded.ids >= self._model.vocab_size)[0])
        written = encoded.ids[encoded.image_end if is_first else name : self._block_end(encoded)]
        return self._model.embed_ids(written, self._bank.embeddings(ids, [str(i) for i in ids]))

    @torch.no_grad()
    def yes_shares(self, features: PhotoFeatures, asked: Sequence[int]) -> list[float]:
        """p(Yes) of the recognition question for concepts, on one photo."""
        prefix = self._begun(features)
        encoded = self._encode((1,), recognition_question(name_placeholder(0)), features)
        question = encoded.ids[self._block_end(encoded) :]
        suffixes = [self._model.embed_ids(question, self._bank.embeddings([i], [str(i)])) for i in asked]
        hidden = torch.stack([states[-1] for states in self._model.forward_packed(prefix, suffixes)])
        words = [int(self._model.answer_ids(word)[0]) for word in (questions.YES, questions.NO)]
        shares: list[float] = torch.softmax(self._model.logits(hidden)[:, words], dim=-1)[:, 0].tolist()
        return shares

    def _begun(self, features: PhotoFeatures) -> PrefixCache:
        """Keys and values of the photo and of everyone."""
        encoded = self._model.encode_prompt(build_prompt("-"), features)
        photo = self._model.encode_prefix(encoded, features)
        past = copy_past(photo)
        positions = photo.next_position + torch.arange(len(self), device=self._block.device)
        self._model.forward(self._block[None], positions=positions[None], past=past)
        ids = torch.cat([photo.ids, photo.ids.new_zeros(len(self))])
        return PrefixCache(ids, photo.next_position + len(self), past)


NAME = "many"
WEIGHTED = "recognition: weighted"
AREA = "recognition: AUROC of p(yes)"
F1, WRONG = "caption: F1 of names, all offered", "caption: wrong names per photo, all offered"
KINDS = ("random", "same kind", "sibling", "near-duplicate")
WAYS = {"shortlist": "shortlist of at most 4", "all": "everyone in the prompt"}
WRITTEN = "written"
CAPTION_WAYS = WAYS | {WRITTEN: "as photopal writes captions"}
MOST_WRONG = 0.05
ALLOWED_LOSS = 0.03
REFERENCE = 4


def in_blocks(runs: Sequence[Result]) -> list[Result]:
    """The blocks of every run as results of their own, over which intervals are taken."""
    blocks = []
    for result in runs:
        seconds = result.cpu_seconds / max(1, len(result.facts["blocks"]))
        for index, conditions in enumerate(result.facts["blocks"]):
            if conditions:
                blocks.append(
                    Result(
                        run=result.run,
                        scenario=f"block {index}",
                        group="plain",
                        conditions=conditions,
                        facts={},
                        cpu_seconds=seconds,
                    )
                )
    return blocks


def summarize(results: Results, plan: Plan) -> Section:
    """Tables over m, curves, and the claim about the shortlist."""
    runs = list(results[NAME])
    blocks = in_blocks(runs)
    sizes = plan.crowd
    conditions = _conditions(WAYS, sizes)
    kinds = [f"recognition: FPR at recall 0.9, {kind}" for kind in KINDS]
    room = "On photos of one concept and of nobody. A prompt has room for 16 concepts to name."
    compared = (
        compare("Registered concepts: recognition", blocks, conditions, (WEIGHTED, AREA)),
        compare("False positives at recall 0.9 against m", blocks, conditions, kinds),
        compare("Names in captions", blocks, _conditions(CAPTION_WAYS, sizes), (F1, WRONG), note=room),
    )
    tables = (*(_of_blocks(table, blocks, runs) for table in compared), _costs(runs, sizes))
    lines = [
        line(words, {float(m): estimate(blocks, f"{way} {m}", WEIGHTED) for m in sizes})
        for way, words in WAYS.items()
    ]
    negatives = [
        line(kind, {float(m): estimate(blocks, f"shortlist {m}", figure) for m in sizes})
        for kind, figure in zip(KINDS, kinds, strict=True)
    ]
    x = "registered concepts"
    plots = (
        Plot(
            name="crowd",
            title="Many registered concepts",
            x=x,
            y="recognition, weighted",
            lines=tuple(lines),
            is_log=True,
        ),
        Plot(
            name="crowd-lookalikes",
            title="Who is taken for a concept, with the shortlist",
            x=x,
            y="false positives at recall 0.9",
            lines=tuple(negatives),
            is_log=True,
        ),
    )
    about = (
        "Embeddings are registered, not tuned. The questions and photos are the same for every m; "
        "intervals are over blocks of four consecutive concepts. Neither the prompts with a shortlist nor "
        "those with all concepts have marks, and their captions are generated without further checks; "
        "those that photopal writes have both. A model that cannot read registered embeddings is given what "
        "it says itself of each concept, and only photopal's own captions have names there. Prompts with "
        "more than 16 concepts are composed of several "
        "blocks; those with 64 are longer than any in the bundled model's training."
    )
    return Section(
        title="Many registered concepts",
        about=about,
        tables=tables,
        plots=plots,
        verdicts=tuple(_verdicts(blocks, sizes)),
    )


def _conditions(ways: Mapping[str, str], sizes: Sequence[int]) -> dict[str, str]:
    return {f"{way} {m}": f"m = {m}, {words}" for m in sizes for way, words in ways.items()}


def _of_blocks(table: Table, blocks: Sequence[Result], runs: Sequence[Result]) -> Table:
    """A table that says what it rests on: blocks of a few crowds, not scenarios."""
    crowds = count(len(runs), "crowd")
    words = f"{count(len(blocks), 'block')} of four neighbours in {crowds}"
    note = table.note.replace(count(len(blocks), "scenario"), words, 1)
    return replace(table, note=note)


def _verdicts(blocks: Sequence[Result], sizes: Sequence[int]) -> list[Verdict]:
    most = max(sizes)
    reference = REFERENCE if REFERENCE in sizes else min(sizes)
    found = difference(blocks, WEIGHTED, (f"shortlist {most}", f"shortlist {reference}"))
    claim = f"shortlisted at m = {most} − at m = {reference}, weighted recognition"
    within = replace(at_least(claim, found, -ALLOWED_LOSS, NAME), target=f"≥ −{ALLOWED_LOSS}")
    everyone = estimate(blocks, f"all {most}", WEIGHTED)
    wrong = estimate(blocks, f"{WRITTEN} {most}", WRONG)
    verdicts = (
        within,
        shown(f"… everyone in the prompt at m = {most}", everyone, NAME, "curve shown"),
        at_most(f"wrong names per photo in captions at m = {most}", wrong, MOST_WRONG, NAME),
    )
    return [replace(one, basis=one.basis.replace("scenario", "block")) for one in verdicts]


def _costs(runs: Sequence[Result], sizes: Sequence[int]) -> Table:
    rows = []
    for m in sizes:
        tuning = mean_of(runs, lambda r, m=m: r.facts["tuning_cpu_s"].get(str(m), math.nan))  # type: ignore[misc]
        short = mean_of(runs, lambda r, m=m: _mean(r.facts["tokens"][f"shortlist {m}"]))  # type: ignore[misc]
        whole = mean_of(runs, lambda r, m=m: _mean(r.facts["tokens"][f"all {m}"]))  # type: ignore[misc]
        spent = (number(tuning.value, 1), number(tuning.value / m, 2))
        rows.append((str(m), *spent, number(short.value, 0), number(whole.value, 0)))
    columns = ("m", "tuning, one pass, CPU s", "a concept, CPU s", "tokens, shortlist", "tokens, everyone")
    return Table("Cost of tuning and length of prompts", columns, tuple(rows), rests_on(runs))


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else math.nan


BLOCK = 4


@dataclass(frozen=True)
class Query:
    """One question for one concept of the row."""

    photo: Path
    index: int
    is_there: bool
    negative: Negative | None = None


@dataclass(frozen=True, eq=False)
class ConceptGroup:
    """Concepts registered together, and ways to ask for them."""

    rows: tuple[ConceptRecord, ...]
    bank: Bank
    evaluator: Evaluator

    def of(self, concept_id: int) -> ConceptRecord:
        """The concept with an id."""
        return next(row for row in self.rows if row.id == concept_id)


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register the whole row in groups of every size and ask the same each time."""
    dataset = context.dataset(run.seed)
    row = line_up(dataset, max(context.plan.crowd))
    queries = list_queries(dataset, row, context.plan.crowd_photos)
    blocks: list[dict[str, Figures]] = [{} for _ in range(-(-len(row) // BLOCK))]
    facts: dict[str, Any] = {"tokens": {}, "tuning_cpu_s": {}}
    words = _words_of(context, dataset, row, run.seed)
    for size in (size for size in context.plan.crowd if size <= len(row)):
        ways = _GroupSize(context, dataset, row, size, run.seed, words=words)
        for condition, figures, block in ways.ask(queries):
            blocks[block].setdefault(condition, {}).update(figures)
        facts["tokens"] |= ways.tokens
        if run.seed == context.plan.seeds[0]:
            facts["tuning_cpu_s"][str(size)] = ways.tuning_cost()
    return {}, {**facts, "blocks": blocks}


def _words_of(
    context: ExperimentContext, dataset: Dataset, row: Sequence[DatasetConcept], seed: int
) -> dict[int, str]:
    """What the model says of each concept, by id, where it cannot read registered embeddings."""
    negatives = context.store.features([photo.path for photo in dataset.negatives.train[:MOST_NEGATIVES]])
    everyone = _learn(context, row, range(len(row)), negatives, seed)
    examples = examples_of_each(context.store, everyone, negatives)
    if reads_embeddings(context.model, everyone.registered, some_of(examples)):
        return {}
    return say_of_each(context.store, everyone, examples)


def _learn(
    context: ExperimentContext,
    row: Sequence[DatasetConcept],
    indices: Sequence[int],
    negatives: Sequence[PhotoFeatures],
    seed: int,
) -> LearnedScenario:
    """Register some of the row together."""
    concepts = [row[index] for index in indices]
    rows = tuple(
        ConceptRecord(id=index + 1, name=one.name, kind=one.kind, about=one.about, created_at="")
        for index, one in zip(indices, concepts, strict=True)
    )
    bank = register(
        context.store, rows, concepts, negatives, LearningOptions(None, RegisterOptions(seed=seed))
    )
    return LearnedScenario(
        scenario=Scenario("crowd", tuple(concepts)),
        concepts=rows,
        registered=bank,
        tuned=None,
        foreign=None,
        report=None,
        seconds=0.0,
    )


def line_up(dataset: Dataset, count: int) -> list[DatasetConcept]:
    """The concepts of plain scenarios, people first, no more than wanted."""
    plain = [one for scenario in dataset.scenarios if scenario.group == "plain" for one in scenario.concepts]
    return sorted(plain[:count], key=lambda one: one.kind)


def list_queries(dataset: Dataset, row: Sequence[DatasetConcept], photos: int) -> list[Query]:
    """What is asked for every m: about every second pair of neighbors."""
    alike = [photo for scenario in dataset.scenarios for photo in scenario.lookalikes]
    negatives = dataset.negatives.test
    asked = []
    for index in range(len(row)):
        partner = index ^ 1
        if index % BLOCK >= BLOCK // 2 or partner >= len(row):
            continue
        concept, other = row[index], row[partner]
        kind: Negative = "same kind" if concept.kind == other.kind else "other kind"
        for photo in concept.test[:photos]:
            asked += [Query(photo.path, index, True), Query(photo.path, partner, False, kind)]
        if negatives:
            asked.append(Query(negatives[index % len(negatives)].path, index, False, "random"))
        for negative in ("sibling", "near-duplicate"):
            mine = [p for p in alike if p.resembles == concept.name and p.negative == negative]
            asked += [Query(photo.path, index, False, photo.negative) for photo in mine[:1]]
    return asked


class _GroupSize:
    """The row in groups of one size."""

    def __init__(
        self,
        context: ExperimentContext,
        dataset: Dataset,
        row: Sequence[DatasetConcept],
        size: int,
        seed: int,
        *,
        words: Mapping[int, str],
    ) -> None:
        self.context, self.row, self.size, self.seed = context, row, size, seed
        self.negatives = list(dataset.negatives.train)
        self.tokens: dict[str, list[int]] = {f"shortlist {size}": [], f"all {size}": []}
        starts = range(0, len(row) - size + 1, size)
        asked = [start for start in starts if size >= BLOCK or start % BLOCK < BLOCK // 2]
        self.groups = [self._register(range(start, start + size), words) for start in asked]

    def _register(self, indices: Sequence[int], words: Mapping[int, str]) -> ConceptGroup:
        store = self.context.store
        negatives = store.features([photo.path for photo in self.negatives[:MOST_NEGATIVES]])
        learned = _learn(self.context, self.row, indices, negatives, self.seed)
        bank = learned.registered
        if words:
            said = {one.id: words[one.id] for one in learned.concepts}
            examples = examples_of_each(store, learned, negatives)
            bank = begin_in_words(self.context.model, bank, said, some_of(examples))
        return ConceptGroup(learned.concepts, bank, Evaluator(store, learned, bank, seed=self.seed))

    def ask(self, queries: Sequence[Query]) -> Iterator[tuple[str, Figures, int]]:
        """Arm, figures and block: recognition and names in captions, with the shortlist and with everyone."""
        has_all = self.context.model.supports_prefix
        for group in self.groups:
            ids = {one.id for one in group.rows}
            mine = [query for query in queries if query.index + 1 in ids]
            for block in sorted({query.index // BLOCK for query in mine}):
                of_block = [query for query in mine if query.index // BLOCK == block]
                for condition in ("shortlist", "all") if has_all else ("shortlist",):
                    name = f"{condition} {self.size}"
                    figures = self._recognize(condition, group, of_block)
                    figures |= self._captions(condition, group, of_block)
                    yield name, figures, block
                yield f"{WRITTEN} {self.size}", self._captions(WRITTEN, group, of_block), block

    def _recognize(self, condition: str, group: ConceptGroup, queries: Sequence[Query]) -> Figures:
        shares = self._short if condition == "shortlist" else self._everyone
        outcomes = []
        for query, share in zip(queries, shares(group, queries), strict=True):
            is_pair = query.negative in (None, "same kind", "other kind")
            authors = query.is_there if is_pair else None
            outcomes.append(
                RecognitionResult(
                    kind="si_sq",
                    is_there=query.is_there,
                    authors_say=authors,
                    probability=share,
                    threshold=0.5,
                    negative=query.negative,
                )
            )
        return rows_of("recognition", outcomes)

    def _short(self, group: ConceptGroup, queries: Sequence[Query]) -> list[float]:
        """p(Yes) with whom the question names and whom the maps find there in the prompt."""
        shares = []
        for query in queries:
            concept = group.of(query.index + 1)
            analysis = group.evaluator.analysis(query.photo)
            seen = [one for one in _seen(analysis) if one.id != concept.id]
            setup = self._set_up(group, [concept, *seen[: MOST_CONCEPTS - 1]], query.photo)
            shares += yes_shares(group.evaluator, setup, [(concept.name,)])
            encoded = group.evaluator.encode(setup, recognition_question(concept.name))
            self.tokens[f"shortlist {self.size}"].append(int(encoded.ids.shape[0]))
        return shares

    def _everyone(self, group: ConceptGroup, queries: Sequence[Query]) -> list[float]:
        """p(Yes) with the whole group in the prompt."""
        probabilities: dict[tuple[Path, int], float] = {}
        everyone = None
        for path in dict.fromkeys(query.photo for query in queries):
            [features] = self.context.store.features([path])
            everyone = everyone or FullPrompt(self.context.model, group.bank, features)
            ids = [query.index + 1 for query in queries if query.photo == path]
            probabilities |= {
                (path, i): p for i, p in zip(ids, everyone.yes_shares(features, ids), strict=True)
            }
            self.tokens[f"all {self.size}"].append(everyone.prompt_length(features))
        return [probabilities[query.photo, query.index + 1] for query in queries]

    def _set_up(self, group: ConceptGroup, chosen: Sequence[ConceptRecord], path: Path) -> PromptSetup:
        if not chosen:
            return PromptSetup((), (), None, self.context.store.features([path])[0])
        rows = group.bank.embeddings([one.id for one in chosen], [one.name for one in chosen])
        offered = tuple(group.bank.concepts[one.id].in_prompt() for one in chosen)
        return PromptSetup(tuple(rows.names), offered, rows, self.context.store.features([path])[0])

    def _captions(self, condition: str, group: ConceptGroup, queries: Sequence[Query]) -> Figures:
        """Names in captions of photos of one concept and of nobody.

        Prompts offer names as embeddings: everyone's only where there is room, and nobody's in words.
        """
        in_words = any(concept.words for concept in group.bank.concepts.values())
        if condition != WRITTEN and (in_words or (condition == "all" and self.size > SLOTS)):
            return {}
        nobody = [query.photo for query in queries if query.negative == "random"]
        photos: dict[Path, int | None] = dict.fromkeys(nobody)
        photos |= {query.photo: query.index + 1 for query in queries if query.is_there}
        if condition == WRITTEN:
            analyses = group.evaluator.analyses(list(photos))
            captions = write_captions(group.evaluator.assistant, analyses)
        else:
            prompted = []
            for path in photos:
                seen = _seen(group.evaluator.analysis(path))[:MOST_CONCEPTS]
                setup = self._set_up(group, group.rows if condition == "all" else seen, path)
                encoded = group.evaluator.encode(setup, CAPTION_QUESTION)
                prompted.append(Prompted(encoded, setup.features, setup.rows, CAPTION_TOKENS))
            captions = answer_batch(self.context.model, prompted)
        known = [one.name for one in group.rows]
        outcomes = []
        for words, concept_id in zip(captions, photos.values(), strict=True):
            truth = [] if concept_id is None else [group.of(concept_id).name]
            names = count_names(words, truth, known)
            outcomes.append(
                CaptionResult(
                    kind="si_sq", has_offer=True, substrings=float("nan"), names=names, words=float("nan")
                )
            )
        figures = rows_of("caption", outcomes)
        wanted = ("caption: F1 of names, all offered", "caption: wrong names per photo, all offered")
        return {figure: figures[figure] for figure in wanted}

    def tuning_cost(self) -> float:
        """CPU seconds of tuning the first group for as many passes as the plan says."""
        group, plan = self.groups[0], self.context.plan
        concepts = group.evaluator.learned.scenario.concepts
        photos = tuning_photos(self.context.store, group.bank, concepts, self.negatives)
        options = replace(plan.tune(self.seed), epochs=plan.crowd_epochs)
        started = time.process_time()
        # A pass over the same questions in any bank, whatever the model makes of names.
        everyone = tuning_concepts(group.rows)
        tune_bank(self.context.model, group.evaluator.learned.registered, everyone, photos, options)
        return time.process_time() - started


def _seen(analysis: PhotoAnalysis) -> list[ConceptRecord]:
    """Whom the maps find on a photo, the surest first."""
    return [sighting.concept for sighting in analysis.sightings if sighting.is_present]


EXPERIMENT = Experiment(NAME, compute, summarize)
