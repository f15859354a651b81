"""Edits an XMP packet in place: what is not meant stays, byte for byte; knows what no property means.

Programs keep much in sidecars that nobody else understands. To write a packet anew would lose it, or at least
its order, prefixes and blanks. So the text is cut and pasted at places that a parser finds, in whichever
encoding it is. A packet of a shape that cannot be edited so is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from photopal.errors import PhotopalError
from photopal.photos.xmp import NAMESPACES, XMP_LIMIT_BYTES, is_xmp, short_name

_LISTS = ("rdf:Bag", "rdf:Seq", "rdf:Alt")
_BOMS = (
    (b"\xff\xfe\x00\x00", None), (b"\x00\x00\xfe\xff", None), (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_DECLARED = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_ATTRIBUTE = re.compile(rb"\s+[^\s=/>]+\s*=\s*(\"[^\"]*\"|'[^']*')")
_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_BLANKS = b" \t\r\n"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class XmpEditError(PhotopalError):
    """A packet cannot be edited; the message says what is wrong with it, without a path."""


@dataclass(frozen=True)
class Attribute:
    """An attribute with the blanks before it: its short name, its text and its bytes."""

    name: str
    text: str
    start: int
    end: int
    quoted: bytes


@dataclass
class Element:
    """An element of a packet; positions are bytes of its text in UTF-8.

    Attributes:
        name: By the prefixes of `NAMESPACES`, or "{address}local".
        prefix: As the packet has it; empty in a default namespace.
        scope: Addresses by prefix that hold inside of it.
        start: Of the start tag.
        inside: Behind the start tag.
        stop: Of the end tag; where there is none, as in `<a/>`, behind the tag.
        end: Behind all of it.
        attributes: But for declarations of namespaces.
        declared: The addresses that it declares itself.
        children: The elements in it.
        text: The letters in it, but for those in its children.
    """

    name: str
    prefix: str
    scope: Mapping[str, str]
    start: int
    inside: int
    stop: int = 0
    end: int = 0
    attributes: list[Attribute] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, *names: str) -> Element | None:
        """Return the first child that has one of some names."""
        return next((each for each in self.children if each.name in names), None)

    def structure(self) -> dict[str, Element | str]:
        """Return the fields of a structure, in whichever way it is written."""
        inner = self.child("rdf:Description") or self
        fields: dict[str, Element | str] = {each.name: each.text for each in inner.attributes}
        return fields | {each.name: each for each in inner.children}


class XmpPacket:
    """The text of a packet, which is changed by each call.

    Args:
        content: A sidecar's bytes.

    Raises:
        XmpEditError: It is no XMP, is too long, or is in an encoding that is not known.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > XMP_LIMIT_BYTES:
            raise XmpEditError("too long for a sidecar")
        self._bom, self._encoding = _encoding_of(content)
        try:
            text = content[len(self._bom) :].decode(self._encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise XmpEditError(f"not in the encoding {self._encoding}") from error
        body = text.strip("\x00 \t\r\n")
        # The reader refuses what is hostile.
        if not body or not is_xmp(content):
            raise XmpEditError("not XMP that can be read")
        self._lead, _, self._trail = text.partition(body)
        self._text = body.encode()
        root = _parse(self._text)
        self._rdf = _find(root, "rdf:RDF")
        if root is None or self._rdf is None:
            raise XmpEditError("not XMP that can be read")
        self._prefixes = _prefixes_in(root)

    def to_bytes(self) -> bytes:
        """Return the packet in the encoding that it had."""
        text = f"{self._lead}{self._text.decode()}{self._trail}"
        return self._bom + text.encode(self._encoding, "xmlcharrefreplace")

    @property
    def _descriptions(self) -> list[Element]:
        assert self._rdf is not None
        return [each for each in self._rdf.children if each.name == "rdf:Description"]

    def element(self, name: str) -> Element | None:
        """Return the element of a property; None where there is none."""
        return next((found for each in self._descriptions if (found := each.child(name))), None)

    def has(self, name: str) -> bool:
        """Whether there is a property, as an element or as an attribute."""
        return self.element(name) is not None or self._attribute(name) is not None

    def append(self, name: str, items: Iterable[str]) -> None:
        """Put texts at the end of the list of a property that there is.

        Raises:
            XmpEditError: The property is no list and no text.
        """
        items = list(items)
        attribute = self._attribute(name)
        if not items:
            return
        if attribute is not None:
            self._cut(attribute.start, attribute.end)
            self.put([self.bag(name, [attribute.text, *items])])
            return
        found = self.element(name)
        assert found is not None, "asked of a property that there is"
        container = found.child(*_LISTS)
        if container is not None:
            li = f"{container.prefix}:li" if container.prefix else "li"
            self.append_items(container, [f"<{li}>{escape(item)}</{li}>" for item in items])
        elif not found.children and not any(each.name.startswith("rdf:") for each in found.attributes):
            # A single text in the place of a list, which readers let pass.
            before = [found.text.strip()] if found.text.strip() else []
            self._cut(*self._with_blanks(found))
            self.put([self.bag(name, [*before, *items])])
        else:
            raise XmpEditError(f"{name} is written in a way that cannot be added to")

    def append_items(self, container: Element, items: Sequence[str]) -> None:
        """Put XML at the end of a list, each piece as far from the left as the item before it."""
        last = container.children[-1] if container.children else None
        if container.inside == container.end:
            # `<rdf:Bag/>` becomes a start and an end tag.
            tag = self._text[container.start : container.inside]
            name = re.match(rb"<([^\s/>]+)", tag)
            assert name is not None
            opened = tag[:-2].rstrip() + b">" + "".join(items).encode() + b"</" + name[1] + b">"
            self._paste(container.start, container.end, opened)
            return
        blanks = b"" if last is None else self._text[self._with_blanks(last)[0] : last.start]
        at = container.inside if last is None else last.end
        self._paste(at, at, b"".join(blanks + item.encode() for item in items))

    def remove(self, name: str, items: Iterable[str]) -> None:
        """Take texts out of a property; it goes with the last of them."""
        for item in items:
            attribute = self._attribute(name)
            found = self.element(name)
            if attribute is not None and attribute.text.strip() == item:
                self._cut(attribute.start, attribute.end)
            if found is None:
                continue
            container = found.child(*_LISTS)
            if container is not None:
                same = [each for each in container.children if each.text.strip() == item]
                if same:
                    self.remove_item(found, container, same[0])
            elif found.text.strip() == item:
                self._cut(*self._with_blanks(found))

    def remove_item(self, owner: Element, container: Element, item: Element) -> None:
        """Take an element out of a list, and the owner of the list with its last one."""
        self._cut(*self._with_blanks(owner if container.children == [item] else item))

    def remove_property(self, name: str) -> None:
        """Take a property out, whatever it holds; nothing happens where there is none."""
        if (attribute := self._attribute(name)) is not None:
            self._cut(attribute.start, attribute.end)
        if (found := self.element(name)) is not None:
            self._cut(*self._with_blanks(found))

    def remove_empty_descriptions(self, address: str) -> None:
        """Take out the descriptions that declare a namespace and hold nothing any more."""
        for each in reversed(self._descriptions):
            is_empty = not each.children and all(one.name in _ABOUT for one in each.attributes)
            if address in each.declared and is_empty:
                self._cut(*self._with_blanks(each))

    def put(self, properties: Sequence[str]) -> None:
        """Add properties, as this packet writes them, in a description of their own."""
        rdf = self._rdf
        assert rdf is not None
        first = self._descriptions[0] if self._descriptions else None
        about = next(
            (each.quoted.decode() for each in (first.attributes if first else ()) if each.name in _ABOUT),
            '""',
        )
        last = rdf.children[-1] if rdf.children else None
        if last is not None:
            blanks = self._text[self._with_blanks(last)[0] : last.start].decode()
        else:
            line_end = re.match(rb"\r?\n", self._text[rdf.inside :])
            blanks = f"{line_end[0].decode()} " if line_end else ""
        inner = f"{blanks} " if blanks else ""
        tag, body = self.spell("rdf:Description"), "".join(inner + each for each in properties)
        start = f"<{tag} {self.spell('rdf:about')}={about}"
        # The private namespace is declared again in any case, as it tells whose description it is.
        spaces = self.spaces(f"{start}>{body}", rdf.scope, always=(NAMESPACES["photopal"],))
        block = f"{blanks}{start}{spaces}>{body}{blanks}</{tag}>"
        if rdf.inside == rdf.end:
            self.append_items(rdf, [block])
            return
        at = rdf.inside if last is None else last.end
        self._paste(at, at, block.encode())

    def spell(self, name: str) -> str:
        """Return the name of a property with the prefix that this packet has for its namespace.

        Readers fail over a packet in which one namespace has two prefixes, or one prefix two namespaces.
        """
        prefix, _, local = name.partition(":")
        return f"{self._prefixes[NAMESPACES[prefix]]}:{local}"

    def spaces(self, xml: str, scope: Mapping[str, str], *, always: Sequence[str] = ()) -> str:
        """Return the declarations, as attributes, that a piece of XML needs in a scope."""
        tags = "".join(_QUOTED.sub("", tag) for tag in _TAGS.findall(xml))
        used = set(_PREFIX.findall(tags))
        return "".join(
            f' xmlns:{prefix}="{address}"'
            for address, prefix in sorted(self._prefixes.items(), key=lambda pair: pair[1])
            if prefix in used and prefix != "xml" and (scope.get(prefix) != address or address in always)
        )

    def bag(self, name: str, items: Iterable[str], *, kind: str = "Bag") -> str:
        """Write a property that is a list of texts."""
        tag, container, li = self.spell(name), self.spell(f"rdf:{kind}"), self.spell("rdf:li")
        inside = "".join(f"<{li}>{escape(item)}</{li}>" for item in items)
        return f"<{tag}><{container}>{inside}</{container}></{tag}>"

    def default_text(self, name: str, text: str) -> str:
        """Write a property that is a text in languages, in the one for all."""
        tag, container, li = self.spell(name), self.spell("rdf:Alt"), self.spell("rdf:li")
        return f"<{tag}><{container}>{_default_item(li, text)}</{container}></{tag}>"

    def put_default_text(self, name: str, text: str) -> None:
        """Put a text for all languages before those in other languages that a property has.

        Raises:
            XmpEditError: The property is no list.
        """
        found = self.element(name)
        container = None if found is None else found.child(*_LISTS)
        if container is None or not container.children:
            raise XmpEditError(f"{name} is written in a way that cannot be added to")
        first = container.children[0]
        blanks = self._text[self._with_blanks(first)[0] : first.start]
        li = f"{container.prefix}:li" if container.prefix else "li"
        self._paste(container.inside, container.inside, blanks + _default_item(li, text).encode())

    def attributes(self, values: Mapping[str, object]) -> str:
        """Write attributes, each with a blank before it."""
        return "".join(f" {self.spell(name)}={quoteattr(str(value))}" for name, value in values.items())

    def simple(self, name: str, text: str) -> str:
        """Write a property that is a text."""
        return f"<{self.spell(name)}>{escape(text)}</{self.spell(name)}>"

    def _attribute(self, name: str) -> Attribute | None:
        attributes = (one for each in self._descriptions for one in each.attributes)
        return next((one for one in attributes if one.name == name), None)

    def _with_blanks(self, element: Element) -> tuple[int, int]:
        """Return the bytes of an element with the blanks before it."""
        start = element.start
        while start and self._text[start - 1] in _BLANKS:
            start -= 1
        return start, element.end

    def _cut(self, start: int, end: int) -> None:
        self._paste(start, end, b"")

    def _paste(self, start: int, end: int, new: bytes) -> None:
        self._text = self._text[:start] + new + self._text[end:]
        self._rdf = _find(_parse(self._text), "rdf:RDF")


def _default_item(li: str, text: str) -> str:
    return f'<{li} xml:lang="x-default">{escape(text)}</{li}>'


_ABOUT = ("rdf:about", "about")
_TAGS = re.compile(r"<[^>]*>")
_QUOTED = re.compile("\"[^\"]*\"|'[^']*'")
_PREFIX = re.compile(r"[</\s]([A-Za-z_][\w.-]*):")


def writable(text: str) -> str:
    """Return a text as it comes back from a packet: one line of letters that XML can hold."""
    return " ".join(_NO_XML.sub("", text).split())


def _encoding_of(content: bytes) -> tuple[bytes, str]:
    """Return the mark that a text begins with, and the encoding that it is in."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            if encoding is None:
                raise XmpEditError("in UTF-32, which is not supported")
            return bom, encoding
    for start, encoding in ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be")):
        if content.startswith(start):
            return b"", encoding
    declared = _DECLARED.search(content[:200])
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    # A text of single bytes is in no such encoding, whatever it declares.
    return b"", "utf-8" if encoding.startswith(("utf-16", "utf16", "ucs")) else encoding


def _prefixes_in(root: Element) -> dict[str, str]:
    """Return the prefix for each namespace: that of the packet, or one that it has for nothing else."""
    used: dict[str, str] = {}
    waiting = [root]
    while waiting:
        element = waiting.pop()
        used = {**element.scope, **used}
        waiting += element.children
    by_address = {address: prefix for prefix, address in reversed(used.items()) if prefix}
    for prefix, address in NAMESPACES.items():
        if address not in by_address:
            taken = {*used, *by_address.values()}
            free = (f"{prefix}{number or ''}" for number in range(len(taken) + 1))
            by_address[address] = next(each for each in free if each not in taken)
    return by_address


def _find(element: Element | None, name: str) -> Element | None:
    if element is None or element.name == name:
        return element
    return next((found for child in element.children if (found := _find(child, name))), None)


def _parse(text: bytes) -> Element | None:
    """Return the root of a text in UTF-8, with the places of all elements; None where it is no XML."""
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.buffer_text = True
    root = Element("", "", {"xml": NAMESPACES["xml"]}, 0, 0)
    stack = [root]

    def start(raw: str, names_and_texts: list[str]) -> None:
        at = parser.CurrentByteIndex
        tag = _TAG.match(text, at)
        if tag is None:
            raise XmpEditError("not XMP that can be read")
        values = list(zip(names_and_texts[::2], names_and_texts[1::2], strict=True))
        declared = {
            name.partition(":")[2]: value
            for name, value in values
            if name == "xmlns" or name.startswith("xmlns:")
        }
        scope = {**stack[-1].scope, **declared} if declared else stack[-1].scope
        spans = list(_ATTRIBUTE.finditer(text, at, tag.end()))
        prefix, _, _ = raw.rpartition(":")
        stack.append(
            Element(
                name=_resolved(raw, scope, is_element=True),
                prefix=prefix,
                scope=scope,
                start=at,
                inside=tag.end(),
                declared=set(declared.values()),
                attributes=[
                    Attribute(
                        name=_resolved(name, scope, is_element=False),
                        text=value,
                        start=span.start(),
                        end=span.end(),
                        quoted=span[1],
                    )
                    for (name, value), span in zip(values, spans, strict=True)
                    if name != "xmlns" and not name.startswith("xmlns:")
                ],
            )
        )

    def end(_: str) -> None:
        element = stack.pop()
        is_empty_tag = text[element.inside - 2 : element.inside] == b"/>"
        element.stop = element.inside if is_empty_tag else parser.CurrentByteIndex
        element.end = element.inside if is_empty_tag else text.index(b">", element.stop) + 1
        stack[-1].children.append(element)

    def letters(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = letters
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return None
    return root.children[0] if root.children else None


def _resolved(raw: str, scope: Mapping[str, str], *, is_element: bool) -> str:
    prefix, _, local = raw.rpartition(":")
    address = scope.get(prefix) if prefix or is_element else None
    return local if address is None else short_name(f"{{{address}}}{local}")
