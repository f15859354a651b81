"""Asks for one concept with every registered one in the prompt, however many; knows no truth.

A prompt has placeholders for 16 concepts. More are put in as several blocks, one after another, whose rows
are laid in block by block, so that the whole crowd stands between the photo and the question.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.prompts import PromptConcept, build_prompt, questions, recognition_question
from photopal.vision.packing import common_length, copy_past
from photopal.vision.placeholders import SLOTS, name_placeholder
from photopal.vision.protocol import PhotoFeatures, PrefixCache, VisionModel


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
        self._block = torch.cat([self._embedded(chunk, features) for chunk in chunks])  # [tokens, hidden]

    def __len__(self) -> int:
        """How many tokens the crowd takes in a prompt."""
        return int(self._block.shape[0])

    def _spread(self, ids: Sequence[int], question: str, features: PhotoFeatures) -> tuple[Tensor, int, int]:
        """Model ids of a prompt, where its concept block begins, and where it ends."""
        offered = [PromptConcept(self._bank.concepts[i].token_count) for i in ids]
        encoded = self._model.encode_prompt(build_prompt(question, offered), features)
        bare = self._model.encode_prompt(build_prompt("-", offered), features)
        first = int(torch.nonzero(encoded.ids >= self._model.vocab_size)[0])
        return encoded.ids, first, common_length(encoded.ids, bare.ids)

    def _embedded(self, ids: Sequence[int], features: PhotoFeatures) -> Tensor:
        written, first, end = self._spread(ids, "Who is there?", features)
        return self._model.embed_ids(written[first:end], self._bank.rows(ids, [str(i) for i in ids]))

    @torch.no_grad()
    def yes_shares(self, features: PhotoFeatures, asked: Sequence[int]) -> list[float]:
        """p(Yes) of the recognition question for concepts, on one photo."""
        prefix = self._begun(features)
        words = recognition_question(name_placeholder(0))
        suffixes = []
        for concept_id in asked:
            written, _, end = self._spread([concept_id], words, features)
            rows = self._bank.rows([concept_id], [str(concept_id)])
            suffixes.append(self._model.embed_ids(written[end:], rows))
        hidden = torch.stack([states[-1] for states in self._model.forward_packed(prefix, suffixes)])
        told = [int(self._model.answer_ids(word)[0]) for word in (questions.YES, questions.NO)]
        return torch.softmax(self._model.logits(hidden)[:, told], dim=-1)[:, 0].tolist()

    def _begun(self, features: PhotoFeatures) -> PrefixCache:
        """Keys and values of the photo and the crowd."""
        encoded = self._model.encode_prompt(build_prompt("-"), features)
        photo = self._model.encode_prefix(encoded, features)
        past = copy_past(photo)
        positions = photo.next_position + torch.arange(len(self), device=self._block.device)
        self._model.forward(self._block[None], positions=positions[None], past=past)
        ids = torch.cat([photo.ids, photo.ids.new_zeros(len(self))])
        return PrefixCache(ids, photo.next_position + len(self), past)
