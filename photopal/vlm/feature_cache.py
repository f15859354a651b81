"""Stores features of photos on disk, so that no photo is encoded twice; knows no model and no library.

One file holds the features of one photo, named by the hash of its content, in a folder named by the model's
fingerprint and number format. The files of all models together stay below a number of bytes: those that were
not used for longest go first. What cannot be read is made anew, what cannot be written is not stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from photopal.box import Box
from photopal.files import atomic_path
from photopal.vlm.protocol import PhotoFeatures, to_device

MOST_BYTES = 2 * 2**30
_FORMAT = "2"  # to be changed with anything that changes features or this file's layout
_LEAST_FREE_BYTES = 2**30
_MOST_PHOTO_BYTES = 8 * 2**20  # larger ones push out so many others that the folder helps nobody
_SHARE_AFTER_CLEANUP = 0.9
_SUFFIX = ".features"

Encode = Callable[[Sequence[Image.Image]], list[PhotoFeatures]]


class FeatureCache:
    """The features that one model made, on disk.

    Args:
        root: The folder of all models' features; made when the first is stored.
        maker: What tells features of this model from others: fingerprint and number format.
        device: Where the projected tokens are wanted.
        most_bytes: How large the whole folder may grow.
    """

    def __init__(
        self, root: Path, maker: str, *, device: torch.device | str = "cpu", most_bytes: int = MOST_BYTES
    ) -> None:
        self._root, self._folder = root, root / maker
        self._device, self._most_bytes = torch.device(device), most_bytes
        self._bytes: int | None = None  # of all files; None until counted
        self._is_writable = most_bytes > 0

    def get_or_encode(
        self, keys: Sequence[str], images: Sequence[Image.Image], encode: Encode
    ) -> list[PhotoFeatures]:
        """The features of photos: those stored, and the others encoded together and stored.

        Args:
            keys: The hash of each photo's content, with what was done to it, such as `-mirrored`.
            images: The photos.
            encode: Encodes photos.
        """
        found = [self.get(key) for key in keys]
        new = [image for image, features in zip(images, found, strict=True) if features is None]
        made = iter(encode(new) if new else [])
        encoded = []
        for key, features in zip(keys, found, strict=True):
            if features is None:
                features = next(made)
                self.put(key, features)
            encoded.append(features)
        return encoded

    def get(self, key: str) -> PhotoFeatures | None:
        """The features of a photo; None where none are stored, or their file is broken."""
        if self._most_bytes <= 0:
            return None
        path = self._path(key)
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
                header = json.loads(file.metadata()["features"])
            if header["form"] != _FORMAT or header["digest"] != _digest(tensors):
                return None
        except Exception:  # noqa: BLE001 - a broken file may raise anything, and is only made anew
            return None
        with suppress(OSError):
            os.utime(path)  # where it cannot be set, the file only goes sooner
        inputs = {n.removeprefix("input."): t for n, t in tensors.items() if n.startswith("input.")}
        return PhotoFeatures(
            tokens=to_device(tensors["tokens"], self._device),
            token_grid=tuple(header["token_grid"]),
            patches=tensors.get("patches", tensors["tokens"]).float().view(header["patches"]),
            frame=Box(*header["frame"]),
            model_inputs=inputs,
            image_text=header["image_text"],
            token_cells=tensors.get("token_cells"),
        )

    def put(self, key: str, features: PhotoFeatures) -> None:
        """Store the features of a photo, if there is room; never fails."""
        if not self._is_writable:
            return
        try:
            self._write(self._path(key), *_packed(features))
        except Exception:  # noqa: BLE001 - storing is only for speed: whatever goes wrong, nothing is stored
            self._is_writable = False

    def _write(self, path: Path, tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        size = sum(tensor.nbytes for tensor in tensors.values())
        if size > _MOST_PHOTO_BYTES:
            return
        if shutil.disk_usage(self._folder).free - size < _LEAST_FREE_BYTES:
            self._is_writable = False
            return
        # Only speed is lost with a file, and a cut one is noticed by its digest: no waiting for the disk.
        with atomic_path(path, durable=False) as part:
            save_file(tensors, part, metadata={"features": json.dumps(header)})
        self._bytes = (
            sum(path.stat().st_size for path in self._root.glob("*/*"))
            if self._bytes is None
            else self._bytes + path.stat().st_size
        )
        if self._bytes > self._most_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Remove what was not used for longest, with some room to spare."""
        files = []
        for path in self._root.glob("*/*"):
            status = path.stat()
            files.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= _SHARE_AFTER_CLEANUP * self._most_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        self._bytes = total

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"


def _packed(features: PhotoFeatures) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a file, and what its header says beside them."""
    # In the number format of the tokens where that loses nothing: half the size for a model in 16 bits.
    narrow = features.patches.to(features.tokens.dtype)
    patches = narrow if torch.equal(narrow.float(), features.patches) else features.patches
    tensors = {"tokens": features.tokens, "patches": patches}
    rows, cols, width = patches.shape
    if patches.dtype == features.tokens.dtype and features.tokens.shape == (rows * cols, width):
        tokens = features.tokens.cpu().view_as(patches)
        if torch.equal(tokens, patches):  # one copy of both
            del tensors["patches"]
    if features.token_cells is not None:
        tensors["token_cells"] = features.token_cells
    tensors |= {f"input.{name}": tensor for name, tensor in features.model_inputs.items()}
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    header: dict[str, Any] = {
        "form": _FORMAT,
        "patches": list(patches.shape),
        "digest": _digest(tensors),
        "token_grid": features.token_grid,
        "frame": features.frame,
        "image_text": features.image_text,
    }
    return tensors, header


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype}".encode())
        digest.update(tensors[name].contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
