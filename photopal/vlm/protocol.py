"""What a vision-language model offers to the other layers, and what it takes; knows no model family.

Token ids here are *model ids*: below `vocab_size` a row of the base vocabulary; `vocab_size + slot` the
identifier of a concept slot; above those the soft tokens. No id of the base vocabulary, padding rows
included, is ever a concept.

What lies where: prompts (ids and positions), and all that is compared, found, calibrated or stored (patch
vectors, masks on their grids, banks), are on the CPU, and float32 where they are numbers with a fraction. On
the model's device are its weights, projected tokens, embeddings, hidden states, logits, keys and values, and
concept embeddings while they are tuned. The model takes prompts and concepts from either and copies them to
its device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from photopal.box import Box


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device, if it is not there yet, without making the host wait.

    A plain copy to a GPU makes the host wait until the GPU has done all that it was given before. This one is
    queued behind it. A copy to the host has to wait, and torch does not order queued ones on mps safely.
    """
    return tensor.to(device, non_blocking=device.type not in ("cpu", "mps"))


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """What the frozen vision tower and projector make of one photo.

    Attributes:
        tokens: `[image_tokens, hidden]`, projected, in prompt order; on the model's device.
        token_grid: Rows and columns of the tokens, row-major; their product is the number of tokens.
        token_cells: `[tokens]` int64 on the CPU, where the tokens are no grid of their own: the cell of the
            patches' grid, counted row by row, in which each lies; -1 for those that lie nowhere.
        patches: `[rows, cols, width]` float32 on the CPU, raw vision-tower patch vectors on their own grid.
        frame: What both grids cover; a photo that was padded to a square has a frame larger than itself.
        model_inputs: What else the family's forward needs, such as `image_grid_thw`; on the CPU.
        image_text: The text that stands for the photo in a prompt; empty means one image token per row.
    """

    tokens: Tensor
    token_grid: tuple[int, int]
    patches: Tensor
    frame: Box
    model_inputs: dict[str, Tensor] = field(default_factory=dict)
    image_text: str = ""
    token_cells: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """The bytes of tokens and patches, which are nearly all of it."""
        return self.tokens.nbytes + self.patches.nbytes

    def on_cpu(self) -> PhotoFeatures:
        """The same with the tokens on the CPU, from where the model takes them by need.

        A hundred reference photos of 4,000 tokens for a model of 7 billion parameters are 3 GB.
        """
        return self if self.tokens.device.type == "cpu" else replace(self, tokens=self.tokens.cpu())


@dataclass(frozen=True)
class ChatPrompt:
    """One question to the model, before its chat template.

    Attributes:
        user: The user's words; may hold concept placeholders.
        system: The system message, if any; a template that has no place for it gets it before `user`.
        has_image: Whether a photo goes with the question.
        is_image_first: Whether the photo stands before the words, where the template leaves the choice.
    """

    user: str
    system: str | None = None
    has_image: bool = True
    is_image_first: bool = True


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """A prompt as model ids, on the CPU.

    Attributes:
        ids: `[tokens]` int64, model ids.
        positions: `[tokens]` int64, or `[3, tokens]` for families with three-axis positions.
        image_start: Where the photo's features begin; 0 without a photo.
        image_end: Where they end (exclusive); 0 without a photo.
        answer_start: Where the answer begins; the number of tokens when there is none.
    """

    ids: Tensor
    positions: Tensor
    image_start: int
    image_end: int
    answer_start: int

    @property
    def next_position(self) -> int:
        """The position of the token that would follow."""
        return int(self.positions.max()) + 1 if self.positions.numel() else 0


@dataclass(frozen=True, eq=False)
class ConceptEmbeddings:
    """The embeddings laid over the model for the concepts of a prompt; slot i is the i-th of each.

    Attributes:
        inputs: `[slots, k + 1, hidden]` float32: 0 the identifier, 1..k the soft tokens.
        outputs: `[slots, hidden]` float32: the identifiers' output embeddings.
        names: What each identifier reads as in decoded text.
        token_counts: Soft tokens in use per slot; empty means k for all.
        name_bonus: In generated text, what the logit of a name gains until it is said and loses afterwards.
    """

    inputs: Tensor
    outputs: Tensor
    names: tuple[str, ...]
    token_counts: tuple[int, ...] = ()
    name_bonus: float = 0.0

    def __post_init__(self) -> None:
        """Check that all parts speak of the same slots.

        Raises:
            ValueError: Shapes, names and counts do not fit together.
        """
        slots = len(self.names)
        shapes_fit = self.inputs.ndim == 3 and tuple(self.outputs.shape) == (slots, self.inputs.shape[-1])
        if not shapes_fit or self.inputs.shape[0] != slots:
            shapes = f"inputs {tuple(self.inputs.shape)}, outputs {tuple(self.outputs.shape)}"
            raise ValueError(f"{slots} names, {shapes}")
        if self.token_counts and len(self.token_counts) != slots:
            raise ValueError(f"{slots} names, {len(self.token_counts)} token counts")
        if self.token_counts and not all(0 <= count < self.inputs.shape[1] for count in self.token_counts):
            raise ValueError(f"token counts {self.token_counts} for {self.inputs.shape[1] - 1} soft tokens")

    def on(self, device: torch.device) -> ConceptEmbeddings:
        """The same embeddings on a device."""
        return replace(self, inputs=to_device(self.inputs, device), outputs=to_device(self.outputs, device))

    @property
    def soft_token_counts(self) -> tuple[int, ...]:
        """Soft tokens in use, one number per slot."""
        return self.token_counts or (self.inputs.shape[1] - 1,) * len(self.names)


@dataclass(frozen=True, eq=False)
class PrefixCache:
    """The keys and values of a prompt's common beginning, computed once and never changed.

    Attributes:
        ids: `[tokens]` int64 on the CPU, the model ids that were computed.
        next_position: The position of the token that follows.
        past: The keys and values, detached; only the model that made them can read them.
    """

    ids: Tensor
    next_position: int
    past: Any

    def __len__(self) -> int:
        """How many tokens the prefix has."""
        return int(self.ids.shape[0])

    def is_prefix_of(self, encoded: EncodedPrompt) -> bool:
        """Whether a prompt begins with these very ids and goes on after them."""
        length = len(self)
        return encoded.ids.shape[0] > length and torch.equal(encoded.ids[:length], self.ids)


class VisionModel(Protocol):
    """A frozen vision-language model. Nothing it offers ever changes one of its weights."""

    @property
    def name(self) -> str:
        """Folder name or hub id."""

    @property
    def fingerprint(self) -> str:
        """Hash of configuration and weight files; the same for every copy."""

    @property
    def hidden_size(self) -> int:
        """Width of the decoder's embeddings."""

    @property
    def past_bytes_per_token(self) -> int:
        """How much memory the keys and values of one token take, at most."""

    @property
    def weight_bytes(self) -> int:
        """What the weights take in memory, each counted once."""

    @property
    def vocab_size(self) -> int:
        """Rows of the output layer; the identifier of slot i has the model id `vocab_size + i`."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the weights."""

    @property
    def extends_prefixes(self) -> bool:
        """Whether words behind what `encode_prefix` computed give what whole prompts give."""

    @property
    def supports_prefix(self) -> bool:
        """Whether `forward_packed` gives it for many questions in one call."""

    @property
    def supports_batches(self) -> bool:
        """Whether prompts with photos can stand side by side, so that many are answered at once."""

    @property
    def sees_all(self) -> bool:
        """Whether the model was made for photos of any kind, so that `is_in_distribution` is always True."""

    @property
    def end_ids(self) -> frozenset[int]:
        """The model ids that end an answer."""

    @property
    def repetition_penalty(self) -> float:
        """What the logits of tokens that were in the prompt or were said are divided by in answers."""

    @property
    def input_embeddings(self) -> Tensor:
        """`[vocab, hidden]`, the frozen input rows (to read, for norms and initial values)."""

    @property
    def output_embeddings(self) -> Tensor:
        """`[vocab, hidden]`, the frozen rows of the output layer."""

    @property
    def embedding_scale(self) -> float:
        """What the input layer multiplies its rows by; 1 for nearly all models."""

    @property
    def embedding_norm(self) -> float:
        """The mean L2 norm of what the input layer gives for a token."""

    def encode_photos(
        self, images: Sequence[Image.Image], *, keys: Sequence[str] = ()
    ) -> list[PhotoFeatures]:
        """Encode upright RGB photos; those with a key may be had from what was kept."""

    def is_in_distribution(self, features: PhotoFeatures, second: PhotoFeatures | None = None) -> bool:
        """Whether the model was made for photos like this; True for a model that was made for any.

        Args:
            features: As the model encodes the photo.
            second: As the encoder of pets and things does at a glance, if that is known.
        """

    def encode_prompt(
        self,
        prompt: ChatPrompt,
        features: PhotoFeatures | None = None,
        *,
        answer: str | None = None,
        begun: str = "",
    ) -> EncodedPrompt:
        """Turn a prompt, and the answer to learn or how one begins if given, into model ids."""

    def embed_prompt(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
    ) -> Tensor:
        """`[tokens, hidden]` embeddings with the photo and the concepts laid over them."""

    def embed_ids(self, ids: Tensor, concepts: ConceptEmbeddings | None = None) -> Tensor:
        """`[tokens]` model ids of words to `[tokens, hidden]`, concepts laid over."""

    def run(
        self,
        ids: Tensor,
        positions: Tensor,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        past: Any = None,
        last: int | None = None,
    ) -> Tensor:
        """`[tokens]` model ids to float32 logits `[last or tokens, vocab + slots]`; appends to `past`."""

    def new_past(self) -> Any:
        """Empty keys and values for `forward` to append to."""

    def forward(
        self,
        embeddings: Tensor,
        *,
        positions: Tensor | None = None,
        attention_mask: Tensor | None = None,
        past: Any = None,
    ) -> Tensor:
        """`[batch, tokens, hidden]` to last hidden states of the same shape; appends to `past` if given."""

    def logits(self, hidden: Tensor, concepts: ConceptEmbeddings | None = None) -> Tensor:
        """`[..., hidden]` to float32 `[..., vocab]`, or `[..., vocab + slots]` with rows."""

    def encode_prefix(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        length: int | None = None,
    ) -> PrefixCache:
        """Compute the beginning of a prompt, up to the end of its photo, once."""

    def forward_packed(self, prefix: PrefixCache, suffixes: Sequence[Tensor]) -> list[Tensor]:
        """Run many continuations of one prefix, each `[tokens, hidden]`, in one call."""

    def generate(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        max_new_tokens: int = 96,
        on_text: Callable[[str], None] | None = None,
        prefix: PrefixCache | None = None,
    ) -> str:
        """Answer greedily; returns the text with names in it."""

    def score_answers(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        answers: Sequence[str],
        prefix: PrefixCache | None = None,
    ) -> Tensor:
        """`[answers]` log-probabilities, each up to where the answer differs from all others."""

    def answer_ids(self, text: str, *, has_image: bool = True) -> Tensor:
        """`[tokens]` model ids of an answer with its end-of-turn token, on the CPU."""

    def decode(self, ids: Tensor | Sequence[int], names: Sequence[str] = ()) -> str:
        """Text of model ids, identifiers written as names."""
