"""Finds faces in a picture and turns each into a vector; knows no library and no names.

The faces are found by dlib's detector (histograms of oriented gradients), turned upright by five landmarks
and described by dlib's ResNet: 128 numbers, of which those of one adult lie closer together than those of
two. The weights come with the package `face-recognition-models`. Its files are opened by path, as importing
it needs setuptools, and its file of 68 landmarks is never opened: it was trained on photos without a
commercial license.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.errors import ModelError
from photopal.library.models import Face
from photopal.photos.decode import has_orientation, open_photo, photo_size_px

DETECTOR = "hog-gray-3200/resnet-2000"
"""What finds and describes faces; changes whenever boxes or vectors would."""

VECTOR_WIDTH = 128
"""The number of components of a face's vector."""

SIDE_PX = 2000
"""How large a photo is decoded, on its longer side: of JPEG files of 12 megapixels half, which is fast."""

# Faces are looked for in shades of gray, which takes two thirds of the time that colors do. In a picture of
# this size those of 70 pixels are found.
_SEARCHED_PX = 3200
_ENLARGED = 2.0
_TURN_SIDE_PX = 800
_CHIP_PX = 150
_CHIP_PADDING = 0.25
# A face that is only found after turning the photo must be a clear one: in foliage and cloth a
# detector finds something in one of four directions sooner than in one.
_TURNED_SCORE = 0.4

_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_VECTORS = "dlib_face_recognition_resnet_model_v1.dat"
_HINT = "Names of people are then found by the model alone; `photopal doctor` shows what is missing."

_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


@dataclass(frozen=True)
class _Found:
    """A detection in pixels of the picture that is described."""

    rectangle: Any
    score: float


def find_model_files() -> dict[str, Path] | str:
    """Return the two model files by name, or in words why faces cannot be found on this machine."""
    if importlib.util.find_spec("dlib") is None:
        return "the package dlib-bin is not installed"
    spec = importlib.util.find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        return "the package face-recognition-models is not installed"
    paths = {name: Path(folders[0]) / "models" / name for name in (_LANDMARKS, _VECTORS)}
    for path in paths.values():
        if not path.is_file():
            return f"{path}: missing; reinstall face-recognition-models"
    return paths


@cache
def load_detector() -> FaceDetector:
    """Load the detector once for all searches of this program; it takes a second and 100 MB.

    Raises:
        ModelError: See `FaceDetector`.
    """
    return FaceDetector()


class FaceDetector:
    """Finds faces; may be used by several threads at once.

    Raises:
        ModelError: dlib or its model files are not installed, or cannot be loaded.
    """

    def __init__(self) -> None:
        paths = find_model_files()
        if isinstance(paths, str):
            raise ModelError(f"faces cannot be found on this machine: {paths}", hint=_HINT)
        try:
            import dlib

            self._dlib: Any = dlib
            self._landmarks = dlib.shape_predictor(str(paths[_LANDMARKS]))
            self._network = dlib.face_recognition_model_v1(str(paths[_VECTORS]))
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(f"faces cannot be found on this machine: {error}", hint=_HINT) from error
        # The detector keeps the picture's pyramid, so each thread has its own; the network is shared.
        self._local = threading.local()
        self._network_lock = threading.Lock()

    def find_in_file(self, path: Path, *, side_px: int = SIDE_PX, content: bytes | None = None) -> list[Face]:
        """Find the faces in a photo file, the largest first.

        Where nothing in the file says which side is up and no clear face is found, the other three are tried.

        Args:
            path: A photo, as `open_photo` reads it.
            side_px: How large to decode it, on its longer side.
            content: The bytes of the file, if they were read already.

        Raises:
            PhotoError: The photo cannot be read.
        """
        picture = open_photo(path, max_side_px=side_px, content=content)
        photo_side_px = max(photo_size_px(path, content=content))
        faces = self.find(picture, photo_side_px=photo_side_px)
        surest = max((face.score for face in faces), default=0.0)
        if surest >= _TURNED_SCORE or has_orientation(path, content=content):
            return faces
        turned = self._find_turned(picture, photo_side_px=photo_side_px)
        # A face on its head is sometimes taken for one, but with less certainty.
        return turned if max((face.score for face in turned), default=0.0) > surest + _TURNED_SCORE else faces

    def find(self, picture: Image.Image, *, photo_side_px: int | None = None) -> list[Face]:
        """Find the faces in an upright RGB picture, the largest first.

        Args:
            picture: As `open_photo` gives it.
            photo_side_px: The longer side of the photo it was decoded from; its own when left out.
        """
        pixels = np.asarray(picture)
        scale = (photo_side_px or max(picture.size)) / max(picture.size)
        faces = self._describe(pixels, self._detect(picture), scale)
        return sorted(faces, key=lambda face: (-face.side_px, face.box))

    def _detect(self, picture: Image.Image) -> list[_Found]:
        if not hasattr(self._local, "detector"):
            self._local.detector = self._dlib.get_frontal_face_detector()
        factor = min(_ENLARGED, _SEARCHED_PX / max(picture.size))
        width, height = (max(1, round(side * factor)) for side in picture.size)
        gray = picture.convert("L").resize((width, height), Image.Resampling.BILINEAR)
        rectangles, scores, _ = self._local.detector.run(np.asarray(gray), 0, 0.0)
        edges = [
            [round(edge / factor) for edge in (one.left(), one.top(), one.right(), one.bottom())]
            for one in rectangles
        ]
        return [
            _Found(self._dlib.rectangle(*sides), score) for sides, score in zip(edges, scores, strict=True)
        ]

    def _describe(self, pixels: NDArray[np.uint8], found: Sequence[_Found], scale: float) -> list[Face]:
        if not found:
            return []
        shapes = [self._landmarks(pixels, face.rectangle) for face in found]
        chips = [self._dlib.get_face_chip(pixels, shape, _CHIP_PX, _CHIP_PADDING) for shape in shapes]
        with self._network_lock:
            # One at a time: a batch takes the memory of all and saves no time on a CPU.
            vectors = [self._network.compute_face_descriptor(chip) for chip in chips]
        height, width = pixels.shape[:2]
        return [
            Face(
                box=_box(face.rectangle, width, height),
                vector=np.array(vector, dtype=np.float32),
                side_px=round(max(face.rectangle.width(), face.rectangle.height()) * scale),
                sharpness=_sharpness(chip),
                yaw=_yaw(shape),
                score=float(face.score),
            )
            for face, shape, chip, vector in zip(found, shapes, chips, vectors, strict=True)
        ]

    def _find_turned(self, picture: Image.Image, *, photo_side_px: int) -> list[Face]:
        """Find faces in a picture that lies on a side or stands on its head, boxes as it is."""
        small = picture.copy()
        small.thumbnail((_TURN_SIDE_PX, _TURN_SIDE_PX))
        best, best_sum = None, 0.0
        for turn in _TURNS[1:]:
            found = self._detect(_turned(small, turn))
            total = sum(face.score for face in found if face.score >= _TURNED_SCORE)
            if total > best_sum:
                best, best_sum = turn, total
        if best is None:
            return []
        faces = self.find(_turned(picture, best), photo_side_px=photo_side_px)
        return [
            replace(face, box=_turned_back(face.box, best)) for face in faces if face.score >= _TURNED_SCORE
        ]


def _turned(picture: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return picture if turn is None else picture.transpose(turn)


def _turned_back(
    box: tuple[float, float, float, float], turn: Image.Transpose
) -> tuple[float, float, float, float]:
    """Where a box of the turned picture lies in the picture before it was turned (counter-clockwise)."""
    x, y, width, height = box
    if turn is Image.Transpose.ROTATE_90:
        return (1.0 - y - height, x, height, width)
    if turn is Image.Transpose.ROTATE_180:
        return (1.0 - x - width, 1.0 - y - height, width, height)
    return (y, 1.0 - x - width, height, width)


def _box(rectangle: Any, width: int, height: int) -> tuple[float, float, float, float]:
    """A rectangle as fractions of the picture, cut at its edges."""
    left, top = max(0, rectangle.left()), max(0, rectangle.top())
    right, bottom = min(width, rectangle.right() + 1), min(height, rectangle.bottom() + 1)
    return (left / width, top / height, max(1, right - left) / width, max(1, bottom - top) / height)


def _sharpness(chip: NDArray[np.uint8]) -> float:
    """How much of a face's contrast is fine detail: 0 none, 1 from about a tenth up."""
    # [150, 150]; the Laplacian of neighboring pixels against the spread of the face's brightness.
    gray = chip.astype(np.float32).mean(axis=2)
    inner = gray[1:-1, 1:-1]
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * inner
    spread = float(inner.std())
    return min(1.0, float(laplacian.std()) / spread / _CRISP) if spread > 1.0 else 0.0


_CRISP = 0.5


def _yaw(shape: Any) -> float:
    """How far the nose lies beside the middle of the eyes, in half distances of the eyes."""
    # The five landmarks are the corners of the right and the left eye, and the base of the nose.
    points = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)
    right, left, nose = points[:2].mean(axis=0), points[2:4].mean(axis=0), points[4]
    axis = right - left
    length = float(np.hypot(*axis))
    if length < 1.0:
        return 0.0
    return float((nose - (left + right) / 2) @ axis / length / (length / 2))
