"""Reads IPTC-IIM records, as agencies and older programs write them into photos; knows no other format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

KEYWORDS, TITLE, DESCRIPTION, HEADLINE = (2, 25), (2, 5), (2, 120), (2, 105)
DATE_CREATED, TIME_CREATED = (2, 55), (2, 60)
DATE_DIGITIZED, TIME_DIGITIZED = (2, 62), (2, 63)
_CHARACTER_SET = (1, 90)
# What stands behind the escapes by which ISO 2022 names a character set. Those who say Latin-1 mean what
# Windows has under that name, as those do who say nothing.
_ENCODINGS = {b"%G": "utf-8"} | {
    between + final: encoding
    for between in (b"-", b".", b"/")
    for final, encoding in (
        (b"A", "cp1252"), (b"B", "iso8859_2"), (b"C", "iso8859_3"), (b"D", "iso8859_4"), (b"F", "iso8859_7"),
        (b"G", "iso8859_6"), (b"H", "iso8859_8"), (b"L", "iso8859_5"), (b"M", "iso8859_9"),
        (b"V", "iso8859_10"), (b"Y", "iso8859_13"), (b"_", "iso8859_14"), (b"b", "iso8859_15"),
        (b"f", "iso8859_16"),
    )
}  # fmt: skip
_MOST_DATASETS = 5_000

Records = dict[tuple[int, int], list[str]]
"""Texts by record and dataset number."""


def read_iptc(block: bytes) -> Records:
    """Return the texts of a block of datasets; what follows a broken one is left out."""
    raw = list(_datasets(block))
    encoding = _encoding_of(value for key, value in raw if key == _CHARACTER_SET)
    records: Records = {}
    for key, value in raw:
        text = " ".join(_decoded(value, encoding).replace("\x00", " ").split())
        if text and key != _CHARACTER_SET:
            records.setdefault(key, []).append(text)
    return records


def iptc_in_photoshop(resources: bytes) -> bytes:
    """Return the IPTC block among Photoshop's image resources; empty where there is none."""
    position = 0
    while resources[position : position + 4] in (b"8BIM", b"PHUT", b"AgHg", b"DCSR", b"MeSa"):
        number = int.from_bytes(resources[position + 4 : position + 6], "big")
        name_length = resources[position + 6] if position + 6 < len(resources) else 0
        start = position + 6 + (name_length + 2) // 2 * 2
        size = int.from_bytes(resources[start : start + 4], "big")
        if number == 0x0404:
            return resources[start + 4 : start + 4 + size]
        position = start + 4 + (size + 1) // 2 * 2
    return b""


def _datasets(block: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    position = 0
    for _ in range(_MOST_DATASETS):
        if block[position : position + 1] != b"\x1c" or position + 5 > len(block):
            return
        key = (block[position + 1], block[position + 2])
        size = int.from_bytes(block[position + 3 : position + 5], "big")
        position += 5
        if size & 0x8000:
            # An extended dataset: these bits tell how many bytes its size takes.
            width = size & 0x7FFF
            if width > 4:
                return
            size = int.from_bytes(block[position : position + width], "big")
            position += width
        if position + size > len(block):
            return
        yield key, block[position : position + size]
        position += size


def _encoding_of(declared: Iterable[bytes]) -> str:
    escapes = [escape[:2] for value in declared for escape in value.split(b"\x1b")[1:]]
    known = [_ENCODINGS[escape] for escape in escapes if escape in _ENCODINGS]
    return known[-1] if known else "cp1252"


def _decoded(value: bytes, encoding: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode(encoding, errors="replace")
