"""Tuning as the authors of MC-LLaVA describe and publish it, written from that description; times nothing.

The vocabulary grows by 17 rows a concept at both ends. Both whole matrices get gradients and AdamW moments,
and every base row is put back after each step. One question is one step: the photo goes through the vision
tower again, the concept block stands in the system message before it, and logits are made for every token.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from photopal.concepts import Bank
from photopal.prompts import PromptConcept, build_prompt
from photopal.prompts.build import Order, concept_block
from photopal.tuning.batching import PackedExample
from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS
from photopal.vlm.protocol import EncodedPrompt, VisionModel


class AuthorsLoop:
    """One run over the concepts of a bank, on a copy of a LLaVA model as transformers loads it."""

    def __init__(self, folder: Path, bank: Bank, *, learning_rate: float) -> None:
        from transformers import AutoImageProcessor, AutoModelForImageTextToText

        self.bank = bank
        self.place = {concept_id: place for place, concept_id in enumerate(sorted(bank.concepts))}
        self.width = max(concept.inputs.shape[0] for concept in bank.concepts.values())
        self.processor: Any = AutoImageProcessor.from_pretrained(folder, backend="pil")
        self.model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
        self.model.requires_grad_(False).eval()
        self.base_rows = self.model.get_output_embeddings().weight.shape[0]
        rows = self.base_rows + self.width * len(self.place)
        self.model.resize_token_embeddings(rows, mean_resizing=False)
        self.inputs, self.outputs = self._own_matrices()
        self._take_rows(bank)
        self.kept = [matrix.detach()[: self.base_rows].clone() for matrix in (self.inputs, self.outputs)]
        self.optimizer = torch.optim.AdamW(
            [self.inputs, self.outputs], lr=learning_rate, betas=(0.9, 0.999), weight_decay=1e-6, eps=1e-8
        )

    def _own_matrices(self) -> tuple[Tensor, Tensor]:
        """Both matrices as parameters of their own, also where the model ties them."""
        embed, head = self.model.get_input_embeddings(), self.model.get_output_embeddings()
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
        embed.weight.requires_grad_(True)
        return embed.weight, head.weight

    @torch.no_grad()
    def _take_rows(self, bank: Bank) -> None:
        for concept_id, place in self.place.items():
            concept, start = bank.concepts[concept_id], self.base_rows + place * self.width
            self.inputs[start : start + concept.inputs.shape[0]] = concept.inputs
            self.outputs[start : start + concept.inputs.shape[0]] = concept.inputs
            self.outputs[start] = concept.outputs

    def pixels(self, image: Image.Image) -> Tensor:
        """A square photo as the tower takes it."""
        pixels: Tensor = self.processor([image], return_tensors="pt")["pixel_values"]
        return pixels

    def ids(self, encoded: EncodedPrompt, slots: tuple[int, ...]) -> Tensor:
        """`[tokens]` ids of a prompt in the grown vocabulary."""
        ids = encoded.ids.clone()
        for token in torch.nonzero(ids >= self.base_rows).flatten().tolist():
            offset = int(ids[token]) - self.base_rows
            is_name = offset < SLOTS
            slot, row = (offset, 0) if is_name else divmod(offset - SLOTS, SOFT_TOKENS)
            first = self.base_rows + self.place[slots[slot]] * self.width
            ids[token] = first + (0 if is_name else row + 1)
        return ids

    def step(self, pixels: Tensor, encoded: EncodedPrompt, slots: tuple[int, ...]) -> float:
        """Learn from one question; returns its loss."""
        ids = self.ids(encoded, slots)[None]
        labels = ids.clone()
        labels[:, : encoded.answer_start] = -100
        loss = self.model(
            input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, labels=labels
        ).loss
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            for matrix, kept in zip((self.inputs, self.outputs), self.kept, strict=True):
                matrix[: self.base_rows] = kept
        return float(loss.detach())

    @torch.no_grad()
    def loss(self, pixels: Tensor, packed: PackedExample) -> float:
        """Mean loss of the answer tokens of an example, over the columns that photopal has too."""
        slots = packed.example.slots
        total, tokens = 0.0, 0
        for encoded in packed.encoded:
            ids = self.ids(encoded, slots)[None]
            logits = self.model(
                input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels
            ).logits[0, encoded.answer_start - 1 : -1]
            names = [self.base_rows + self.place[i] * self.width for i in slots]
            columns = torch.cat([logits[:, : self.base_rows], logits[:, names]], dim=-1)
            labels = encoded.ids[encoded.answer_start :]
            total += float(torch.nn.functional.cross_entropy(columns, labels, reduction="sum"))
            tokens += int(labels.shape[0])
        return total / tokens

    def tuned(self) -> Bank:
        """The bank with the rows as they are now."""
        concepts = []
        for concept_id, place in self.place.items():
            concept, start = self.bank.concepts[concept_id], self.base_rows + place * self.width
            inputs = self.inputs.detach()[start : start + concept.inputs.shape[0]].clone()
            concepts.append(replace(concept, inputs=inputs, outputs=self.outputs.detach()[start].clone()))
        return self.bank.with_concepts(concepts)

    def moments_bytes(self) -> int:
        """What the optimiser keeps for itself, after the first step."""
        return moments_bytes(self.optimizer)


def moments_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of an optimiser's moments."""
    states = optimizer.state.values()
    return sum(value.nbytes for state in states for value in state.values() if value.ndim > 0)


def reordered(model: VisionModel, packed: PackedExample, bank: Bank, order: Order) -> PackedExample:
    """The same questions with the concept block in another place; nothing is shared between them then."""
    example = packed.example
    offered = [PromptConcept(bank.concepts[i].token_count) for i in example.slots]
    start = len(concept_block(offered)) + 1
    encoded = tuple(
        model.encode_prompt(
            build_prompt(exchange.prompt.user[start:], offered, order=order),
            example.features,
            answer=exchange.answer,
        )
        for exchange in example.exchanges
    )
    return replace(packed, encoded=encoded, prefix_tokens=0, block_tokens=0)
