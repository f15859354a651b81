"""Writes captions with names for models that know none: what they say of a description is said of the name.

The model captions a photo as it would. Where its caption comes nearest to what somebody looks like, it is
made to say these very words, "A black dog is", and goes on from there; the user reads "Rex is".
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from photopal.prompts.words import after_verb, split_clauses, tell_apart
from photopal.text import join_words
from photopal.vlm.kv_cache import common_length, copy_past
from photopal.vlm.protocol import (
    ChatPrompt,
    ConceptEmbeddings,
    EncodedPrompt,
    PhotoFeatures,
    PrefixCache,
    VisionModel,
    to_device,
)

# Each place costs a run of the model, and captions rarely have more clauses.
_MOST_PLACES = 6


class Telling:
    """A caption on its way, in words to the model and in names to the user.

    Call `go_on` with what the model says behind `words`, until it `is_done`.

    Args:
        model: Who tells.
        prompt: What it is asked.
        features: Of the photo.
        concepts: Embeddings of those whom the prompt offers.
        descriptions: Name → looks of those who are told of in words, from left to right.
    """

    def __init__(
        self,
        model: VisionModel,
        prompt: ChatPrompt,
        features: PhotoFeatures,
        concepts: ConceptEmbeddings | None,
        descriptions: Mapping[str, str],
    ) -> None:
        self.features, self.concepts = features, concepts
        self._model, self._prompt, self._descriptions = model, prompt, descriptions
        self._waiting = list(tell_apart(descriptions))
        self._told: set[str] = set()
        self._prefix: PrefixCache | None = None
        self.words = self.text = ""
        self.is_done = False

    @property
    def encoded(self) -> EncodedPrompt:
        """The prompt, and the caption as far as it has come."""
        return self._encode(self.words)

    def go_on(self, said: str) -> None:
        """Put in the next name, or end with what was said.

        Args:
            said: How the model would go on behind `words`.
        """
        before = self._best_place(said, self._descriptions[self._waiting[0]]) if self._waiting else None
        if before is None:
            self._add(said, said)
            if left := [name for name in self._descriptions if name not in self._told]:
                # Nothing was said that might be true of them alone, and nothing is invented.
                self._add("", f"Also in the photo: {join_words(left)}.")
            self.is_done = True
            return
        name = self._waiting.pop(0)
        self._told.add(name)
        # A name stands at one place only: who else looks so may be somebody else.
        self._add(before, before)
        self._add(_begin(self.words, self._descriptions[name]), f"{name} is")

    def _add(self, words: str, text: str) -> None:
        self.words, self.text = f"{self.words} {words}".strip(), f"{self.text} {text}".strip()

    def _best_place(self, said: str, looks: str) -> str | None:
        """As much of what was said as comes before the place a description fits best; None for no place."""
        clauses = split_clauses(said, is_begun=bool(self.words))[:_MOST_PLACES]
        first = 1 if self.words else 0  # whoever was spoken of last has the first clause
        if len(clauses) <= first:
            return None
        # Those still waiting are further right, and so mostly further on: each is left a clause.
        places = range(first, max(first + 1, len(clauses) - len(self._waiting) + 1))
        starts = ["".join(clauses[:place]).rstrip() for place in places]
        if len(starts) == 1:
            return starts[0]
        fits = [
            self._fit(f"{self.words} {start}".strip(), looks, after_verb(clauses[place]))
            for start, place in zip(starts, places, strict=True)
        ]
        # A batch of captions would hold as many; one is as large as the photo's keys and values.
        self._prefix = None
        return starts[fits.index(max(fits))]

    @torch.no_grad()
    def _fit(self, before: str, looks: str, after: str) -> float:
        """How likely a description is at a place, and what was said there of somebody after it.

        Both count: a model likes to say again what it has said before, wherever that is; and what somebody
        does is true of nobody else.

        Returns:
            The mean log-probability of the tokens of the description, "a black dog is", and of those after.
        """
        begun = f"{before} {_begin(before, looks)}".strip()
        texts = [self._encode(text) for text in (before, begun, f"{begun} {after}".strip())]
        whole = texts[-1]
        starts = [common_length(text.ids, whole.ids) for text in texts[:-1]]
        length = int(whole.ids.shape[0]) - starts[0]
        logits = self._run(whole, last=length + 1)[:-1]
        said = to_device(whole.ids[starts[0] :], logits.device)
        shares = torch.log_softmax(logits, dim=-1).gather(1, said[:, None])[:, 0]  # [tokens]
        parts = shares.tensor_split([starts[1] - starts[0]])
        return sum(float(part.mean()) for part in parts if len(part))

    def _run(self, encoded: EncodedPrompt, *, last: int) -> Tensor:
        if not self._model.extends_prefixes:
            return self._model.run(encoded.ids, encoded.positions, self.features, self.concepts, last=last)
        prefix = self._prefix
        if prefix is None or not prefix.is_prefix_of(encoded):
            length = encoded.image_end
            prefix = self._model.encode_prefix(encoded, self.features, self.concepts, length=length)
            self._prefix = prefix
        ids, positions = encoded.ids[len(prefix) :], encoded.positions[..., len(prefix) :]
        return self._model.run(ids, positions, None, self.concepts, past=copy_past(prefix), last=last)

    def _encode(self, begun: str) -> EncodedPrompt:
        return self._model.encode_prompt(self._prompt, self.features, begun=begun)


def _begin(before: str, looks: str) -> str:
    """The beginning of a clause about somebody, such as "A black dog is"."""
    is_sentence = not before or before[-1] in ".!?"
    return f"{looks[:1].upper() if is_sentence else looks[:1]}{looks[1:]} is"
