"""Shows small pictures in terminals that can: kitty's protocol, iTerm2's and sixels; knows no photo."""

from __future__ import annotations

import base64
import io
import re
import shutil
import struct
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

    from PIL import Image
    from rich.console import Console

    from photopal.config import PictureProtocol

NO_PICTURES = "Show no pictures in the terminal."
"""The help of `--no-pictures`."""

PICTURE_ROWS = 16
"""How many lines a picture of its own is high."""

_ROWS = 6
_PIECE = 4096  # kitty takes no more at a time
_CELL_PX = (10, 20)


def show_photos(
    out: Console, photos: Iterable[tuple[str, bytes | None, Sequence[str]]], protocol: PictureProtocol
) -> None:
    """Show photos one below the other: the path, whole, and below it the picture with facts beside it.

    Args:
        out: The terminal.
        photos: Of each its path, its thumbnail as a file's content, and lines of text. What a terminal would
            obey is escaped.
        protocol: What the terminal takes.
    """
    from PIL import Image

    from photopal.cli.output import plain, safe

    for path, thumbnail, lines in photos:
        out.print(plain(path, "bold"), soft_wrap=True)
        shown = [safe(line) for line in lines if line]
        try:
            with Image.open(io.BytesIO(thumbnail or b"")) as picture:
                small = picture.convert("RGB")
        except OSError:
            for line in shown:
                out.file.write(f"{line}\n")
        else:
            show_picture(out.file, small, protocol, rows=_ROWS, beside=shown)


def show_picture(
    out: IO[str], picture: Image.Image, protocol: PictureProtocol, *, rows: int, beside: Sequence[str] = ()
) -> None:
    """Write a picture, with lines of text to the right of it.

    Args:
        out: The terminal.
        picture: RGB.
        protocol: What the terminal takes.
        rows: How many lines of the terminal the picture is high at most.
        beside: Folded at the terminal's edge; what needs more lines than the picture has is cut.
    """
    cell = _cell_px(out)
    width = shutil.get_terminal_size().columns
    scale = min(rows * cell[1] / picture.height, (width - 2) * cell[0] / picture.width)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    columns, lines = -(-size[0] // cell[0]), -(-size[1] // cell[1])
    small = picture if size == picture.size else picture.resize(size)
    room = max(10, width - columns - 3)
    text = [part for line in beside for part in _fold(line, room)]
    if len(text) > lines:
        text = [*text[: lines - 1], _cut(" ".join(text[lines - 1 :]), room)]
    # Room first, or the terminal would scroll under the picture; then back up, and draw where nothing moves.
    out.write("\n" * lines + f"\x1b[{lines}A\x1b7" + _ENCODERS[protocol](small, columns, lines) + "\x1b8")
    for line in text:
        out.write(f"\x1b[{columns + 2}C{line}\r\n")
    out.write("\r\n" * (lines - len(text)))
    out.flush()


def _fold(text: str, width: int) -> list[str]:
    """Fold a text into lines of at most so many columns."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for word in text.split():
        for part in chop_cells(word, width):
            longer = f"{lines[-1]} {part}".strip()
            if cell_len(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    return lines


def _cut(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _cell_px(out: IO[str]) -> tuple[int, int]:
    """Width and height of a letter in pixels, as the terminal tells the system."""
    if sys.platform == "win32":
        return _CELL_PX
    import fcntl
    import termios

    try:
        told = fcntl.ioctl(out.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError):
        return _CELL_PX
    lines, columns, width, height = struct.unpack("HHHH", told)
    return (width // columns, height // lines) if min(lines, columns, width, height) else _CELL_PX


def _as_kitty(picture: Image.Image, columns: int, lines: int) -> str:
    data = _file_of(picture, "PNG")
    pieces = [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
    parts = []
    for number, piece in enumerate(pieces):
        # Quietly, as an answer of the terminal's would be taken for what the user types.
        first = f"a=T,f=100,q=2,C=1,c={columns},r={lines}," if number == 0 else ""
        parts.append(f"\x1b_G{first}m={int(number < len(pieces) - 1)};{piece}\x1b\\")
    return "".join(parts)


def _as_iterm2(picture: Image.Image, columns: int, lines: int) -> str:
    data = _file_of(picture, "JPEG")
    size = f"width={columns};height={lines};preserveAspectRatio=1;inline=1"
    return f"\x1b]1337;File=size={len(base64.b64decode(data))};{size}:{data}\x07"


def _file_of(picture: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    picture.save(file, kind)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _as_sixel(picture: Image.Image, columns: int, lines: int) -> str:
    """Six rows of pixels at a time: for each color a line of letters, one for each column of six pixels."""
    import numpy as np
    from PIL import Image

    few = picture.quantize(128, method=Image.Quantize.MEDIANCUT)
    colors = np.asarray(few.getpalette(), dtype=int).reshape(-1, 3)
    pixels = np.asarray(few)
    parts = [f'\x1bPq"1;1;{picture.width};{picture.height}']
    parts += [
        f"#{number};2;{';'.join(str(part * 100 // 255) for part in rgb)}" for number, rgb in enumerate(colors)
    ]
    for top in range(0, picture.height, 6):
        band = pixels[top : top + 6]
        bits = (1 << np.arange(len(band)))[:, None]
        for color in np.unique(band):
            letters = ((band == color) * bits).sum(axis=0) + 63
            packed = re.sub(r"(.)\1{3,}", _repeat, letters.astype(np.uint8).tobytes().decode("ascii"))
            parts.append(f"#{color}{packed}$")
        parts.append("-")
    return "".join([*parts, "\x1b\\"])


def _repeat(match: re.Match[str]) -> str:
    return f"!{len(match[0])}{match[1]}"


_ENCODERS = {"kitty": _as_kitty, "iterm2": _as_iterm2, "sixel": _as_sixel}
