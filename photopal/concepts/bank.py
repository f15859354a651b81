"""The bank: everything learned about the concepts, in one safetensors file; knows no names and no SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from photopal.concepts.calibration import Calibration, without_bias
from photopal.errors import BankError
from photopal.files import atomic_path
from photopal.prompts import PromptConcept
from photopal.vlm.protocol import ConceptEmbeddings

FORMAT = 2
"""Of banks with concepts in words; the others are written as 1, which older versions can read too."""


class NewerBankError(BankError):
    """A newer photopal wrote the bank; it must not be overwritten."""


@dataclass(frozen=True, eq=False)
class BankConcept:
    """What was learned of one concept, on the CPU.

    Attributes:
        concept_id: Its id in the library.
        inputs: `[tokens + 1, hidden]` float32: identifier, then soft tokens.
        outputs: `[hidden]` float32: the identifier's output embedding.
        direction: `[width]` float32 unit vector for location maps.
        calibration: Its presence thresholds.
        references_key: Hash of its reference photos when it was made; another one means it is stale.
        is_tuned: Whether its embeddings went through tuning.
        corrections_key: Hash of the user's words of photos that its thresholds were learned with.
        separation: How well its threshold tells its reference photos, each left out, from others: the share
            of them above it less that of the others; None where that was not measured.
        words: What it looks like, such as "a black dog", where the model cannot read registered embeddings:
            all but recognition is asked in these, and its soft tokens are these until they are tuned; else
            empty.
        about: What the user said of its looks when it was registered or got its words; empty where nothing
            was said, so that the words are the model's own.
        yes_bias: How much the model is for Yes with its embeddings; see `fit_yes_bias`.
        held_out_key: Hash of the photos that its tuning held out; empty before tuning.
        made_from: Content hashes of those reference photos whose files were there when it was made; empty
            in banks of before.
    """

    concept_id: int
    inputs: Tensor
    outputs: Tensor
    direction: Tensor
    calibration: Calibration
    references_key: str
    is_tuned: bool = False
    corrections_key: str = ""
    separation: float | None = None
    words: str = ""
    about: str = ""
    yes_bias: float = 0.0
    held_out_key: str = ""
    made_from: tuple[str, ...] = ()

    @property
    def is_inline(self) -> bool:
        """Whether its soft tokens follow its name in questions; see `PromptConcept`."""
        return bool(self.words)

    def in_prompt(self, mark: int | None = None) -> PromptConcept:
        """What a prompt must know of it, with the number of its mark on the photo, if it has one."""
        return PromptConcept(self.token_count, mark, self.is_inline)

    @property
    def token_count(self) -> int:
        """How many soft tokens it has."""
        return self.inputs.shape[0] - 1


@dataclass(frozen=True, eq=False)
class Bank:
    """The concepts of a library as one model knows them.

    Attributes:
        fingerprint: Of the model all embeddings and directions belong to.
        prompt_version: Of the wording the embeddings were tuned with; empty before tuning.
        background: `[width]` direction of what is nobody; competes for every patch.
        concepts: By concept id.
        notes: What tuning reports of itself: seed, steps, validation accuracy.
        has_open_words: Whether concepts were registered for which `put_into_words` has not decided yet.
    """

    fingerprint: str
    prompt_version: str
    background: Tensor | None = None
    concepts: dict[int, BankConcept] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    has_open_words: bool = False

    @property
    def version(self) -> str:
        """A short hash of all embeddings: captions say with which bank they were made."""
        import hashlib

        digest = hashlib.blake2b(self.fingerprint.encode(), digest_size=6)
        for concept_id in sorted(self.concepts):
            concept = self.concepts[concept_id]
            digest.update(concept.inputs.contiguous().numpy().tobytes())
            digest.update(concept.outputs.contiguous().numpy().tobytes())
            digest.update(concept.words.encode())
        return digest.hexdigest()

    def with_concepts(self, concepts: Sequence[BankConcept]) -> Bank:
        """A bank in which these concepts take the place of those with their ids."""
        return replace(self, concepts={**self.concepts, **{c.concept_id: c for c in concepts}})

    def yes_share(self, concept_ids: Sequence[int], share: float) -> float:
        """The model's p(Yes) about concepts, without its bias towards Yes."""
        biases = [self.concepts[i].yes_bias for i in concept_ids if i in self.concepts]
        return without_bias(share, sum(biases) / len(biases)) if any(biases) else share

    def only(self, concept_ids: Sequence[int]) -> Bank:
        """A bank of these concepts alone, those it has."""
        return replace(self, concepts={i: self.concepts[i] for i in concept_ids if i in self.concepts})

    def directions(self, concept_ids: Sequence[int]) -> Tensor:
        """`[concepts (+ 1), width]`: a direction for each concept, then the background if there is one."""
        directions = [self.concepts[i].direction for i in concept_ids]
        # The background is a rival like any other: without it a single concept would have none (m = 1).
        return torch.stack(directions if self.background is None else [*directions, self.background])

    def embeddings(self, concept_ids: Sequence[int], names: Sequence[str]) -> ConceptEmbeddings:
        """Some concepts as the slots of a prompt, padded to the same number of soft tokens."""
        chosen = [self.concepts[i] for i in concept_ids]
        # Concepts may have been registered with different k; what is padded is not in use (`token_counts`).
        most = max((c.inputs.shape[0] for c in chosen), default=1)
        padded = [torch.nn.functional.pad(c.inputs, (0, 0, 0, most - c.inputs.shape[0])) for c in chosen]
        return ConceptEmbeddings(
            inputs=torch.stack(padded),
            outputs=torch.stack([c.outputs for c in chosen]),
            names=tuple(names),
            token_counts=tuple(c.token_count for c in chosen),
        )


def save_bank(bank: Bank, path: Path) -> None:
    """Write a bank so that at every instant the file is either the old one or the new one.

    Raises:
        BankError: The file cannot be written.
    """
    with _writing(path), atomic_path(path) as part:
        _write(bank, part)


def try_saving(bank: Bank, path: Path) -> None:
    """Write a bank into the folder of its file and remove it again, before long work whose result it takes.

    Raises:
        BankError: The file could not be written.
    """
    with _writing(path), TemporaryDirectory(dir=path.parent, prefix=".trial-") as folder:
        _write(bank, Path(folder) / path.name)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder of a bank; say in words why the block could not write there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, SafetensorError) as error:
        # safetensors says in words of its own what the system says of a file.
        reason = getattr(error, "strerror", None) or error
        raise BankError(f"{path}: the bank cannot be written: {reason}") from error


def _write(bank: Bank, path: Path) -> None:
    from photopal import __version__

    tensors: dict[str, Tensor] = {}
    if bank.background is not None:
        tensors["background"] = bank.background
    records = {}
    for concept_id, concept in bank.concepts.items():
        for name in ("inputs", "outputs", "direction"):
            tensors[f"{concept_id}.{name}"] = getattr(concept, name).detach().float().cpu().contiguous()
        records[str(concept_id)] = {
            "low": concept.calibration.low,
            "high": concept.calibration.high,
            "references": concept.references_key,
            "tuned": concept.is_tuned,
            "tokens": concept.token_count,
            "corrections": concept.corrections_key,
            "separation": concept.separation,
            "made_from": concept.made_from,
        }
        if concept.words:
            records[str(concept_id)]["words"] = concept.words
        if concept.about:
            records[str(concept_id)]["about"] = concept.about
        if concept.yes_bias:
            records[str(concept_id)]["yes_bias"] = concept.yes_bias
        if concept.held_out_key:
            records[str(concept_id)]["held_out"] = concept.held_out_key
    facts: dict[str, Any] = {
        "format": FORMAT if any(concept.is_inline for concept in bank.concepts.values()) else 1,
        "photopal": __version__,
        "fingerprint": bank.fingerprint,
        "prompt_version": bank.prompt_version,
        "concepts": records,
        "notes": bank.notes,
    }
    if bank.has_open_words:
        facts["open_words"] = True
    # One entry, as safetensors writes several in any order: equal banks are equal files.
    header = {"bank": json.dumps(facts, sort_keys=True)}
    save_file(tensors, path, metadata=header)


def load_bank(path: Path, *, fingerprint: str) -> Bank:
    """Read a bank and check that it belongs to a model.

    Raises:
        BankError: The file is missing, broken, of a newer photopal or of another model.
    """
    hint = "Run `photopal tune`, or delete the file to register the concepts again from their photos."
    try:
        with safe_open(path, framework="pt") as file:
            header = _read_header(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise BankError(f"{path}: bank not found", hint=hint) from error
    except (SafetensorError, OSError) as error:
        raise BankError(f"{path}: the bank cannot be read: {error}", hint=hint) from error
    if header.get("format", 0) > FORMAT:
        raise NewerBankError(
            f"{path}: the bank was written by a newer photopal ({header.get('photopal')})",
            hint="Update photopal.",
        )
    if header.get("fingerprint") != fingerprint:
        raise BankError(f"{path}: the bank belongs to another model", hint=hint)
    try:
        records = header["concepts"].items()
        concepts = {
            int(key): BankConcept(
                concept_id=int(key),
                inputs=tensors[f"{key}.inputs"],
                outputs=tensors[f"{key}.outputs"],
                direction=tensors[f"{key}.direction"],
                calibration=Calibration(float(str(facts["low"])), float(str(facts["high"]))),
                references_key=str(facts["references"]),
                is_tuned=bool(facts["tuned"]),
                # Banks of before know of no words.
                corrections_key=str(facts.get("corrections", "")),
                separation=facts.get("separation"),
                words=str(facts.get("words", "")),
                about=str(facts.get("about", "")),
                yes_bias=float(facts.get("yes_bias", 0.0)),
                held_out_key=str(facts.get("held_out", "")),
                made_from=tuple(map(str, facts.get("made_from", ()))),
            )
            for key, facts in records
        }
        prompt_version, notes = str(header["prompt_version"]), dict(header["notes"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BankError(f"{path}: broken bank header", hint=hint) from error
    return Bank(
        fingerprint=fingerprint,
        prompt_version=prompt_version,
        background=tensors.get("background"),
        concepts=concepts,
        notes=notes,
        has_open_words=bool(header.get("open_words", False)),
    )


def _read_header(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The facts in the header, with a format that is a number; none of what is not a bank's header."""
    try:
        facts = json.loads(metadata.get("bank", "{}"))
    except ValueError:
        return {}
    is_header = isinstance(facts, dict) and isinstance(facts.get("format"), int)
    return facts if is_header else {}
