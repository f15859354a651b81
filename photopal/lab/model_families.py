"""Tries models of any family and says in a table what works: `python -m photopal.lab.model_families FOLDER…`.

Each folder holds a checkpoint that transformers can load; tiny ones with random weights are enough, as
nothing is said about quality. A model is compared with the same checkpoint in transformers alone, taught a
red square by masks on photos of several shapes, and asked where it is on others.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from photopal.box import Box
from photopal.concepts.bank import Bank
from photopal.concepts.initialize import (
    Reference,
    RegisterOptions,
    background_direction,
    find_subjects,
    register_concept,
)
from photopal.concepts.localize import find_region, location_maps, suppress_rivals
from photopal.errors import PhotopalError
from photopal.prompts import PromptConcept, build_prompt
from photopal.prompts.templates import NO, PROMPT_VERSION, YES, recognition_question
from photopal.vlm import ChatPrompt, ConceptEmbeddings, PhotoFeatures, load_model, name_placeholder
from photopal.vlm.families import generic
from photopal.vlm.model import LoadedModel

SIZES = ((640, 480), (480, 640), (960, 240), (512, 512))
QUESTION = "What is this?"
_WORDS = 8
_SQUARE_SHARE = 0.45  # of the shorter side
_SLACK = 0.04  # of the photo, around the square; or half a cell of the grid, where that is more


@dataclass(frozen=True, eq=False)
class Trial:
    """What a model does.

    Attributes:
        name: Its folder.
        kind: Its `model_type`.
        refusal: Why it cannot be used; empty if it can.
        difference: The largest difference of a logit from transformers alone.
        has_same_text: Whether it says word for word what transformers alone says.
        losses: Of the answer Yes before and after a few steps of tuning.
        found: On how many photos the square was found at its place.
        photos: Of how many.
        route: How photos and words go into the model.
    """

    name: str
    kind: str
    refusal: str = ""
    difference: float = float("nan")
    has_same_text: bool = False
    losses: tuple[float, float] = (0.0, 0.0)
    found: int = 0
    photos: int = 0
    route: str = ""

    @property
    def works(self) -> bool:
        """Whether the model can be used and does as it should."""
        is_right = self.difference <= 1e-4 and self.has_same_text and self.losses[1] < self.losses[0]
        return not self.refusal and is_right and self.found >= 0.85 * self.photos


def try_model(folder: Path) -> Trial:
    """Load a checkpoint and try all that photopal does with a model."""
    from photopal.vlm.causes import read_config

    kind = str(read_config(folder).get("model_type", ""))
    try:
        model = load_model(folder, device="cpu", dtype="float32")
        found, photos, embeddings = _find_square(model)
        difference, has_same_text = _compare(model, folder)
        return Trial(
            name=folder.name,
            kind=kind,
            difference=difference,
            has_same_text=has_same_text,
            losses=_tune(model, embeddings),
            found=found,
            photos=photos,
            route=_route(model),
        )
    except PhotopalError as error:
        return Trial(name=folder.name, kind=kind, refusal=f"refused: {error.message}")
    except Exception as error:  # noqa: BLE001 - a line of the table like any other
        return Trial(name=folder.name, kind=kind, refusal=f"failed: {type(error).__name__}: {error}")


def _route(model: LoadedModel) -> str:
    """How photos and words go into a model."""
    if model.supports_batches:
        return "batches"
    return "packed questions" if model.supports_prefix else "one by one"


def draw_square(size: tuple[int, int], seed: int, *, is_grey: bool = False) -> tuple[Image.Image, Box]:
    """A photo of grey noise with a red square, or a grey one, and the square in fractions of the photo."""
    width, height = size
    rng = np.random.default_rng(seed)
    noise = rng.integers(110, 146, (12, 16, 1), dtype=np.uint8).repeat(3, axis=2)
    image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    side = round(_SQUARE_SHARE * min(size))
    left, top = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
    ImageDraw.Draw(image).rectangle(
        (left, top, left + side - 1, top + side - 1), fill=(128,) * 3 if is_grey else (230, 20, 20)
    )
    return image, Box(left / width, top / height, side / width, side / height)


def _encode(model: LoadedModel, size: tuple[int, int], seed: int) -> tuple[PhotoFeatures, Box]:
    image, box = draw_square(size, seed)
    return model.encode_photos([image])[0], box


def _find_square(model: LoadedModel) -> tuple[int, int, ConceptEmbeddings]:
    """Teach the square by masks; returns on how many photos it is found, of how many, and what is learned."""
    references = []
    for seed, size in enumerate(SIZES):
        features, box = _encode(model, size, seed)
        mask = np.zeros((size[1], size[0]), dtype=bool)
        left, top = round(box.x * size[0]), round(box.y * size[1])
        side = round(box.width * size[0])
        mask[top : top + side, left : left + side] = True
        references.append(Reference(key=str(seed), features=features, mask=mask))
    subjects = find_subjects(references, [])
    concept = register_concept(
        model, 1, subjects, name="Red", references_key="", options=RegisterOptions(tokens=4)
    )
    bank = Bank(model.fingerprint, PROMPT_VERSION, background_direction(subjects), {1: concept})
    found = photos = 0
    for seed in range(100, 116):
        features, box = _encode(model, SIZES[seed % len(SIZES)], seed)
        maps = suppress_rivals(location_maps(features.patches, bank.directions([1])))
        x, y = find_region(maps[0], features.frame).point
        rows, cols = features.patches.shape[:2]
        aside = max(_SLACK, 0.5 * features.frame.width / cols)
        above = max(_SLACK, 0.5 * features.frame.height / rows)
        is_in_x = box.x - aside <= x <= box.x + box.width + aside
        found += is_in_x and box.y - above <= y <= box.y + box.height + above
        photos += 1
    return found, photos, bank.embeddings([1], ["Red"])


@torch.no_grad()
def _compare(model: LoadedModel, folder: Path) -> tuple[float, bool]:
    """The largest difference of a logit from transformers alone, and whether both say the same."""
    # photopal pads or squeezes some photos to squares, where transformers alone would crop or cut them up.
    checkpoint = model._checkpoint
    is_kept = checkpoint.processor and not getattr(checkpoint.image_processor, "do_center_crop", False)
    image = draw_square(SIZES[0] if is_kept else SIZES[-1], 7)[0]
    features = model.encode_photos([image])[0]
    encoded = model.encode_prompt(ChatPrompt(QUESTION), features)
    plain, inputs = _plain(folder, image, model)
    ids = inputs["input_ids"]
    if not torch.equal(ids[0], encoded.ids):
        return float("inf"), False
    ours = model.run(encoded.ids, encoded.positions, features)
    expected_logits = plain(**inputs).logits[0].float()
    # A model may have output rows for fewer tokens than the vocabulary.
    difference = float((ours[:, : expected_logits.shape[1]] - expected_logits).abs().max())
    written = plain.generate(**inputs, do_sample=False, max_new_tokens=_WORDS)[0, ids.shape[1] :]
    said = model.generate(encoded, features, max_new_tokens=_WORDS)
    end = [number for number, id_ in enumerate(written.tolist()) if id_ in model.end_ids]
    expected = model.decode(written[: end[0]] if end else written).strip()
    return difference, said == expected


def _plain(folder: Path, image: Image.Image, model: LoadedModel) -> tuple[Any, dict[str, Any]]:
    """The checkpoint in transformers alone, and what its own processor makes of the question."""
    from transformers import AutoModelForImageTextToText

    checkpoint = model._checkpoint
    plain = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    text = model._coder.render(ChatPrompt(QUESTION))
    if checkpoint.processor is None:  # a family that is told from its configuration alone
        features = model.encode_photos([image])[0]
        encoded = model.encode_prompt(ChatPrompt(QUESTION), features)
        options = model._family.image_options
        photo = dict(checkpoint.image_processor([image], return_tensors="pt", **options))
        return plain, {"input_ids": encoded.ids[None], **photo}
    bos = checkpoint.tokenizer.bos_token
    inputs = dict(
        checkpoint.processor(
            text=[text],
            images=[image],
            return_tensors="pt",
            add_special_tokens=not (bos and text.startswith(bos)),
        )
    )
    # Some give the types of tokens only when told to.
    return plain, {**generic.type_inputs(checkpoint, inputs["input_ids"][0]), **inputs}


def _tune(model: LoadedModel, embeddings: ConceptEmbeddings) -> tuple[float, float]:
    """Learn for a few steps that the square is in a photo; returns the loss before and after."""
    features, _ = _encode(model, SIZES[0], 3)
    inputs = embeddings.inputs.clone().requires_grad_()
    outputs = embeddings.outputs.clone().requires_grad_()
    prompt = build_prompt(recognition_question(name_placeholder(0)), [PromptConcept(inputs.shape[1] - 1)])
    encoded = model.encode_prompt(prompt, features, answer=YES)
    optimizer = torch.optim.Adam([inputs, outputs], lr=0.02)
    losses = []
    for _ in range(6):
        rows = ConceptEmbeddings(inputs, outputs, ("Red",))
        logits = model.run(encoded.ids, encoded.positions, features, rows)
        answer = encoded.ids[encoded.answer_start :]
        loss = torch.nn.functional.cross_entropy(logits[encoded.answer_start - 1 : -1], answer)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    model.score_answers(encoded_question(model, features), features, answers=[YES, NO])
    return losses[0], losses[-1]


def encoded_question(model: LoadedModel, features: PhotoFeatures) -> Any:
    """A question to be answered by Yes or No."""
    return model.encode_prompt(ChatPrompt("Is this red?"), features)


def table(trials: Sequence[Trial]) -> str:
    """The trials as a Markdown table."""
    lines = [
        "| checkpoint | type | works | logits differ by | same text | square found | route |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for trial in trials:
        if trial.refusal:
            lines.append(f"| {trial.name} | {trial.kind} | {trial.refusal} | | | | |")
            continue
        works, same = ("yes" if is_so else "no" for is_so in (trial.works, trial.has_same_text))
        lines.append(
            f"| {trial.name} | {trial.kind} | {works} | {trial.difference:.1g} | {same} | "
            f"{trial.found} of {trial.photos} | {trial.route} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Try the checkpoints in folders; returns the exit code."""
    if not arguments:
        sys.stderr.write("usage: python -m photopal.lab.model_families FOLDER…\n")
        return 2
    trials = []
    for folder in arguments:
        trials.append(try_model(Path(folder)))
        sys.stderr.write(f"{folder}: {trials[-1].refusal or 'tried'}\n")
    sys.stdout.write(table(trials) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
