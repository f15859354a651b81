"""Reads XMP packets, embedded or in sidecars; knows their grammar (RDF in XML), not what a property means.

XMP comes from anybody: a packet with a document type or an entity is refused, and size, depth and the number
of elements are bounded, so that no packet costs more than itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn, Self
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers import expat

XMP_LIMIT_BYTES = 4 * 1024 * 1024
"""A packet longer than this is not read; what is longer holds pictures or depth maps."""

_MOST_ELEMENTS = 50_000
_MOST_DEPTH = 40

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "photopal": "urn:photopal:xmp/1.0/",
}
"""The prefixes by which properties are asked for; a packet may use others for the same addresses."""

Value = str | list["Value"] | dict[str, "Value"]
"""A text, a list (whose alternatives in languages begin with the default), or a structure by property."""

_PREFIXES = {address.rstrip("/#").casefold(): prefix for prefix, address in NAMESPACES.items()}
# Some writers leave out the last letter of an address, or write https.
_RDF = f"{{{NAMESPACES['rdf']}}}"
_XML = f"{{{NAMESPACES['xml']}}}"
_LISTS = {f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt"}
_SYNTAX = {
    f"{_RDF}{name}" for name in ("about", "ID", "nodeID", "parseType", "datatype", "resource", "bagID")
}


class Xmp:
    """The properties of one or several packets, by names such as "dc:subject".

    Args:
        packets: As they lie in files; a broken one counts as if it were not there.
    """

    def __init__(self, packets: Iterable[bytes]) -> None:
        self._properties: dict[str, Value] = {}
        for packet in packets:
            for name, value in _properties_of(packet):
                self._properties.setdefault(name, value)

    @classmethod
    def of(cls, properties: Mapping[str, Value]) -> Self:
        """Make it of properties that were read already."""
        xmp = cls(())
        xmp._properties = dict(properties)
        return xmp

    def __bool__(self) -> bool:
        """Whether anything was said at all."""
        return bool(self._properties)

    def all(self) -> Mapping[str, Value]:
        """Return all properties by name."""
        return self._properties

    def text(self, name: str) -> str | None:
        """Return a property's text, of a list the first one's; None where there is none."""
        return next(iter(self.texts(name)), None)

    def texts(self, name: str) -> list[str]:
        """Return a property's texts, each trimmed; a single one counts as a list."""
        return texts_of(self._properties.get(name))

    def structures(self, *names: str) -> list[dict[str, Value]]:
        """Follow names through structures, and return the structures in the list at the end."""
        value: Value | None = dict(self._properties)
        for name in names:
            if isinstance(value, list):
                value = value[0] if value else None
            value = value.get(name) if isinstance(value, dict) else None
        items = value if isinstance(value, list) else [value]
        return [item for item in items if isinstance(item, dict)]


def is_xmp(packet: bytes) -> bool:
    """Tell whether a packet can be read, whatever it holds."""
    return _parse(packet) is not None


def texts_of(value: Value | None) -> list[str]:
    """Return the texts in a value; structures in it are passed over."""
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return []


def _properties_of(packet: bytes) -> Iterator[tuple[str, Value]]:
    root = _parse(packet)
    if root is None:
        return
    for description in root.iter(f"{_RDF}Description"):
        # Descriptions inside others are structures, and are read with the property they belong to.
        if description.get("_depth") == "top":
            yield from _structure(description).items()


class _RefusedError(Exception):
    """The packet holds what no XMP needs."""


def _parse(packet: bytes) -> Element | None:
    """Return the packet's root, or None where it is none; top descriptions are marked."""
    if len(packet) > XMP_LIMIT_BYTES:
        return None
    builder = TreeBuilder()
    try:
        text = _in_utf_8(packet)
    except UnicodeDecodeError:
        return None
    # What was in UTF-16 may still declare that it is.
    encoding = None if text in packet else "utf-8"
    parser = expat.ParserCreate(encoding, namespace_separator="}")
    parser.buffer_text = True
    parser.ordered_attributes = False
    depth = elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > _MOST_DEPTH or elements > _MOST_ELEMENTS:
            raise _RefusedError
        builder.start(_bracketed(name), {_bracketed(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_bracketed(name))

    def refuse(*_: object) -> NoReturn:
        raise _RefusedError

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(text, True)
        root = builder.close()
    except (_RefusedError, expat.ExpatError, ParseError, AssertionError, ValueError, LookupError):
        return None
    for rdf in root.iter(f"{_RDF}RDF"):
        for child in rdf:
            child.set("_depth", "top")
    return root


def _in_utf_8(packet: bytes) -> bytes:
    """Return a packet in UTF-8, without what pads it; packets may be UTF-16 with or without a mark."""
    for encoding, start in (("utf-16-be", b"\x00<"), ("utf-16-le", b"<\x00")):
        if packet.lstrip(b"\xfe\xff\xef\xbb\xbf").startswith(start):
            packet = packet.decode(encoding).lstrip("\ufeff").encode()
    return packet.strip(b"\x00 \t\r\n")


def _bracketed(name: str) -> str:
    return "{" + name if "}" in name else name


def _structure(element: Element) -> dict[str, Value]:
    """Read the properties of a description or of a property that stands for one."""
    properties: dict[str, Value] = {}
    for key, text in element.attrib.items():
        if key not in _SYNTAX and not key.startswith(_XML) and "}" in key:
            properties.setdefault(short_name(key), text)
    for child in element:
        properties.setdefault(short_name(child.tag), _value(child))
    return properties


def _value(element: Element) -> Value:
    """Read what a property says, in any of the ways in which RDF writes it."""
    if element.get(f"{_RDF}parseType") == "Resource":
        return _unqualified(_structure(element))
    for child in element:
        if child.tag in _LISTS:
            items = sorted(child, key=lambda item: item.get(f"{_XML}lang") != "x-default")
            return [_value(item) for item in items]
        if child.tag == f"{_RDF}Description":
            return _unqualified(_structure(child))
    if resource := element.get(f"{_RDF}resource"):
        return resource
    if (
        any(key not in _SYNTAX and not key.startswith(_XML) for key in element.attrib)
        and not (element.text or "").strip()
    ):
        return _unqualified(_structure(element))
    return element.text or ""


def _unqualified(structure: dict[str, Value]) -> Value:
    """Return a value without its qualifiers, which are about the value and not of the photo."""
    return structure.get("rdf:value", structure)


def short_name(name: str) -> str:
    """Return a name "{address}local" by its prefix in `NAMESPACES`; as it is where there is none."""
    address, _, local = name[1:].rpartition("}")
    prefix = _PREFIXES.get(address.rstrip("/#").casefold())
    return f"{prefix}:{local}" if prefix else name
