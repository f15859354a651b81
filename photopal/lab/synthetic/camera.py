"""Takes drawn photos as cameras do: when, where and with which file name and EXIF; knows nobody in them."""

from __future__ import annotations

import math
import os
import random
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from photopal.lab.synthetic.scene import Scene

Position = tuple[float, float]
_GRAIN = 3


@dataclass(frozen=True)
class Camera:
    """A phone or camera.

    Attributes:
        make: Maker, as EXIF has it.
        model: Model, as EXIF has it.
        file_name: How it names its files: a strftime pattern, in which {number} counts them.
        lens: The lens model, for cameras that write it.
        is_phone: Whether it knows its position, its offset from UTC and how it is held.
    """

    make: str
    model: str
    file_name: str
    lens: str | None = None
    is_phone: bool = True


@dataclass(frozen=True)
class Shot:
    """What a camera knows of one photo.

    Attributes:
        camera: What it is taken with.
        taken: Local time to the second, with its offset from UTC.
        position: Latitude and longitude in degrees, south and west negative; None where unknown.
        orientation: EXIF orientation: how the stored picture is to be turned.
    """

    camera: Camera
    taken: datetime
    position: Position | None
    orientation: int = 1

    @property
    def taken_at(self) -> str:
        """ISO 8601 local time, with the offset where the camera writes it."""
        known = self.taken if self.camera.is_phone else self.taken.replace(tzinfo=None)
        return known.isoformat(timespec="seconds")


CAMERAS = (
    Camera("Fairphone", "FP5", "IMG_%Y%m%d_%H%M%S.jpg"),
    Camera("samsung", "SM-A546B", "%Y%m%d_%H%M%S.jpg"),
    Camera("Canon", "Canon EOS 250D", "IMG_{number:04}.JPG", "EF-S24mm f/2.8 STM", is_phone=False),
)

# Real positions that look as the places are drawn. All keep Central European Time.
POSITIONS: dict[str, tuple[Position, ...]] = {
    "beach": ((43.4655, -5.0590), (43.4832, -1.5586), (52.2446, 4.4310)),  # Ribadesella, Biarritz, Noordwijk
    "forest": ((48.5976, 8.2009),),  # by the Mummelsee
    "mountains": ((46.0207, 7.7491), (45.9237, 6.8694), (46.6242, 8.0414)),  # Zermatt, Chamonix, Grindelwald
    "street": ((47.9950, 7.8500), (50.0875, 14.4213)),  # Freiburg, Prague
    "living room": ((48.0085, 7.8570),),  # Freiburg
    "kitchen": ((48.0085, 7.8570),),
    "garden": ((48.0085, 7.8570),),
    "snow": ((47.8740, 8.0040), (46.8027, 9.8360)),  # Feldberg, Davos
    "playground": ((48.0090, 7.8180),),  # Freiburg
    "lake": ((47.9010, 8.1520), (46.3636, 14.0938), (45.8770, 6.1590)),  # Titisee, Bled, Annecy
    "farm": ((48.0170, 8.0330),),  # Sankt Peter
    "desert": ((37.0500, -2.3910), (42.2100, -1.5200)),  # Tabernas, Bardenas Reales
}
MONTHS: dict[str, tuple[int, ...]] = {
    "beach": (6, 7, 8, 9),
    "forest": (4, 5, 6, 7, 8, 9, 10),
    "mountains": (6, 7, 8, 9),
    "garden": (4, 5, 6, 7, 8, 9),
    "snow": (1, 2, 12),
    "playground": (3, 4, 5, 6, 7, 8, 9, 10),
    "lake": (5, 6, 7, 8, 9),
    "farm": (5, 6, 7, 8, 9),
}

# How each orientation is stored, given the upright picture: the inverse of what it asks a viewer to do.
_STORED = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def plan_shot(scene: Scene, rng: random.Random, *, year: int) -> Shot:
    """Choose a camera, a position that looks like the scene's place, and a time of its light."""
    camera = rng.choices(CAMERAS, (3, 2, 2))[0]
    latitude, longitude = rng.choice(POSITIONS[scene.place])
    position = (latitude + rng.uniform(-0.002, 0.002), longitude + rng.uniform(-0.002, 0.002))
    month = rng.choice(MONTHS.get(scene.place, tuple(range(1, 13))))
    day = date(year, month, rng.randint(1, 28))
    earliest, latest = hours_of_light(scene.light, day, position)
    seconds = round(rng.uniform(earliest, latest) * 3600)
    zone = timezone(timedelta(hours=utc_offset(day)))
    return Shot(
        camera=camera,
        taken=datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=seconds),
        position=(round(position[0], 5), round(position[1], 5)) if camera.is_phone else None,
        orientation=rng.choices((1, 6, 8, 3), (4, 2, 1, 1))[0] if camera.is_phone else 1,
    )


def a_second_later(shot: Shot) -> Shot:
    """Return the next shot of a burst."""
    return replace(shot, taken=shot.taken + timedelta(seconds=1))


def utc_offset(day: date) -> int:
    """Return the hours that Central European Time is ahead of UTC on a day."""

    def last_sunday(month: int) -> date:
        return date(day.year, month, 31 - date(day.year, month, 31).isoweekday() % 7)

    return 2 if last_sunday(3) <= day < last_sunday(10) else 1


def sun_hours(day: date, position: Position) -> tuple[float, float]:
    """Return sunrise and sunset in hours of Central European Time, right to about ten minutes."""
    latitude = math.radians(position[0])
    angle = math.tau * (day.timetuple().tm_yday - 81) / 365
    declination = math.radians(23.44) * math.sin(angle)
    equation_min = 9.87 * math.sin(2 * angle) - 7.53 * math.cos(angle) - 1.5 * math.sin(angle)
    noon = 12 + utc_offset(day) - position[1] / 15 - equation_min / 60
    horizon = math.sin(math.radians(-0.833))
    cosine = (horizon - math.sin(latitude) * math.sin(declination)) / (
        math.cos(latitude) * math.cos(declination)
    )
    half_day = math.degrees(math.acos(cosine)) / 15
    return noon - half_day, noon + half_day


def hours_of_light(light: str, day: date, position: Position) -> tuple[float, float]:
    """Return the first and last hour of a day at which a photo can have a light of the drawn world."""
    sunrise, sunset = sun_hours(day, position)
    if light == "sunset":
        return sunset - 0.5, sunset
    if light == "night":
        return sunset + 1.25, min(sunset + 4, 23.9)
    return sunrise + 1.5, sunset - 1.5


def name_file(shot: Shot, number: int) -> str:
    """Name a shot's file as its camera does; `number` is how many it has taken before."""
    return shot.taken.strftime(shot.camera.file_name).format(number=number % 9999 + 1)


def write_photo(path: Path, image: Image.Image, shot: Shot) -> None:
    """Write an upright picture as the JPEG file its camera would have left."""
    stored = image.transpose(_STORED[shot.orientation]) if shot.orientation in _STORED else image
    path.parent.mkdir(parents=True, exist_ok=True)
    stored.save(path, "JPEG", quality=90, exif=_exif_of(shot, stored.size))
    stamp_file(path, shot.taken)


def write_mask(path: Path, mask: NDArray[np.bool_], shot: Shot) -> None:
    """Write where somebody is (bool [height, width]) as an 8-bit PNG of 0 and 255, upright."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path, "PNG")
    stamp_file(path, shot.taken)


def add_grain(image: Image.Image, *, seed: int) -> Image.Image:
    """Add sensor noise, so that two shots of one moment are no copies."""
    pixels = np.asarray(image, dtype=np.int16)
    grain = np.random.default_rng(seed).integers(-_GRAIN, _GRAIN + 1, size=pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def stamp_file(path: Path, taken: datetime) -> None:
    """Set a file's times to when the photo was taken."""
    os.utime(path, (taken.timestamp(), taken.timestamp()))


def _exif_of(shot: Shot, size_px: tuple[int, int]) -> Image.Exif:
    exif = Image.Exif()
    when = shot.taken.strftime("%Y:%m:%d %H:%M:%S")
    exif[Base.Make] = shot.camera.make
    exif[Base.Model] = shot.camera.model
    exif[Base.Orientation] = shot.orientation
    exif[Base.DateTime] = when
    details = exif.get_ifd(IFD.Exif)
    details[Base.ExifVersion] = b"0232"
    details[Base.DateTimeOriginal] = details[Base.DateTimeDigitized] = when
    if shot.camera.is_phone:
        offset = shot.taken.strftime("%z")
        details[Base.OffsetTimeOriginal] = f"{offset[:3]}:{offset[3:]}"
    if shot.camera.lens is not None:
        details[Base.LensModel] = shot.camera.lens
    details[Base.ExifImageWidth], details[Base.ExifImageHeight] = size_px
    if shot.position is not None:
        latitude, longitude = shot.position
        position = exif.get_ifd(IFD.GPSInfo)
        position[GPS.GPSVersionID] = b"\x02\x03\x00\x00"
        position[GPS.GPSLatitudeRef] = "S" if latitude < 0 else "N"
        position[GPS.GPSLatitude] = _sexagesimal(latitude)
        position[GPS.GPSLongitudeRef] = "W" if longitude < 0 else "E"
        position[GPS.GPSLongitude] = _sexagesimal(longitude)
    return exif


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Split degrees into whole degrees, whole minutes, and seconds to a thousandth."""
    thousandths = round(abs(degrees) * 3_600_000)
    minutes, rest = divmod(thousandths, 60_000)
    return IFDRational(minutes // 60), IFDRational(minutes % 60), IFDRational(rest, 1000)
