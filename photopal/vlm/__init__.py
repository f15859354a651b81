"""The HuggingFace model behind one protocol: photo features, prompts, answers; knows no library, no bank.

Names are looked up on first use, so that `photopal.vlm.placeholders` can be had without importing torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photopal.vlm.load import DEFAULT_MODEL_FOLDER, load_model
    from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS, name_placeholder, token_placeholder
    from photopal.vlm.protocol import (
        ChatPrompt,
        ConceptEmbeddings,
        EncodedPrompt,
        PhotoFeatures,
        PrefixCache,
        VisionModel,
    )

_HOMES = {
    "DEFAULT_MODEL_FOLDER": "load",
    "load_model": "load",
    "SLOTS": "placeholders",
    "SOFT_TOKENS": "placeholders",
    "name_placeholder": "placeholders",
    "token_placeholder": "placeholders",
    "ChatPrompt": "protocol",
    "ConceptEmbeddings": "protocol",
    "EncodedPrompt": "protocol",
    "PhotoFeatures": "protocol",
    "PrefixCache": "protocol",
    "VisionModel": "protocol",
}

__all__ = [
    "DEFAULT_MODEL_FOLDER",
    "SLOTS",
    "SOFT_TOKENS",
    "ChatPrompt",
    "ConceptEmbeddings",
    "EncodedPrompt",
    "PhotoFeatures",
    "PrefixCache",
    "VisionModel",
    "load_model",
    "name_placeholder",
    "token_placeholder",
]


def __getattr__(name: str) -> Any:
    """Import the module that a public name lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
