"""Asks for one concept with every registered one in the prompt, however many; knows no truth.

A prompt has placeholders for 16 concepts. More are put in as several blocks, one after another, whose rows
are laid in block by block, so that the whole crowd stands between the photo and the question.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.prompts import PromptConcept, build_prompt, recognition_question
from photopal.prompts import templates as questions
from photopal.vlm.kv_cache import copy_past
from photopal.vlm.placeholders import SLOTS, name_placeholder
from photopal.vlm.protocol import EncodedPrompt, PhotoFeatures, PrefixCache, VisionModel


class Crowd:
    """All concepts of a bank in one prompt.

    Args:
        model: Must be able to go on from a photo's keys and values.
        bank: The crowd.
        features: Of any photo, to write prompts with.
    """

    def __init__(self, model: VisionModel, bank: Bank, features: PhotoFeatures) -> None:
        self._model, self._bank = model, bank
        ids = list(bank.concepts)
        chunks = [ids[start : start + SLOTS] for start in range(0, len(ids), SLOTS)]
        parts = [self._embedded(chunks[0], features, is_first=True)]
        between = self._between(features)
        for chunk in chunks[1:]:
            parts += [between, self._embedded(chunk, features, is_first=False)]
        self._block = torch.cat(parts)  # [tokens, hidden], from the end of the photo to the last soft token

    def __len__(self) -> int:
        """How many tokens the crowd takes in a prompt."""
        return int(self._block.shape[0])

    def prompt_length(self, features: PhotoFeatures) -> int:
        """How many tokens the recognition question takes with the whole crowd, from the first to the last."""
        one = self._encode((1,), recognition_question(name_placeholder(0)), features)
        question = int(one.ids.shape[0]) - self._block_end(one)
        return one.image_end + len(self) + question

    def _encode(self, counts: Sequence[int], question: str, features: PhotoFeatures) -> EncodedPrompt:
        return self._model.encode_prompt(build_prompt(question, [PromptConcept(k) for k in counts]), features)

    def _block_end(self, encoded: EncodedPrompt) -> int:
        """Where the last soft token ends; the full stop after it goes with what follows."""
        return int(torch.nonzero(encoded.ids >= self._model.vocab_size + SLOTS)[-1]) + 1

    def _between(self, features: PhotoFeatures) -> Tensor:
        """What stands between two concepts: a full stop and a space."""
        encoded = self._encode((1, 1), "-", features)
        concept = torch.nonzero(encoded.ids >= self._model.vocab_size)[:, 0].tolist()
        first_ends = next(place for place in concept if encoded.ids[place] >= self._model.vocab_size + SLOTS)
        second = next(place for place in concept if place > first_ends)
        return self._model.embed_ids(encoded.ids[first_ends + 1 : second])

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
        told = [int(self._model.answer_ids(word)[0]) for word in (questions.YES, questions.NO)]
        shares: list[float] = torch.softmax(self._model.logits(hidden)[:, told], dim=-1)[:, 0].tolist()
        return shares

    def _begun(self, features: PhotoFeatures) -> PrefixCache:
        """Keys and values of the photo and the crowd."""
        encoded = self._model.encode_prompt(build_prompt("-"), features)
        photo = self._model.encode_prefix(encoded, features)
        past = copy_past(photo)
        positions = photo.next_position + torch.arange(len(self), device=self._block.device)
        self._model.forward(self._block[None], positions=positions[None], past=past)
        ids = torch.cat([photo.ids, photo.ids.new_zeros(len(self))])
        return PrefixCache(ids, photo.next_position + len(self), past)
