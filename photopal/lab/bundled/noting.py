"""Notes what the assistant wants generated, so that many answers are made together; knows no wording.

The whole assistant is measured as it is: it is handed a model that notes what is to be generated; what was
noted is answered by `photopal.vlm.batch_decoder`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, cast

from PIL import Image

from photopal.vlm.batch_decoder import GenerationRequest
from photopal.vlm.protocol import ConceptEmbeddings, EncodedPrompt, PhotoFeatures, VisionModel

_PHOTOS_KEPT = 512


class NotingModel:
    """A model that notes what is to be generated instead of generating, and encodes no photo twice.

    Attributes:
        noted: Every prompt `generate` was asked for, in order.
    """

    supports_prefix = False  # nothing is computed ahead for answers that are not made here

    def __init__(self, model: VisionModel) -> None:
        self._model = model
        self._encoded: dict[bytes, PhotoFeatures] = {}
        self.noted: list[GenerationRequest] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the model's own."""
        return getattr(self._model, name)

    def encode_photos(self, images: Sequence[Image.Image], **_: Any) -> list[PhotoFeatures]:
        """Encode photos; one that was seen lately is not encoded again."""
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in self._encoded}
        if len(self._encoded) + len(new) > _PHOTOS_KEPT:
            self._encoded.clear()
            new = dict(zip(keys, images, strict=True))
        self._encoded.update(zip(new, self._model.encode_photos(list(new.values())), strict=True))
        return [self._encoded[key] for key in keys]

    def generate(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None = None,
        rows: ConceptEmbeddings | None = None,
        *,
        max_new_tokens: int = 96,
        **_: Any,
    ) -> str:
        """Note the prompt; returns nothing yet."""
        self.noted.append(GenerationRequest(encoded, features, rows, max_new_tokens))
        return ""

    @property
    def as_model(self) -> VisionModel:
        """The same, as the assistant takes it."""
        return cast("VisionModel", self)
