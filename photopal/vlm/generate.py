"""Greedy answers, and scores of given answers; knows the protocol and no family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from photopal.vlm.kv_cache import common_length, copy_past, preallocate
from photopal.vlm.protocol import (
    ConceptEmbeddings,
    EncodedPrompt,
    PhotoFeatures,
    PrefixCache,
    VisionModel,
    to_device,
)
from photopal.vlm.tokenizer import strip_thought

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Hands on text as it grows, never a character that the next token may still change."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        """Hand text to `on_text`, if there is one."""
        self._on_text = on_text
        self._sent = ""

    def show(self, text: str) -> None:
        """Hand on what is new and settled in the text so far."""
        # A character of several bytes may be cut between two tokens, and a space at the end may turn out to
        # be the last one of the answer: neither is settled.
        self._send(strip_thought(text).lstrip().rstrip(_UNFINISHED).rstrip())

    def finish(self, text: str) -> str:
        """Hand on the rest; returns the whole text without a thought and spaces at its ends."""
        whole = strip_thought(text).strip()
        self._send(whole)
        return whole

    def _send(self, text: str) -> None:
        if self._on_text and text.startswith(self._sent) and text != self._sent:
            self._on_text(text[len(self._sent) :])
            self._sent = text


@dataclass(frozen=True, eq=False)
class GenerationTask:
    """A prompt to answer, with all that goes with it.

    Attributes:
        model: Who answers.
        encoded: The prompt, without an answer.
        features: Its photo.
        concepts: Those whose names may be said.
        prefix: The prompt's beginning, if computed before.
    """

    model: VisionModel
    encoded: EncodedPrompt
    features: PhotoFeatures | None
    concepts: ConceptEmbeddings | None
    prefix: PrefixCache | None

    def prefill(self) -> tuple[Tensor, Any]:
        """Logits `[1, vocab + slots]` of the answer's first token, and the prompt's keys and values.

        Raises:
            ValueError: The prompt does not begin with the prefix.
        """
        ids, positions, features = self.encoded.ids, self.encoded.positions, self.features
        past = self.model.new_past()
        if self.prefix is not None:
            if not self.prefix.is_prefix_of(self.encoded):
                raise ValueError("the prompt does not begin with the prefix")
            past, length = copy_past(self.prefix), len(self.prefix)
            ids, positions = ids[length:], positions[..., length:]
            features = features if length < self.encoded.image_end else None
        return self.model.run(ids, positions, features, self.concepts, past=past, last=1), past

    def extend(self, ids: Tensor, position: int, past: Any) -> Tensor:
        """Logits `[tokens, vocab + slots]` after each of `[tokens]` further ids; appends to `past`."""
        positions = torch.arange(position, position + ids.shape[0])
        return self.model.run(ids, positions, None, self.concepts, past=past)


class Repetition:
    """Makes the tokens of prompts and of what was said less likely, as the model's own settings say.

    Names are left alone: each is in the prompt, and is to be said.

    Args:
        model: Who answers.
        prompts: The prompts, a line each.
    """

    def __init__(self, model: VisionModel, prompts: Sequence[EncodedPrompt]) -> None:
        self._penalty, self._vocab_size = model.repetition_penalty, model.vocab_size
        self._seen: Tensor | None = None  # bool [lines, vocab]
        if self._penalty != 1.0:
            seen = torch.zeros(len(prompts), model.vocab_size, dtype=torch.bool)
            for line, prompt in zip(seen, prompts, strict=True):
                line[prompt.ids[prompt.ids < model.vocab_size]] = True
            self._seen = to_device(seen, model.device)

    def penalized(self, logits: Tensor) -> Tensor:
        """`[lines, vocab + slots]` logits with the penalty."""
        if self._seen is None:
            return logits
        words, names = logits[:, : self._vocab_size], logits[:, self._vocab_size :]
        less = torch.where(words < 0, words * self._penalty, words / self._penalty)
        return torch.cat([torch.where(self._seen, less, words), names], dim=1)

    def add(self, chosen: Sequence[int]) -> None:
        """Take note of the token of each line."""
        if self._seen is not None:
            ids = torch.tensor([[id_ if id_ < self._vocab_size else 0] for id_ in chosen])
            is_word = torch.tensor([[id_ < self._vocab_size] for id_ in chosen])
            ids, is_word = (to_device(tensor, self._seen.device) for tensor in (ids, is_word))
            self._seen = self._seen.scatter(1, ids, self._seen.gather(1, ids) | is_word)

    def keep(self, lines: Tensor) -> None:
        """Go on with these lines only: `[lines]` int64 on the model's device."""
        if self._seen is not None:
            self._seen = self._seen[lines]


def answer_greedily(
    task: GenerationTask, *, max_new_tokens: int, on_text: Callable[[str], None] | None
) -> str:
    """Take the likeliest token again and again.

    The host waits for the device once a token, to read which one it is: all else that a token needs is on the
    device beforehand, or is sent there without waiting.

    Args:
        task: What to answer.
        max_new_tokens: Where to stop at the latest.
        on_text: Gets each new piece of text; the pieces joined are the answer.

    Returns:
        The answer, with names, without spaces at its ends.
    """
    model = task.model
    task = replace(task, concepts=task.concepts.on(model.device) if task.concepts else None)
    concepts, names = task.concepts, task.concepts.names if task.concepts else ()
    bonus = None  # [slots]: what the logits of names gain
    if concepts is not None and concepts.name_bonus:
        bonus = torch.full((len(names),), concepts.name_bonus, device=model.device)
    stream = TextStream(on_text)
    ids: list[int] = []
    repetition = Repetition(model, [task.encoded])
    logits, past = task.prefill()  # [1, vocab + slots]
    preallocate(past, max_new_tokens)
    position = task.encoded.next_position
    while len(ids) < max_new_tokens:
        if bonus is not None:
            logits[:, model.vocab_size :] += bonus
        chosen = int(repetition.penalized(logits).argmax())
        if chosen in model.end_ids:
            break
        ids.append(chosen)
        repetition.add([chosen])
        if bonus is not None and concepts and chosen >= model.vocab_size:
            # Each name is expected once; a second time costs as much as the first gained.
            bonus[chosen - model.vocab_size] = -concepts.name_bonus
        if on_text:
            stream.show(model.decode(ids, names))
        if len(ids) < max_new_tokens:
            logits = task.extend(torch.tensor([chosen]), position, past)
            position += 1
    return stream.finish(model.decode(ids, names))


def score_each(task: GenerationTask, answers: Sequence[Tensor]) -> Tensor:
    """The log-probability of each answer, up to where it differs from all others.

    Args:
        task: What was asked.
        answers: `[tokens]` model ids each, with their end-of-turn ids.

    Returns:
        `[answers]` float32.

    Raises:
        ValueError: Two answers are the same, or there is none.
    """
    # What follows the first difference says how an answer goes on, not which one is meant: "A" and "A." would
    # otherwise score differently, and long answers lower than short ones.
    lengths = distinguishing_lengths([answer.tolist() for answer in answers])
    first, past = task.prefill()
    prompt = PrefixCache(ids=task.encoded.ids, next_position=task.encoded.next_position, past=past)
    scores = []
    for answer, length in zip(answers, lengths, strict=True):
        logits = first  # [tokens, vocab + slots], after what comes before each id
        if length > 1:
            rest = task.extend(answer[: length - 1], prompt.next_position, copy_past(prompt))
            logits = torch.cat([first, rest])
        labels = to_device(answer[:length, None], logits.device)
        scores.append(torch.log_softmax(logits, dim=-1).gather(-1, labels).sum())
    return torch.stack(scores)


def distinguishing_lengths(answers: Sequence[Sequence[int]]) -> list[int]:
    """How many ids of each answer it takes to tell it from all the others.

    Args:
        answers: Model ids with their end-of-turn ids, so that none begins another.

    Returns:
        One count per answer, at least 1.

    Raises:
        ValueError: Two answers are the same, or there is none.
    """
    if not answers:
        raise ValueError("there are no answers to score")
    lengths = []
    for number, ids in enumerate(answers):
        others = [other for index, other in enumerate(answers) if index != number]
        common = max((common_length(torch.tensor(ids), torch.tensor(other)) for other in others), default=0)
        if common == len(ids):
            raise ValueError("two answers are the same to the model")
        lengths.append(common + 1)
    return lengths
