"""The rows of a run as two tensors on the model's device; knows no questions and no photos."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.vlm.placing import placed
from photopal.vlm.protocol import ConceptRows


class RowTable:
    """All rows of the concepts of a run as two float32 tensors; some of them are trained."""

    def __init__(
        self, bank: Bank, concept_ids: Sequence[int], trained: Sequence[int], *, device: torch.device
    ) -> None:
        """Copy the rows of a bank.

        Args:
            bank: Has all the concepts.
            concept_ids: Everyone the prompts may speak of.
            trained: Those whose rows change; the others stay as they are.
            device: Where the model is, so that neither rows nor gradients are copied about in every step.
        """
        self.place = {concept_id: place for place, concept_id in enumerate(concept_ids)}
        rows = bank.rows(concept_ids, [str(i) for i in concept_ids]).on(device)
        self.counts = {i: bank.concepts[i].token_count for i in concept_ids}
        self.inputs = rows.inputs.clone().requires_grad_()
        self.outputs = rows.outputs.clone().requires_grad_()
        is_trained = torch.tensor([float(i in set(trained)) for i in concept_ids], device=device)
        self._freeze(self.inputs, is_trained[:, None, None])
        self._freeze(self.outputs, is_trained[:, None])

    @staticmethod
    def _freeze(rows: Tensor, is_trained: Tensor) -> None:
        def mask(grad: Tensor) -> Tensor:
            return grad * is_trained

        rows.register_hook(mask)  # type: ignore[no-untyped-call]

    def slots(self, concept_ids: Sequence[int]) -> ConceptRows:
        """The rows of a prompt."""
        places = placed(torch.tensor([self.place[i] for i in concept_ids]), self.inputs.device)
        counts = tuple(self.counts[i] for i in concept_ids)
        names = tuple(str(i) for i in concept_ids)
        return ConceptRows(self.inputs[places], self.outputs[places], names, counts)

    def snapshot(self) -> tuple[Tensor, Tensor]:
        """Copies of both tensors."""
        return self.inputs.detach().clone(), self.outputs.detach().clone()
