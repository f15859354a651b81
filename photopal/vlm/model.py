"""A loaded checkpoint behind the protocol; knows no family's ways, no bank and no wording."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from photopal.errors import ModelError
from photopal.vlm.checkpoint import Checkpoint, fingerprint_processor, output_layer
from photopal.vlm.concept_embeddings import append_name_logits, overlay_concepts, overlay_photo
from photopal.vlm.families import Family, Route, generic
from photopal.vlm.feature_cache import FeatureCache
from photopal.vlm.generate import GenerationTask, answer_greedily, score_each
from photopal.vlm.kv_cache import run_suffixes
from photopal.vlm.ood import OODDetector
from photopal.vlm.protocol import (
    ChatPrompt,
    ConceptEmbeddings,
    EncodedPrompt,
    PhotoFeatures,
    PrefixCache,
    to_device,
)
from photopal.vlm.tokenizer import PromptCoder

_LEAST_SCALE = 1e-3
_ROWS_AT_ONCE = 8192


class LoadedModel:
    """A frozen HuggingFace model as a `VisionModel`; made by `load_model`."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        family: Family,
        *,
        name: str,
        fingerprint: str,
        ood_detector: OODDetector | None = None,
    ) -> None:
        """Take over a loaded, frozen checkpoint.

        `ood_detector` knows the photos it was made for, where it is made for some kind only.
        """
        self.name = name
        self.fingerprint = fingerprint
        self.ood_detector = ood_detector
        self.variant = ""  # in file names, tells features with fewer tokens or bits from others
        self.processor_fingerprint = fingerprint_processor(checkpoint.folder)
        self.feature_cache: FeatureCache | None = None  # set to store features that have a key
        self.device, self.dtype = checkpoint.device, checkpoint.dtype
        self._checkpoint = checkpoint
        self._family = family
        self._decoder = checkpoint.model.get_decoder()
        # transformers 5.24 renamed the argument of every decoder, and warns of the old name.
        is_renamed = "cache" in inspect.signature(self._decoder.forward).parameters
        self._cache_argument = "cache" if is_renamed else "past_key_values"
        self._own_arguments = frozenset(inspect.signature(checkpoint.model.forward).parameters)
        self._embed = checkpoint.model.get_input_embeddings()
        self._head = output_layer(checkpoint.model)
        if self._head is None:
            raise ModelError(
                f"{name}: the model has no layer that says words", hint="Choose another model with --model."
            )
        if len(self._head.weight) > len(self._embed.weight):
            raise ModelError(
                f"{name}: the input and output layers have different vocabularies",
                hint="Choose another model with --model.",
            )
        # Some have no output rows for the tokens of photos, which come last.
        self.vocab_size, self.hidden_size = (int(size) for size in self._embed.weight.shape)
        self._coder = PromptCoder(checkpoint, self.vocab_size)
        self.take_route(Route())

    def take_route(self, route: Route) -> None:
        """Let photos and words go into the model by the ways of a route only."""
        self.route = route
        layers = self.new_past().layers
        # Layers of other kinds may change in place what was computed of a prefix.
        can_extend = bool(layers) and all(isinstance(layer, DynamicLayer) for layer in layers)
        self.extends_prefixes = can_extend and route.extends_prefixes
        is_plain = can_extend and all(type(layer) is DynamicLayer for layer in layers)
        self.supports_prefix = is_plain and route.shares_prefixes
        self.supports_batches = self.supports_prefix and route.takes_embeddings

    @property
    def input_embeddings(self) -> Tensor:
        """`[vocab, hidden]`, the frozen input rows."""
        weight: Tensor = self._embed.weight
        return weight

    @property
    def output_embeddings(self) -> Tensor:
        """`[vocab, hidden]`, the frozen output rows."""
        weight: Tensor = self._head.weight
        return weight

    @cached_property
    def embedding_scale(self) -> float:
        """What the input layer multiplies its rows by; 1 for nearly all models."""
        ids = torch.arange(min(64, self.vocab_size), device=self.device)
        given, rows = (
            float(vectors.float().norm()) for vectors in (self._embed(ids), self._embed.weight[ids])
        )
        scale = given / rows if rows else 1.0
        return 1.0 if abs(scale - 1) < _LEAST_SCALE else scale

    @cached_property
    def embedding_norm(self) -> float:
        """The mean L2 norm of what the input layer gives for a token."""
        # In pieces: a float32 copy of a whole vocabulary takes gigabytes.
        norms = [rows.detach().float().norm(dim=-1) for rows in self._embed.weight.split(_ROWS_AT_ONCE)]
        return float(torch.cat(norms).mean()) * self.embedding_scale

    @property
    def sees_all(self) -> bool:
        """Whether the model was made for photos of any kind, so that `is_in_distribution` is always True."""
        return self.ood_detector is None

    @property
    def end_ids(self) -> frozenset[int]:
        """The model ids that end an answer."""
        return self._coder.end_ids

    @property
    def repetition_penalty(self) -> float:
        """What the logits of tokens that were in the prompt or were said are divided by, as it is made."""
        return float(getattr(self._checkpoint.model.generation_config, "repetition_penalty", None) or 1.0)

    @property
    def weight_bytes(self) -> int:
        """What the weights take in memory, each counted once."""
        return sum(weight.nbytes for weight in self._checkpoint.model.parameters())

    def encode_photos(
        self, images: Sequence[Image.Image], *, keys: Sequence[str] = ()
    ) -> list[PhotoFeatures]:
        """Encode upright RGB photos of any size.

        Args:
            images: The photos.
            keys: What each is known by in the feature cache, or nothing.

        Returns:
            One per photo, without gradients, on the model's device.
        """
        encode = partial(self._family.encode, self._checkpoint)
        if self.feature_cache is not None and keys:
            return self.feature_cache.get_or_encode(keys, images, encode)
        return encode(images) if images else []

    def is_in_distribution(self, features: PhotoFeatures, second: PhotoFeatures | None = None) -> bool:
        """Whether the model was made for photos like this; True for a model that was made for any.

        Args:
            features: As the model encodes the photo.
            second: As the encoder of pets and things does at a glance; the more reliable answer.
        """
        return self.ood_detector is None or self.ood_detector.is_in_distribution(features, second)

    def encode_prompt(
        self,
        prompt: ChatPrompt,
        features: PhotoFeatures | None = None,
        *,
        answer: str | None = None,
        begun: str = "",
    ) -> EncodedPrompt:
        """Turn a prompt into model ids by the model's own chat template.

        Args:
            prompt: The question, with placeholders for concepts.
            features: The photo, where the prompt has one.
            answer: The answer to learn, appended with its end-of-turn token.
            begun: How the answer begins, for the model to go on.

        Returns:
            Ids and positions, on the CPU.

        Raises:
            ValueError: The prompt has a photo and no features are given.
            ModelError: The chat template has no place for a photo.
        """
        features = features if prompt.has_image else None
        ids = self._coder.prompt_ids(prompt, features)
        if begun:
            started = self._coder.answer_ids(begun, has_image=prompt.has_image)
            ids = torch.cat([ids, started[:-1]])  # without the token that would end the answer
        answer_start = int(ids.shape[0])
        if answer is not None:
            ids = torch.cat([ids, self._coder.answer_ids(answer, has_image=prompt.has_image)])
        image_positions = torch.nonzero(ids == self._checkpoint.image_token_id).squeeze(-1).tolist()
        return EncodedPrompt(
            ids=ids,
            positions=self._family.positions(self._checkpoint, ids, features),
            image_start=image_positions[0] if image_positions else 0,
            image_end=image_positions[-1] + 1 if image_positions else 0,
            answer_start=answer_start,
        )

    @property
    def past_bytes_per_token(self) -> int:
        """See `VisionModel`; layers with a sliding window take less."""
        config = self._checkpoint.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * width * self.dtype.itemsize)

    def embed_prompt(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
    ) -> Tensor:
        """Embeddings of a prompt, the photo's tokens and the concepts laid over the base embeddings.

        Returns:
            `[tokens, hidden]`; gradients reach `concepts.inputs` and nothing else.

        Raises:
            ValueError: Photo or concepts of the prompt are missing, or of another size.
        """
        return self._embed_over(encoded.ids, features, concepts)

    def _embed_over(
        self, ids: Tensor, features: PhotoFeatures | None, concepts: ConceptEmbeddings | None
    ) -> Tensor:
        tokens = None if features is None else features.tokens
        is_photo = ids == self._checkpoint.image_token_id
        embeddings = overlay_photo(self._base_embeddings(ids), is_photo, tokens)
        return overlay_concepts(embeddings, ids, concepts, vocab_size=self.vocab_size)

    def embed_ids(self, ids: Tensor, concepts: ConceptEmbeddings | None = None) -> Tensor:
        """`[tokens]` model ids without a photo to `[tokens, hidden]`, concepts laid over."""
        return overlay_concepts(self._base_embeddings(ids), ids, concepts, vocab_size=self.vocab_size)

    def _base_embeddings(self, ids: Tensor) -> Tensor:
        """The frozen input embeddings `[tokens, hidden]` of `[tokens]` ids; any where a concept stands."""
        embeddings: Tensor = self._embed(to_device(ids.masked_fill(ids >= self.vocab_size, 0), self.device))
        return embeddings

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
        """Run tokens through the model, in its own way or one that was found to be equal.

        Args:
            ids: `[tokens]` model ids.
            positions: `[tokens]` or `[3, tokens]`, of these ids.
            features: The photo, where the ids have room for one.
            concepts: The concepts, differentiable.
            past: From `new_past` or an earlier call; what comes before these ids, which are appended to it.
            last: Of how many last ids logits are wanted; of all when left out.

        Returns:
            float32 logits `[last or tokens, vocab]`, or `[last or tokens, vocab + slots]` with concepts.
        """
        if not self.route.takes_embeddings:
            return self._run_own(ids, positions, features, concepts, past=past, last=last)
        if features is None and past is not None and past.get_seq_length():
            # Behind a prompt, the photo's token is a word that the model says, like any other.
            embeddings = self.embed_ids(ids, concepts)[None]
        else:
            embeddings = self._embed_over(ids, features, concepts)[None]
        hidden = self.forward(embeddings, positions=positions.unsqueeze(-2), past=past)[0]
        return self.logits(hidden if last is None else hidden[-last:], concepts)

    def _run_own(
        self,
        ids: Tensor,
        positions: Tensor,
        features: PhotoFeatures | None,
        concepts: ConceptEmbeddings | None,
        *,
        past: Any,
        last: int | None,
    ) -> Tensor:
        """The same by the model's own forward, which knows masks, positions and layers that only it has."""
        given: dict[str, Any] = {"use_cache": past is not None, "return_dict": True}
        plain_ids = to_device(ids.masked_fill(ids >= self.vocab_size, 0), self.device)[None]
        if past is not None:
            given[self._cache_argument] = past
        if features is not None:
            given |= generic.forward_inputs(self._checkpoint, features, is_list=self.route.pools_lists)
            given |= generic.type_inputs(self._checkpoint, ids)
        if past is None or not past.get_seq_length():
            given["attention_mask"] = torch.ones_like(plain_ids)
        if axes := generic.count_axes(self._checkpoint):
            given["position_ids"] = to_device(positions.expand(axes, -1), self.device)[:, None]
        if last is not None and "logits_to_keep" in self._own_arguments:
            given["logits_to_keep"] = last
        with self._laid_over(ids, concepts):
            outputs = self._checkpoint.model(input_ids=plain_ids, **given)
        logits: Tensor = outputs.logits[0]
        return (logits if last is None else logits[-last:]).float()

    @contextmanager
    def _laid_over(self, ids: Tensor, concepts: ConceptEmbeddings | None) -> Iterator[None]:
        """Lay concepts over what the input and the output layer give while the block runs."""

        def lay_over(_: Any, given: tuple[Tensor, ...], embeddings: Tensor) -> Tensor:
            if given[0].shape[-1] != ids.shape[0]:
                return embeddings
            return overlay_concepts(embeddings[0], ids, concepts, vocab_size=self.vocab_size)[None]

        def append(_: Any, given: tuple[Tensor, ...], logits: Tensor) -> Tensor:
            return self._append_names(logits, given[0], concepts)

        hooks = (self._embed.register_forward_hook(lay_over), self._head.register_forward_hook(append))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _append_names(self, logits: Tensor, hidden: Tensor, concepts: ConceptEmbeddings | None) -> Tensor:
        """What the head says, with a column for each token of the vocabulary and each name."""
        if missing := self.vocab_size - logits.shape[-1]:
            lowest = torch.finfo(logits.dtype).min
            logits = torch.nn.functional.pad(logits, (0, missing), value=lowest)
        if concepts is None or not concepts.names:
            return logits
        return append_name_logits(logits, hidden, concepts)

    def new_past(self) -> Any:
        """Empty keys and values for `forward` to append to."""
        return DynamicCache(config=self._checkpoint.config)

    def forward(
        self,
        embeddings: Tensor,
        *,
        positions: Tensor | None = None,
        attention_mask: Tensor | None = None,
        past: Any = None,
    ) -> Tensor:
        """Run the decoder.

        Args:
            embeddings: `[batch, tokens, hidden]`.
            positions: `[batch, tokens]` or `[3, batch, tokens]`; counted from what `past` holds when left
                out.
            attention_mask: `[batch, past + tokens]` of 0 and 1, or additive `[batch, 1, tokens, past +
                tokens]`.
            past: From `new_past` or an earlier call; this call's keys and values are appended to it.

        Returns:
            `[batch, tokens, hidden]`, after the last norm.
        """
        outputs = self._decoder(
            inputs_embeds=embeddings,
            position_ids=None if positions is None else to_device(positions, self.device),
            attention_mask=attention_mask,
            use_cache=past is not None,
            return_dict=True,
            **{self._cache_argument: past},
        )
        hidden: Tensor = outputs.last_hidden_state
        return hidden

    def logits(self, hidden: Tensor, concepts: ConceptEmbeddings | None = None) -> Tensor:
        """Ask the frozen head, and the concepts' output embeddings; pass only the positions that are needed.

        Returns:
            float32; `[..., hidden]` becomes `[..., vocab]`, or `[..., vocab + slots]` with concepts.
        """
        return self._append_names(self._head(hidden), hidden, concepts).float()

    @torch.no_grad()
    def encode_prefix(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        length: int | None = None,
    ) -> PrefixCache:
        """Compute keys and values of a prompt's beginning, which depend on nothing that follows.

        Args:
            encoded: Any prompt that begins so.
            features: Its photo.
            concepts: Its concepts, if the beginning speaks of any; they are taken as they are now.
            length: Tokens to compute; up to the end of the photo when left out.

        Returns:
            The detached prefix, for `forward_packed`, `generate` and `score_answers`.

        Raises:
            ValueError: There is nothing to compute, or nothing would be left to follow.
        """
        end = encoded.image_end if length is None else length
        if not 0 < end < encoded.ids.shape[0]:
            raise ValueError(f"a prefix of {end} tokens of a prompt of {encoded.ids.shape[0]}")
        begun = replace(encoded, ids=encoded.ids[:end], positions=encoded.positions[..., :end])
        past = self.new_past()
        self.run(begun.ids, begun.positions, features, concepts, past=past, last=1)
        return PrefixCache(ids=begun.ids, next_position=begun.next_position, past=past)

    def forward_packed(self, prefix: PrefixCache, suffixes: Sequence[Tensor]) -> list[Tensor]:
        """Run many continuations of one prefix in one call; they do not see each other.

        Args:
            prefix: From `encode_prefix`; left as it is.
            suffixes: `[tokens, hidden]` embeddings each, of words only; `embed_prompt(...)[len(prefix):]`.

        Returns:
            `[tokens, hidden]` hidden states each, as separate sequences give them; gradients flow to the
            suffixes.

        Raises:
            ValueError: The model does not support prefixes.
        """
        if not self.supports_prefix:
            raise ValueError(f"{self.name} does not support prefixes")
        return run_suffixes(self, prefix, suffixes) if suffixes else []

    @torch.no_grad()
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
        """Answer greedily, with cached keys and values.

        Args:
            encoded: The prompt, without an answer.
            features: Its photo.
            concepts: Those whose names may be said.
            max_new_tokens: Where to stop at the latest.
            on_text: Gets each new piece of text; the pieces joined are the answer.
            prefix: The prompt's beginning, if computed before.

        Returns:
            The answer with names in it, without spaces at its ends.
        """
        task = GenerationTask(
            model=self, encoded=encoded, features=features, concepts=concepts, prefix=prefix
        )
        return answer_greedily(task, max_new_tokens=max_new_tokens, on_text=on_text)

    @torch.no_grad()
    def score_answers(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        concepts: ConceptEmbeddings | None = None,
        *,
        answers: Sequence[str],
        prefix: PrefixCache | None = None,
    ) -> Tensor:
        """How likely each answer is, up to where it differs from all others.

        Args:
            encoded: The prompt, without an answer.
            features: Its photo.
            concepts: Those whose names may be said.
            answers: Two or more different answers, such as Yes and No or letters.
            prefix: The prompt's beginning, if computed before.

        Returns:
            `[answers]` float32 log-probabilities over all tokens, so they need not add up to 1.

        Raises:
            ValueError: Two answers are the same.
        """
        has_image = encoded.image_end > 0
        ids = [self.answer_ids(answer, has_image=has_image) for answer in answers]
        return score_each(
            GenerationTask(model=self, encoded=encoded, features=features, concepts=concepts, prefix=prefix),
            ids,
        )

    def answer_ids(self, text: str, *, has_image: bool = True) -> Tensor:
        """`[tokens]` model ids of an answer with its end-of-turn token, on the CPU."""
        return self._coder.answer_ids(text, has_image=has_image)

    def decode(self, ids: Tensor | Sequence[int], names: Sequence[str] = ()) -> str:
        """Text of model ids; see `PromptCoder.decode`."""
        return self._coder.decode(ids, names)
