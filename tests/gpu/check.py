"""The README's way on a GPU: does it agree with the CPU, and what does it take on a model of a real size."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photos
from photopal.concepts import Bank
from photopal.ingest.indexer import index_folders
from photopal.library import Library
from photopal.prompts import CAPTION_QUESTION
from photopal.vlm import load_model
from tests.devices.readme_path import Album, Walk, differences
from tests.gpu.shapes import RandomModel, Shape, make_model

MOST_WORDS = 96

Say = Callable[[str], None]


@dataclass(frozen=True)
class Agreement:
    """What a walk on a device has in common with one on the CPU.

    Attributes:
        captions: How many captions before tuning there are.
        equal_captions: How many of them are the same.
        largest_difference: Of all scores and shares before tuning.
        elsewhere: Where else the two differ, after tuning too, whose steps make rounding grow.
    """

    captions: int
    equal_captions: int
    largest_difference: float
    elsewhere: list[str]


def compare_with_cpu(device: str, folder: Path, album: Album, say: Say) -> Agreement:
    """Walk on the CPU and on a device with the bundled model in float32."""
    told = []
    for name in ("cpu", device):
        model = load_model(device=name, dtype="float32")
        started = time.monotonic()
        told.append(Walk(model, folder / f"bundled on {name} {len(told)}", album).walk())
        say(f"bundled model on {name}: all commands in {time.monotonic() - started:.1f} s")
    untuned = [{key: one[key] for key in ("Anna", "Ben", "located", "untuned")} for one in told]
    largest, _ = differences(*untuned)
    pairs = list(zip(untuned[0]["untuned"], untuned[1]["untuned"], strict=True))
    equal = sum(one["caption"] == other["caption"] for one, other in pairs)
    over_all, elsewhere = differences(*told)
    say(f"captions as on the CPU: {equal} of {len(pairs)}")
    say(f"largest difference of scores: {largest:.1e}, after tuning {over_all:.1e}")
    say(f"other differences: {', '.join(elsewhere) or 'none'}")
    return Agreement(len(pairs), equal, largest, elsewhere)


@dataclass(frozen=True)
class Trial:
    """A random model to run, and where.

    Attributes:
        shape: The model's sizes.
        device: Where it is.
        dtype: The number format of its weights.
        photos: How many photos to caption for speed.
    """

    shape: Shape
    device: str
    dtype: torch.dtype
    photos: int


def run_trial(trial: Trial, folder: Path, album: Album, say: Say) -> int:
    """Walk on a random model, and caption photos beside a plain loop.

    Args:
        trial: The model.
        folder: For libraries and photos.
        album: To walk with.
        say: Told each figure.

    Returns:
        How many of these captions are those of the plain loop. With random weights many tokens are nearly as
        likely as the likeliest; in half the bits rounding chooses others, and fewer than all is no fault.
    """
    started = time.monotonic()
    model = make_model(trial.shape, device=trial.device, dtype=trial.dtype)
    size = sum(weight.numel() for weight in model.plain.parameters())
    made_s = time.monotonic() - started
    say(f"{trial.shape.name} at random, {size / 1e9:.2f}e9 weights: made in {made_s:.1f} s")
    walk = Walk(model.loaded, folder / "shaped", album)
    walk.walk(epochs=2)
    for command, seconds in walk.seconds.items():
        say(f"photopal {command}: {seconds:.1f} s")
    say(f"tuning: {walk.epoch_s:.2f} s an epoch")
    return _caption_beside_plain(model, folder, _more_photos(folder / "more", trial.photos), say)


def _caption_beside_plain(model: RandomModel, folder: Path, photos: Sequence[Path], say: Say) -> int:
    warm, _ = _caption(model, folder / "warm.db", photos[:2]), _caption_plainly(model, photos[:1])
    started = time.monotonic()
    ours = _caption(model, folder / "more.db", photos)
    ours_s, started = time.monotonic() - started, time.monotonic()
    plain = _caption_plainly(model, photos)
    plain_s = time.monotonic() - started
    assert len(warm) == len(photos[:2])
    equal = sum(ours[path.name] == plain[path.name] for path in photos)
    ours_rate, plain_rate = len(photos) / ours_s, len(photos) / plain_s
    say(f"captions a second: photopal {ours_rate:.2f}, plain transformers {plain_rate:.2f}")
    say(f"{ours_rate / plain_rate:.1f} times as many; equal text: {equal} of {len(photos)}")
    say(f"most memory: {_peak_gb(model.loaded.device):.1f} GB")
    return equal


def _caption(model: RandomModel, library_path: Path, photos: Sequence[Path]) -> dict[str, str]:
    """Caption photos as `photopal caption` does; returns the text by file name."""
    texts: dict[str, str] = {}
    assistant = Assistant(model.loaded, Bank(model.loaded.fingerprint, ""), [])
    with Library(library_path) as library:
        index_folders(library, photos)
        caption_photos(
            library,
            assistant,
            library.photos.all(),
            on_caption=lambda made: texts.update({made.photo.path.name: made.caption.text}),
        )
    return texts


@torch.no_grad()
def _caption_plainly(model: RandomModel, photos: Sequence[Path]) -> dict[str, str]:
    """Caption photos one by one by the model's processor and `generate`."""
    texts = {}
    content = [{"type": "image"}, {"type": "text", "text": CAPTION_QUESTION}]
    text = model.processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True
    )
    ends = model.plain.generation_config.eos_token_id
    for path in photos:
        with Image.open(path) as opened:
            inputs = model.processor(images=opened.convert("RGB"), text=text, return_tensors="pt")
        inputs = inputs.to(model.loaded.device, model.loaded.dtype)
        ids = model.plain.generate(**inputs, do_sample=False, max_new_tokens=MOST_WORDS)
        answer = ids[0, inputs["input_ids"].shape[1] :].tolist()
        if answer and answer[-1] in ends:
            answer.pop()
        texts[path.name] = model.processor.tokenizer.decode(answer, skip_special_tokens=True).strip()
    return texts


def _more_photos(folder: Path, count: int) -> list[Path]:
    """Many small photos, all different, and square: a processor crops others, which photopal does not."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(6)
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for path in paths:
        blocks = torch.randint(0, 256, (6, 7, 3), generator=generator, dtype=torch.uint8)
        Image.fromarray(blocks.numpy()).resize((336, 336), Image.Resampling.BICUBIC).save(path)
    return paths


def _peak_gb(device: torch.device) -> float:
    """The most memory in use at once so far: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
