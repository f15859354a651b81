"""Finds the blocks of metadata in a photo file: EXIF, XMP, IPTC and texts; reads none of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from photopal.photos.iptc import iptc_in_photoshop
from photopal.photos.xmp import XMP_LIMIT_BYTES

TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"IIRO", b"IIRS", b"IIU\x00")
"""TIFF, and the RAW formats that are TIFF but for their third and fourth byte."""

_EXIF_MARK = b"Exif\x00\x00"
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\x00"
_MORE_XMP_MARK = b"http://ns.adobe.com/xmp/extension/\x00"
_PHOTOSHOP_MARK = b"Photoshop 3.0\x00"
_MOST_SEGMENTS = 2_000
_MOST_CHUNKS = 20_000
_BLOCK_LIMIT_BYTES = 64 * 1024 * 1024
_TEXT_LIMIT_BYTES = 1024 * 1024

_TIFF_XMP, _TIFF_IPTC, _TIFF_PHOTOSHOP = 700, 33723, 34377


@dataclass
class Blocks:
    """The blocks of metadata of a file.

    Attributes:
        exif: A TIFF stream; None where there is none.
        is_exif_whole_file: The file itself is the TIFF stream.
        orientation: What a decoder has already taken out of the EXIF.
        xmp: Packets, the standard one first.
        iptc: IIM datasets.
        texts: PNG's texts by keyword.
    """

    exif: bytes | None = None
    is_exif_whole_file: bool = False
    orientation: int | None = None
    xmp: list[bytes] = field(default_factory=list)
    iptc: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)


def find_blocks(file: BinaryIO) -> Blocks:
    """Find the blocks in an open photo file; the position in it is lost. Broken ones are left out."""
    file.seek(0)
    head = file.read(12)
    try:
        if head[:2] == b"\xff\xd8":
            return _in_jpeg(file)
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return _in_png(file)
        if head[:4] == b"RIFF" and head[8:] == b"WEBP":
            return _in_webp(file)
        if head[:4] in TIFF_STARTS:
            return _in_tiff(file)
        if head[4:12] == b"ftypcrx ":
            return _in_cr3(file)
        if head[4:8] == b"ftyp":
            return _in_heif(file)
        if head[:8] == b"FUJIFILM":
            return _in_raf(file)
        if head[:4] == b"GIF8":
            return _in_gif(file)
    except Exception:  # noqa: BLE001 - broken headers make parsers raise nearly anything
        return Blocks()
    return Blocks()


def _in_jpeg(file: BinaryIO) -> Blocks:
    blocks = Blocks()
    exif, photoshop = bytearray(), bytearray()
    more: dict[bytes, list[tuple[int, bytes]]] = {}
    for kind, segment in _segments(file):
        if kind == 0xE1 and segment.startswith(_EXIF_MARK):
            exif += segment[len(_EXIF_MARK) :]
        elif kind == 0xE1 and segment.startswith(_XMP_MARK):
            blocks.xmp.append(segment[len(_XMP_MARK) :])
        elif kind == 0xE1 and segment.startswith(_MORE_XMP_MARK):
            rest = segment[len(_MORE_XMP_MARK) :]
            offset = int.from_bytes(rest[36:40], "big")
            more.setdefault(rest[:32], []).append((offset, rest[40:]))
        elif kind == 0xED and segment.startswith(_PHOTOSHOP_MARK):
            photoshop += segment[len(_PHOTOSHOP_MARK) :]
    for digest, parts in more.items():
        # Only the extension whose digest the standard packet names belongs to the photo.
        if any(digest in packet for packet in blocks.xmp):
            blocks.xmp.append(b"".join(part for _, part in sorted(parts))[: XMP_LIMIT_BYTES + 1])
    blocks.exif = bytes(exif) or None
    blocks.iptc = iptc_in_photoshop(bytes(photoshop))
    return blocks


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the APP1 and APP13 segments before the picture's data."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        start = file.read(2)
        while start[1:] == b"\xff":
            start = start[1:] + file.read(1)
        if len(start) < 2 or start[0] != 0xFF:
            return
        kind = start[1]
        if kind in (0xD9, 0xDA):
            return
        if kind == 0x01 or 0xD0 <= kind <= 0xD8:
            continue
        size = int.from_bytes(file.read(2), "big") - 2
        if size < 0:
            return
        if kind in (0xE1, 0xED):
            yield kind, file.read(size)
        else:
            file.seek(size, io.SEEK_CUR)


def _in_png(file: BinaryIO) -> Blocks:
    blocks = Blocks()
    for kind, chunk in _chunks(file):
        if kind == b"eXIf":
            blocks.exif = chunk.removeprefix(_EXIF_MARK)
            continue
        keyword, _, rest = chunk.partition(b"\x00")
        name = keyword.decode("latin-1")
        if kind == b"tEXt":
            text = rest
        elif kind == b"zTXt":
            text = _inflated(rest[1:])
        else:
            is_packed = rest[:1] == b"\x01"
            text = rest[2:].split(b"\x00", 2)[-1]
            text = _inflated(text) if is_packed else text
        _take_text(blocks, name, text, is_utf_8=kind == b"iTXt")
    return blocks


def _take_text(blocks: Blocks, name: str, text: bytes, *, is_utf_8: bool) -> None:
    profile = name.removeprefix("Raw profile type ")
    if name == "XML:com.adobe.xmp":
        blocks.xmp.append(text)
    elif profile == name:
        decoded = text.decode("utf-8" if is_utf_8 else "latin-1", errors="replace")
        blocks.texts.setdefault(name, decoded)
    elif profile in ("exif", "APP1", "xmp", "iptc", "8bim"):
        # ImageMagick's way: a name, a size, and the block in hexadecimal.
        raw = bytes.fromhex("".join(text.decode("ascii", errors="ignore").split("\n")[3:]))
        if profile == "xmp" or raw.startswith(_XMP_MARK):
            blocks.xmp.append(raw.removeprefix(_XMP_MARK))
        elif profile in ("iptc", "8bim"):
            blocks.iptc = blocks.iptc or iptc_in_photoshop(raw) or raw
        else:
            blocks.exif = blocks.exif or raw.removeprefix(_EXIF_MARK)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield PNG's chunks of metadata, those behind the pixels too."""
    file.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and size <= _BLOCK_LIMIT_BYTES:
            yield kind, file.read(size)
            file.seek(4, io.SEEK_CUR)
        else:
            file.seek(size + 4, io.SEEK_CUR)


def _inflated(packed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    return inflater.decompress(packed, XMP_LIMIT_BYTES)


def _in_webp(file: BinaryIO) -> Blocks:
    blocks = Blocks()
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        size, kind = int.from_bytes(head[4:], "little"), head[:4]
        if kind in (b"EXIF", b"XMP ") and size <= _BLOCK_LIMIT_BYTES:
            block = file.read(size)
            file.seek(size & 1, io.SEEK_CUR)
            if kind == b"EXIF":
                blocks.exif = block.removeprefix(_EXIF_MARK)
            else:
                blocks.xmp.append(block)
        else:
            file.seek(size + (size & 1), io.SEEK_CUR)
    return blocks


def _in_tiff(file: BinaryIO) -> Blocks:
    """Read the first directory of a TIFF, or of a RAW file that is one."""
    blocks = Blocks(is_exif_whole_file=True)
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    (offset,) = struct.unpack(f"{order}I", file.read(4))
    file.seek(offset)
    (number,) = struct.unpack(f"{order}H", file.read(2))
    entries = [struct.unpack(f"{order}HHI4s", file.read(12)) for _ in range(number)]
    for tag, kind, count, value in entries:
        size = count * {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}.get(kind, 0)
        if tag not in (_TIFF_XMP, _TIFF_IPTC, _TIFF_PHOTOSHOP) or not 4 < size <= _BLOCK_LIMIT_BYTES:
            continue
        file.seek(struct.unpack(f"{order}I", value)[0])
        block = file.read(size)
        if tag == _TIFF_XMP:
            blocks.xmp.append(block)
        elif tag == _TIFF_IPTC:
            # Written as 32-bit numbers, the bytes may stand in the other order.
            blocks.iptc = block if block[:1] == b"\x1c" or kind != 4 else _swapped(block)
        else:
            blocks.iptc = blocks.iptc or iptc_in_photoshop(block)
    return blocks


def _swapped(block: bytes) -> bytes:
    return b"".join(block[place : place + 4][::-1] for place in range(0, len(block), 4))


def _in_heif(file: BinaryIO) -> Blocks:
    """Let the HEIC and AVIF decoders find the blocks."""
    from photopal.photos.decode import open_header, quiet_pillow

    with quiet_pillow(), open_header(file, Path()) as image:
        exif, xmp = image.info.get("exif"), image.info.get("xmp")
        # The HEIC decoder turns the pixels itself and resets the tag.
        orientation = image.info.get("original_orientation")
    return Blocks(
        exif=exif.removeprefix(_EXIF_MARK) if isinstance(exif, bytes) else None,
        orientation=orientation,
        xmp=[xmp] if isinstance(xmp, bytes) else [],
    )


_CR3_METADATA = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CR3_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def _in_cr3(file: BinaryIO) -> Blocks:
    """Join the directories that Canon keeps in boxes of their own into one EXIF block."""
    from PIL import Image

    blocks = Blocks()
    parts: dict[bytes, bytes] = {}
    for kind, start, end in _boxes(file, 0, file.seek(0, io.SEEK_END)):
        if kind == b"uuid" and _read_at(file, start, 16) == _CR3_XMP:
            blocks.xmp.append(_read_at(file, start + 16, min(end - start - 16, XMP_LIMIT_BYTES + 1)))
        elif kind == b"moov":
            for inner, inner_start, inner_end in list(_boxes(file, start, end)):
                if inner == b"uuid" and _read_at(file, inner_start, 16) == _CR3_METADATA:
                    parts |= {
                        name: _read_at(file, first, min(last - first, _TEXT_LIMIT_BYTES))
                        for name, first, last in list(_boxes(file, inner_start + 16, inner_end))
                        if name in (b"CMT1", b"CMT2", b"CMT4")
                    }
    exif = Image.Exif()
    for name, block in parts.items():
        directory = Image.Exif()
        directory.load(block)
        number = {b"CMT2": _EXIF_IFD, b"CMT4": _GPS_IFD}.get(name)
        (exif if number is None else exif.get_ifd(number)).update(dict(directory))
    blocks.exif = exif.tobytes().removeprefix(_EXIF_MARK) if parts else None
    return blocks


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box, and where its inside begins and ends."""
    for _ in range(_MOST_CHUNKS):
        head = _read_at(file, start, 16)
        if len(head) < 8 or start >= end:
            return
        size, kind, inside = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1:
            size, inside = int.from_bytes(head[8:], "big"), start + 16
        size = size or end - start
        if size < inside - start:
            return
        yield kind, inside, min(start + size, end)
        start += size


def _in_raf(file: BinaryIO) -> Blocks:
    """Read the JPEG that Fuji's RAW files hold."""
    offset, size = struct.unpack(">II", _read_at(file, 84, 8))
    # Its metadata stand before its pixels.
    return find_blocks(io.BytesIO(_read_at(file, offset, min(size, _TEXT_LIMIT_BYTES))))


def _in_gif(file: BinaryIO) -> Blocks:
    content = _read_at(file, 0, XMP_LIMIT_BYTES)
    start = content.find(b"\x21\xff\x0bXMP DataXMP")
    end = content.find(b"\x01\xff\xfe", start)
    return Blocks(xmp=[content[start + 14 : end]] if 0 <= start < end else [])


def _read_at(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)
