"""Tells which bytes of a photo file are its picture, so that an edit of metadata leaves its hash alone.

Of each format, what decides the pixels as they are stored counts: compressed data, and the tables and sizes
that decoding needs. EXIF, XMP, IPTC, comments, color profiles, the orientation, thumbnails and whatever
programs append do not count. Of an unknown, empty or broken file every byte counts.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

_IN_MEMORY_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_WINDOW_BYTES = 128 * 1024
_MOST_ENTRIES = 1_000_000

Span = tuple[int, int]
"""Where bytes begin and end in a file."""

Piece = Span | bytes
"""A part of a picture: bytes of the file, or a fact in a form of its own."""


class Picture(NamedTuple):
    """What of a file is its picture.

    Attributes:
        format: The format by the file's first bytes, "file" where every byte counts.
        pieces: The parts in the order in which they are hashed.
    """

    format: str
    pieces: list[Piece]

    @property
    def size_bytes(self) -> int:
        """How many bytes of the file are picture data."""
        return sum(piece[1] - piece[0] for piece in self.pieces if not isinstance(piece, bytes))


class Source:
    """An open file that is read in any order; a file of ordinary size is read once and held.

    Args:
        file: Opened for reading bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._data = file.read() if self.size <= _IN_MEMORY_BYTES else None
        if self._data is not None:
            self.size = len(self._data)

    def read(self, start: int, length: int) -> bytes:
        """Return bytes.

        Raises:
            EOFError: The file ends before.
        """
        if length < 0 or start < 0 or start + length > self.size:
            raise EOFError
        if self._data is not None:
            return self._data[start : start + length]
        self._file.seek(start)
        content = self._file.read(length)
        if len(content) < length:
            raise EOFError
        return content

    def chunks(self, span: Span) -> Iterator[bytes | memoryview]:
        """Yield the bytes of a span; less where the file has become shorter."""
        start, end = span
        if self._data is not None:
            yield memoryview(self._data)[start:end]
            return
        self._file.seek(start)
        while start < end:
            content = self._file.read(min(_CHUNK_BYTES, end - start))
            if not content:
                return
            yield content
            start += len(content)

    def find(self, start: int, find_pair: Callable[[bytes, int], int]) -> int:
        """Return where two bytes lie that a function finds; the file's size where there are none.

        Args:
            start: Where to begin.
            find_pair: Returns where in some bytes the first such pair lies from a place on; -1 for nowhere.
        """
        if self._data is not None:
            found = find_pair(self._data, start)
            return self.size if found < 0 else found
        while start < self.size - 1:
            self._file.seek(start)
            content = self._file.read(_CHUNK_BYTES + 1)
            found = find_pair(content, 0)
            if found >= 0:
                return start + found
            start += max(1, len(content) - 1)
        return self.size


class _NoPictureError(Exception):
    """The file is not what its first bytes promise, or a kind that is not taken apart."""


def find_picture(source: Source) -> Picture:
    """Tell which bytes of a file are its picture."""
    head = source.read(0, min(16, source.size))
    for is_format, name, parts in _FORMATS:
        if not is_format(head):
            continue
        try:
            pieces = list(parts(source))
            spans = [piece for piece in pieces if not isinstance(piece, bytes)]
            # Parts that overlap are nobody's picture, and could be made to take for ever.
            if (
                any(end > start for start, end in spans)
                and sum(end - start for start, end in spans) <= source.size
            ):
                return Picture(name, pieces)
        except (EOFError, LookupError, ValueError, OverflowError, struct.error, _NoPictureError):
            pass
        break
    return Picture("file", [(0, source.size)])


def other_spans(picture: Picture, size: int) -> list[Span]:
    """Return the parts of a file that are not its picture."""
    rest, place = [], 0
    for start, end in sorted(piece for piece in picture.pieces if not isinstance(piece, bytes)):
        if start > place:
            rest.append((place, start))
        place = max(place, end)
    if place < size:
        rest.append((place, size))
    return rest


# JPEG: segments, each a marker and mostly a length; between them the compressed data of one or more scans.

# In compressed data 0xFF is followed by 0 or a restart marker; anything else ends it.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLE_MARKERS = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF})
_SCAN_MARKER, _ADOBE_MARKER, _END_MARKER = 0xDA, 0xEE, 0xD9


def _jpeg(source: Source) -> Iterator[Piece]:
    place, components, is_baseline, has_scan = 2, 0, False, False
    while True:
        if has_scan and place >= source.size:
            return
        marker, place = _next_marker(source, place)
        if marker == _END_MARKER:
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        length = int.from_bytes(source.read(place, 2), "big")
        if length < 2:
            raise _NoPictureError
        segment = (place, place + length)
        if segment[1] > source.size:
            raise EOFError
        place += length
        yield from _jpeg_segment(source, marker, segment)
        if marker in _FRAME_MARKERS:
            components = source.read(segment[0] + 7, 1)[0]
            is_baseline = marker in (0xC0, 0xC1)
        elif marker == _SCAN_MARKER:
            is_only = is_baseline and source.read(segment[0] + 2, 1)[0] == components
            end = source.find(place, _end_of_image if is_only else _end_of_scan)
            yield (place, end)
            place, has_scan = end, True


def _jpeg_segment(source: Source, marker: int, segment: Span) -> Iterator[Piece]:
    start, end = segment
    if marker == _ADOBE_MARKER and end - start >= 14 and source.read(start + 2, 5) == b"Adobe":
        # How the colors are to be read; the rest says which program wrote it.
        yield b"Adobe" + source.read(start + 13, 1)
    elif marker in _FRAME_MARKERS or marker in _TABLE_MARKERS or marker == _SCAN_MARKER:
        yield bytes((marker,))
        yield segment


def _end_of_scan(content: bytes, start: int) -> int:
    match = _END_OF_SCAN.search(content, start)
    return match.start() if match else -1


def _end_of_image(content: bytes, start: int) -> int:
    """Find 0xFF 0xD9 as 16-bit numbers: searching for the frequent 0xFF takes three times as long."""
    import numpy as np

    end = int.from_bytes(b"\xff\xd9", sys.byteorder)
    # In parts, as memory for the whole would be given back to the system and asked for again with each photo.
    for window in range(start, len(content), _WINDOW_BYTES):
        found = []
        for first in (window, window + 1):
            length = min(_WINDOW_BYTES, len(content) - first) // 2
            is_end = np.frombuffer(content, dtype=np.uint16, offset=first, count=max(0, length)) == end
            if is_end.any():
                found.append(first + 2 * int(is_end.argmax()))
        if found:
            return min(found)
    return -1


def _next_marker(source: Source, place: int) -> tuple[int, int]:
    """Return the marker at a place and the place behind it; fill bytes are passed over."""
    if source.read(place, 1) != b"\xff":
        raise _NoPictureError
    while (code := source.read(place, 1)[0]) == 0xFF:
        place += 1
    return code, place + 1


# PNG: chunks. How the compressed data is cut into chunks does not matter.

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_TABLES = frozenset({b"IHDR", b"PLTE", b"tRNS", b"acTL"})


def _png(source: Source) -> Iterator[Piece]:
    place, last = len(_PNG_START), b""
    while place < source.size:
        length, name = struct.unpack(">I4s", source.read(place, 8))
        start, end = place + 8, place + 8 + length
        if end > source.size:
            raise EOFError
        if name == b"IEND":
            return
        if name in _PNG_TABLES or name in (b"IDAT", b"fdAT", b"fcTL"):
            if name != last:
                yield name
            last = name
            # The frames of an animation are numbered, which a chunk more or less would change.
            yield (start + 4 if name in (b"fdAT", b"fcTL") else start, end)
        place = end + 4


# WebP: a RIFF file. Metadata makes a plain file an extended one, so the extended header does not count, but
# for the size of an animation, whose frames may be smaller.


def _webp(source: Source) -> Iterator[Piece]:
    end_of_file = min(source.size, 8 + int.from_bytes(source.read(4, 4), "little"))
    place, canvas = 12, b""
    while place + 8 <= end_of_file:
        name, length = struct.unpack("<4sI", source.read(place, 8))
        start, end = place + 8, place + 8 + length
        if end > source.size:
            raise EOFError
        if name == b"VP8X":
            canvas = source.read(start + 4, 6)
        elif name == b"ANIM":
            yield name + canvas
            yield (start, end)
        elif name in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF"):
            yield name
            yield (start, end)
        place = end + length % 2


# GIF: a header with a color table, then blocks; comments and what programs keep for themselves do not count.


def _gif(source: Source) -> Iterator[Piece]:
    flags = source.read(10, 1)[0]
    place = 13 + _gif_table_bytes(flags)
    # From the size on: the version before it rises when a comment is added.
    yield (6, place)
    while place < source.size:
        kind = source.read(place, 1)[0]
        if kind == 0x3B:
            return
        if kind == 0x21:
            label = source.read(place + 1, 1)[0]
            end = _gif_blocks_end(source, place + 2)
            if label == 0xF9:
                yield (place, end)
        elif kind == 0x2C:
            table = _gif_table_bytes(source.read(place + 9, 1)[0])
            end = _gif_blocks_end(source, place + 10 + table + 1)
            yield (place, end)
        else:
            raise _NoPictureError
        place = end


def _gif_table_bytes(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _gif_blocks_end(source: Source, place: int) -> int:
    while length := source.read(place, 1)[0]:
        place += 1 + length
    return place + 1


# BMP: everything but the header's reserved words and the resolution.


def _bmp(source: Source) -> Iterator[Piece]:
    header_bytes = int.from_bytes(source.read(14, 4), "little")
    if header_bytes < 40:
        raise _NoPictureError
    yield (10, 38)
    yield (46, source.size)


# TIFF, and the RAW formats built on it: directories of tags that point to strips or tiles.

_TIFF_TYPES = {
    1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
# What decides the pixels beside the data, with the value that is meant where the tag is absent.
_TIFF_TAGS: dict[int, tuple[float, ...] | None] = {
    256: None, 257: None, 258: (1,), 259: (1,), 262: None, 266: (1,), 277: (1,), 278: None, 284: (1,),
    292: (0,), 293: (0,), 317: (1,), 320: None, 322: None, 323: None, 332: (1,), 338: None, 339: None,
    340: None, 341: None, 347: None, 529: None, 530: None, 531: None, 532: None,
}  # fmt: skip
_SUBFILE_TYPE, _SUB_DIRECTORIES, _ROWS_PER_STRIP = 254, 330, 278
_DATA_TAGS = ((273, 279), (324, 325))
_PREVIEW_TAGS = (513, 514)
_MOST_DIRECTORIES = 4096

_Directory = dict[int, tuple[float, ...]]


def _tiff(source: Source) -> Iterator[Piece]:
    order = ">" if source.read(0, 2) == b"MM" else "<"
    directories = list(_tiff_directories(source, order))
    reduced = [one for one in directories if int(one.get(_SUBFILE_TYPE, (0,))[0]) & 1]
    whole = [one for one in directories if one not in reduced and any(_tiff_spans(one))]
    for directory in whole or directories:
        yield b"directory" + _tiff_facts(directory, order)
        yield from _tiff_spans(directory) if whole else _tiff_previews(directory)


def _tiff_directories(source: Source, order: str) -> Iterator[_Directory]:
    is_big = struct.unpack(f"{order}H", source.read(2, 2))[0] == 43
    wide = "Q" if is_big else "I"
    waiting = [struct.unpack(f"{order}{wide}", source.read(8 if is_big else 4, 8 if is_big else 4))[0]]
    seen: set[int] = set()
    while waiting:
        place = waiting.pop(0)
        if not place or place in seen:
            continue
        seen.add(place)
        if len(seen) > _MOST_DIRECTORIES:
            raise _NoPictureError
        directory, following = _tiff_directory(source, order, place, is_big=is_big)
        yield directory
        waiting = [*map(int, directory.get(_SUB_DIRECTORIES, ())), *waiting, following]


def _tiff_directory(source: Source, order: str, place: int, *, is_big: bool) -> tuple[_Directory, int]:
    """Read the tags that matter of one directory; return them and where the next directory is."""
    count_format, entry_format = (f"{order}Q", f"{order}HHQ") if is_big else (f"{order}H", f"{order}HHI")
    count_bytes, room = struct.calcsize(count_format), 8 if is_big else 4
    entry_bytes = struct.calcsize(entry_format) + room
    count = struct.unpack(count_format, source.read(place, count_bytes))[0]
    if count > 65535:
        raise _NoPictureError
    table = source.read(place + count_bytes, count * entry_bytes)
    directory: _Directory = {}
    for start in range(0, len(table), entry_bytes):
        tag, kind, number = struct.unpack_from(entry_format, table, start)
        if tag not in _TIFF_WANTED or kind not in _TIFF_TYPES:
            continue
        layout = _TIFF_TYPES[kind]
        length = struct.calcsize(order + layout) * number
        if number > _MOST_ENTRIES * 4 or length > source.size:
            raise _NoPictureError
        value = table[start + entry_bytes - room : start + entry_bytes]
        if length > room:
            at = struct.unpack(f"{order}{'Q' if is_big else 'I'}", value)[0]
            value = source.read(at, length)
        directory[tag] = struct.unpack(f"{order}{number * len(layout)}{layout[0]}", value[:length])
    after = place + count_bytes + len(table)
    following = struct.unpack(f"{order}{'Q' if is_big else 'I'}", source.read(after, room))[0]
    return directory, following


_TIFF_WANTED = frozenset({*_TIFF_TAGS, _SUBFILE_TYPE, _SUB_DIRECTORIES, *_PREVIEW_TAGS}.union(*_DATA_TAGS))


def _tiff_facts(directory: _Directory, order: str) -> bytes:
    facts = {
        tag: directory[tag]
        for tag, default in _TIFF_TAGS.items()
        if tag in directory and directory[tag] != default
    }
    if 259 not in facts and 284 not in facts:
        # How rows that are not compressed are cut into strips does not matter.
        facts.pop(_ROWS_PER_STRIP, None)
    if any(bits > 8 for bits in directory.get(258, (1,))):
        facts[0] = (ord(order),)
    return repr(sorted(facts.items())).encode()


def _tiff_spans(directory: _Directory) -> list[Span]:
    spans: list[Span] = []
    for offsets, lengths in _DATA_TAGS:
        pairs = zip(directory.get(offsets, ()), directory.get(lengths, ()), strict=False)
        spans += [(int(start), int(start) + int(length)) for start, length in pairs]
    return spans


def _tiff_previews(directory: _Directory) -> list[Span]:
    starts, lengths = (directory.get(tag, ()) for tag in _PREVIEW_TAGS)
    previews = [(int(at), int(at) + int(length)) for at, length in zip(starts, lengths, strict=False)]
    return _tiff_spans(directory) or previews


# HEIC and AVIF: boxes. Images are items whose data lies anywhere; a photo of a phone has dozens of them.

_IMAGE_ITEMS = frozenset(
    {
        b"hvc1", b"hev1", b"lhv1", b"av01", b"avc1", b"vvc1", b"jpeg", b"j2k1", b"unci", b"grid", b"iovl",
        b"iden", b"tmap",
    }
)  # fmt: skip
_IMAGE_PROPERTIES = frozenset(
    {
        b"hvcC", b"lhvC", b"av1C", b"avcC", b"vvcC", b"jpgC", b"j2kH", b"uncC", b"cmpd", b"ispe", b"pixi",
        b"clap", b"auxC", b"a1op", b"lsel",
    }
)  # fmt: skip


class _Box(NamedTuple):
    name: bytes
    start: int
    end: int


class _Extent(NamedTuple):
    is_in_idat: bool
    start: int
    length: int


def _heif(source: Source) -> Iterator[Piece]:
    top = {box.name: box for box in reversed(list(_boxes(source, 0, source.size)))}
    if b"meta" not in top:
        # A RAW file or a film: metadata has boxes of its own, and the data is in this one.
        for box in _boxes(source, 0, source.size):
            if box.name == b"mdat":
                yield (box.start, box.end)
        return
    meta = {box.name: box for box in _boxes(source, top[b"meta"].start + 4, top[b"meta"].end)}
    types, places = _heif_items(source, meta[b"iinf"]), _heif_places(source, meta[b"iloc"])
    thumbnails = set(_heif_thumbnails(source, meta[b"iref"])) if b"iref" in meta else set()
    properties = _heif_properties(source, meta[b"iprp"]) if b"iprp" in meta else {}
    idat = meta.get(b"idat")
    images = sorted(item for item, kind in types.items() if kind in _IMAGE_ITEMS and item not in thumbnails)
    if b"pitm" in meta:
        is_wide = source.read(meta[b"pitm"].start, 1)[0] > 0
        primary = int.from_bytes(source.read(meta[b"pitm"].start + 4, 4 if is_wide else 2), "big")
        yield b"primary %d" % images.index(primary)
    for item in images:
        yield b"item " + types[item]
        yield from properties.get(item, ())
        for extent in places.get(item, ()):
            base = idat.start if extent.is_in_idat and idat is not None else 0
            start = base + extent.start
            end = start + extent.length if extent.length else source.size
            if end > source.size:
                raise EOFError
            yield (start, end)


def _boxes(source: Source, place: int, end: int) -> Iterator[_Box]:
    number = 0
    while place + 8 <= end:
        length, name = struct.unpack(">I4s", source.read(place, 8))
        header = 8
        if length == 1:
            length, header = struct.unpack(">Q", source.read(place + 8, 8))[0], 16
        elif length == 0:
            length = end - place
        number += 1
        if length < header or place + length > end or number > _MOST_ENTRIES:
            raise _NoPictureError
        yield _Box(name, place + header, place + length)
        place += length


def _heif_items(source: Source, iinf: _Box) -> dict[int, bytes]:
    """Return the kind of each item."""
    version = source.read(iinf.start, 1)[0]
    types = {}
    for box in _boxes(source, iinf.start + (6 if version == 0 else 8), iinf.end):
        version = source.read(box.start, 1)[0]
        if box.name == b"infe" and version >= 2:
            width = 2 if version == 2 else 4
            item = int.from_bytes(source.read(box.start + 4, width), "big")
            types[item] = source.read(box.start + 4 + width + 2, 4)
    return types


def _heif_places(source: Source, iloc: _Box) -> dict[int, list[_Extent]]:
    """Return where the data of each item is."""
    content, place = source.read(iloc.start, iloc.end - iloc.start), 4
    version = content[0]
    sizes = struct.unpack_from(">H", content, place)[0]
    offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_bytes = sizes & 15 if version in (1, 2) else 0
    place += 2

    def number(width: int) -> int:
        nonlocal place
        if place + width > len(content):
            raise EOFError
        place += width
        return int.from_bytes(content[place - width : place], "big")

    places: dict[int, list[_Extent]] = {}
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version in (1, 2) else 0
        reference = number(2)
        if method > 1 or (reference and method == 0):
            # Data of other items or other files.
            raise _NoPictureError
        base = number(base_bytes)
        extents = places.setdefault(item, [])
        for _ in range(number(2)):
            number(index_bytes)
            start = base + number(offset_bytes)
            extents.append(_Extent(method == 1, start, number(length_bytes)))
    return places


def _heif_thumbnails(source: Source, iref: _Box) -> Iterator[int]:
    width = 4 if source.read(iref.start, 1)[0] else 2
    for box in _boxes(source, iref.start + 4, iref.end):
        if box.name == b"thmb":
            yield int.from_bytes(source.read(box.start, width), "big")


def _heif_properties(source: Source, iprp: _Box) -> dict[int, list[bytes]]:
    """Return what is said of each item that decoding needs."""
    boxes = list(_boxes(source, iprp.start, iprp.end))
    container = next((box for box in boxes if box.name == b"ipco"), None)
    if container is None:
        return {}
    said = list(_boxes(source, container.start, container.end))
    properties: dict[int, list[bytes]] = {}
    for box in boxes:
        if box.name != b"ipma":
            continue
        content = source.read(box.start, box.end - box.start)
        id_bytes, index_bytes = 4 if content[0] else 2, 2 if content[3] & 1 else 1
        count, place = int.from_bytes(content[4:8], "big"), 8
        for _ in range(min(count, _MOST_ENTRIES)):
            if place + id_bytes >= len(content):
                raise EOFError
            item = int.from_bytes(content[place : place + id_bytes], "big")
            number, place = content[place + id_bytes], place + id_bytes + 1
            for _ in range(number):
                index = int.from_bytes(content[place : place + index_bytes], "big")
                index &= 0x7FFF if index_bytes == 2 else 0x7F
                place += index_bytes
                if 0 < index <= len(said) and said[index - 1].name in _IMAGE_PROPERTIES:
                    wanted = said[index - 1]
                    words = wanted.name + source.read(wanted.start, wanted.end - wanted.start)
                    properties.setdefault(item, []).append(words)
    return properties


_FORMATS: tuple[tuple[Callable[[bytes], bool], str, Callable[[Source], Iterator[Piece]]], ...] = (
    (lambda head: head[:3] == b"\xff\xd8\xff", "JPEG", _jpeg),
    (lambda head: head[:8] == _PNG_START, "PNG", _png),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", "WEBP", _webp),
    (lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF", _tiff),
    (lambda head: head[4:8] == b"ftyp", "HEIF", _heif),
    (lambda head: head[:6] in (b"GIF87a", b"GIF89a"), "GIF", _gif),
    (lambda head: head[:2] == b"BM", "BMP", _bmp),
)
