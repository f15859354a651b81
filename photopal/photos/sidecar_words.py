"""What photopal says of a photo in an XMP sidecar: writes it, takes it out, and knows it again.

What is there by others stays and is not said twice. What photopal wrote is listed once more in a namespace of
its own. So a later run can replace it, also after another program has written the file anew, and reading does
not take it for something the user entered elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import quoteattr

from photopal.photos.turns import Box, has_shape, turned_box
from photopal.photos.xmp import NAMESPACES, Value, Xmp, texts_of
from photopal.photos.xmp_edit import Element, XmpEditError, XmpPacket, writable
from photopal.text import name_key

LISTS: Mapping[str, str] = {
    "dc:subject": "Keywords",
    "digiKam:TagsList": "TagsList",
    "lr:hierarchicalSubject": "HierarchicalSubject",
    "Iptc4xmpExt:PersonInImage": "PersonInImage",
}
"""The lists that names are written into, each with the property that says which of its items are ours."""

_DESCRIPTION, _DESCRIPTION_BY, _REGIONS = (
    "photopal:Description", "photopal:DescriptionBy", "photopal:Regions",
)  # fmt: skip
_MARKS = (*(f"photopal:{name}" for name in LISTS.values()), _DESCRIPTION, _DESCRIPTION_BY, _REGIONS)
_DESCRIPTIONS = "dc:description"
_EXTENSION = "photoshop:SidecarForExtension"
_TOOLKIT = 'x:xmptk="photopal"'
_SAME_SIDE = 0.01
# What stands between the levels of the lists that have them.
_BETWEEN_LEVELS = {"digiKam:TagsList": "/", "lr:hierarchicalSubject": "|"}


@dataclass(frozen=True)
class NamedRegion:
    """Somebody in a photo: "Face" or "Pet", and the box as fractions of the image as stored."""

    name: str
    kind: str
    box: Box


@dataclass(frozen=True)
class SidecarWords:
    """What a sidecar is to say, or says by photopal.

    Attributes:
        description: The caption.
        is_by_user: Whether the user wrote the caption; a model otherwise.
        lists: Texts by property, of those in `LISTS`.
        regions: Who is where.
        size_px: Width and height of the image as stored, which the regions are of.
        orientation: The turn from there to the upright photo, as EXIF numbers it.
    """

    description: str | None = None
    is_by_user: bool = False
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: tuple[NamedRegion, ...] = ()
    size_px: tuple[int, int] = (0, 0)
    orientation: int = 1

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.description or self.regions or any(self.lists.values()))


def words_by_photopal(xmp: Xmp) -> SidecarWords:
    """Return what photopal wrote into a sidecar and is still there as it was written."""
    description = xmp.text(_DESCRIPTION)
    regions = list(_regions_in(xmp))
    return SidecarWords(
        description=description if description == xmp.text(_DESCRIPTIONS) else None,
        is_by_user=xmp.text(_DESCRIPTION_BY) == "user",
        lists={
            name: tuple(
                text for text in xmp.texts(f"photopal:{mark}") if text in xmp.texts(name)
            )
            for name, mark in LISTS.items()
        },
        regions=tuple(
            each for each in map(_read_mark, xmp.texts(_REGIONS)) if each and _like(each, regions)
        ),
    )  # fmt: skip


def without_photopal(xmp: Xmp) -> Xmp:
    """Return what others say in a sidecar: all but what photopal wrote."""
    ours = words_by_photopal(xmp)
    properties: dict[str, Value] = {}
    for name, value in xmp.all().items():
        if ours.lists.get(name) or (name == _DESCRIPTIONS and ours.description):
            taken = [*ours.lists[name]] if name in LISTS else _our_descriptions(xmp, ours)
            left: list[Value] = []
            for text in texts_of(value):
                if text in taken:
                    taken.remove(text)
                else:
                    left.append(text)
            if left:
                properties[name] = left
        elif name == "mwg-rs:Regions" and ours.regions and isinstance(value, dict):
            listed = value.get("mwg-rs:RegionList") or []
            items = [
                item
                for item in (listed if isinstance(listed, list) else [listed])
                if not isinstance(item, dict) or not _like(_region_of(item), ours.regions)
            ]
            if items:
                properties[name] = {**value, "mwg-rs:RegionList": items}
        elif name not in _MARKS:
            properties[name] = value
    return Xmp.of(properties)


def _our_descriptions(xmp: Xmp, ours: SidecarWords) -> list[str]:
    """Return photopal's description as often as it is there: some programs repeat it in their language."""
    return [text for text in xmp.texts(_DESCRIPTIONS) if text == ours.description]


def write_words(content: bytes | None, words: SidecarWords, *, extension: str | None = None) -> bytes | None:
    """Return a sidecar that says some words in place of those photopal said before.

    Args:
        content: The sidecar as it is; None where there is none.
        words: What it is to say; what others say in it already is not said again.
        extension: Of the photo, where the name of a new sidecar does not have it.

    Returns:
        The same bytes where there is nothing to change; None where there is to be no sidecar.

    Raises:
        XmpEditError: The sidecar cannot be read, or not be changed without changing what others say.
    """
    before = content if content and content.strip(b"\x00 \t\r\n") else _new_packet(extension)
    packet = XmpPacket(before)
    xmp = Xmp([before])
    said, others = words_by_photopal(xmp), without_photopal(xmp)
    wanted = _not_said(_writable(words), others, said)
    if content is not None and _same(wanted, said) and _same(said, _marked(xmp)):
        return content
    if content is None and not wanted:
        return None
    _take_out(packet, xmp, said)
    _put_in(packet, wanted, others)
    result = packet.to_bytes()
    _check(others, wanted, Xmp([result]))
    # What is as photopal made it goes with the last word; anything else in it would be somebody's.
    return None if result == _new_packet(others.text(_EXTENSION)) else result


def _writable(words: SidecarWords) -> SidecarWords:
    return replace(
        words,
        description=writable(words.description or "") or None,
        lists={name: tuple(filter(None, map(writable, items))) for name, items in words.lists.items()},
        regions=tuple(replace(each, name=writable(each.name)) for each in words.regions),
    )


def _marked(xmp: Xmp) -> SidecarWords:
    """What the marks say, whether or not it is still there."""
    return SidecarWords(
        description=xmp.text(_DESCRIPTION),
        is_by_user=xmp.text(_DESCRIPTION_BY) == "user",
        lists={name: tuple(xmp.texts(f"photopal:{mark}")) for name, mark in LISTS.items()},
        regions=tuple(filter(None, map(_read_mark, xmp.texts(_REGIONS)))),
    )


def _same(words: SidecarWords, other: SidecarWords) -> bool:
    """Whether two say the same, in whichever order."""
    return (
        (words.description, words.description is not None and words.is_by_user)
        == (other.description, other.description is not None and other.is_by_user)
        and all(sorted(words.lists.get(name, ())) == sorted(other.lists.get(name, ())) for name in LISTS)
        and len(words.regions) == len(other.regions)
        and all(_like(each, other.regions) for each in words.regions)
    )


def _not_said(words: SidecarWords, others: Xmp, said: SidecarWords) -> SidecarWords:
    """Return those of some words that others do not say; `said` is what photopal says so far."""
    named = {name_key(each.name) for each in _regions_in(others)}
    turn = _turn_of_regions(others, words)
    regions = [
        replace(each, box=turned_box(turn, each.box))
        for each in words.regions
        if turn is not None and name_key(each.name) not in named
    ]
    return replace(
        words,
        # Beside photopal's own, those of others are its translations.
        description=None if others.text(_DESCRIPTIONS) and not said.description else words.description,
        lists={
            name: tuple(
                dict.fromkeys(t for t in words.lists.get(name, ()) if said_by_item(name, t) not in said)
            )
            for name in LISTS
            for said in [{said_by_item(name, text) for text in others.texts(name)}]
        },
        regions=tuple(regions),
    )


def said_by_item(name: str, text: str) -> tuple[str, ...]:
    """Return what an item of a list says, however nested: of People/Family/Lena what People/Lena says."""
    levels = text.split(_BETWEEN_LEVELS[name]) if name in _BETWEEN_LEVELS else [text]
    return (text,) if len(levels) == 1 else (name_key(levels[0]), name_key(levels[-1]))


def _turn_of_regions(others: Xmp, words: SidecarWords) -> int | None:
    """Return how regions of the image as stored have to be turned to be added to those of others.

    None where those are of another picture: the photo was cropped or turned since.
    """
    sizes = others.structures("mwg-rs:Regions", "mwg-rs:AppliedToDimensions")
    width, height = (_number(sizes[0].get(f"stDim:{side}")) if sizes else None for side in "wh")
    if not width or not height or has_shape((width, height), words.size_px):
        return 1
    is_upright = words.orientation >= 5 and has_shape((width, height), words.size_px[::-1])
    return words.orientation if is_upright else None


def _take_out(packet: XmpPacket, xmp: Xmp, said: SidecarWords) -> None:
    if said.description is not None:
        ours = _our_descriptions(xmp, said)
        if ours == xmp.texts(_DESCRIPTIONS):
            packet.remove_property(_DESCRIPTIONS)
        else:
            packet.remove(_DESCRIPTIONS, ours)
    for name in LISTS:
        packet.remove(name, said.lists[name])
    for region in said.regions:
        _remove_region(packet, region)
    for mark in _MARKS:
        packet.remove_property(mark)
    if any(mark in xmp.all() for mark in _MARKS):
        packet.remove_empty_descriptions(NAMESPACES["photopal"])


def _remove_region(packet: XmpPacket, region: NamedRegion) -> None:
    owner, container = _region_list(packet)
    if owner is None or container is None:
        return
    for item in container.children:
        found = _region_of(_values(item.structure()))
        if found is not None and _like(found, (region,)):
            packet.remove_item(owner, container, item)
            return


def _region_list(packet: XmpPacket) -> tuple[Element | None, Element | None]:
    """The property of regions and the list in it."""
    owner = packet.element("mwg-rs:Regions")
    listed = owner.structure().get("mwg-rs:RegionList") if owner else None
    container = listed.child("rdf:Bag", "rdf:Seq", "rdf:Alt") if isinstance(listed, Element) else None
    return owner, container


def _put_in(packet: XmpPacket, words: SidecarWords, others: Xmp) -> None:
    new: list[str] = []
    marks: list[str] = []
    if words.description:
        if others.texts(_DESCRIPTIONS):
            packet.put_default_text(_DESCRIPTIONS, words.description)
        else:
            # It may be there without a word.
            packet.remove_property(_DESCRIPTIONS)
            new.append(packet.default_text(_DESCRIPTIONS, words.description))
        marks += [
            packet.simple(_DESCRIPTION, words.description),
            packet.simple(_DESCRIPTION_BY, "user" if words.is_by_user else "model"),
        ]
    for name, mark in LISTS.items():
        items = words.lists.get(name, ())
        if not items:
            continue
        if packet.has(name):
            packet.append(name, items)
        else:
            new.append(packet.bag(name, items, kind="Seq" if name == "digiKam:TagsList" else "Bag"))
        marks.append(packet.bag(f"photopal:{mark}", items))
    if words.regions:
        owner, container = _region_list(packet)
        if container is not None:
            packet.append_items(
                container, [_region_xml(packet, each, container.scope) for each in words.regions]
            )
        elif owner is not None:
            raise XmpEditError("mwg-rs:Regions is written in a way that cannot be added to")
        else:
            new.append(_regions_xml(packet, words))
        marks.append(packet.bag(_REGIONS, map(_write_mark, words.regions)))
    if new or marks:
        packet.put([*new, *marks])


def _regions_xml(packet: XmpPacket, words: SidecarWords) -> str:
    names = ("mwg-rs:Regions", "mwg-rs:AppliedToDimensions", "mwg-rs:RegionList", "rdf:Bag")
    regions, size, listed, bag = map(packet.spell, names)
    width, height = words.size_px
    sides = packet.attributes({"stDim:w": width, "stDim:h": height, "stDim:unit": "pixel"})
    items = "".join(_region_xml(packet, each) for each in words.regions)
    return (
        f"<{regions}{packet.attributes({'rdf:parseType': 'Resource'})}><{size}{sides}/>"
        f"<{listed}><{bag}>{items}</{bag}></{listed}></{regions}>"
    )


def _region_xml(packet: XmpPacket, region: NamedRegion, scope: Mapping[str, str] | None = None) -> str:
    """Write a region as an item of a list, with the namespaces that a given scope does not have."""
    x, y, width, height = region.box
    sides = {"x": x + width / 2, "y": y + height / 2, "w": width, "h": height}
    area = packet.attributes(
        {**{f"stArea:{side}": f"{value:.6f}" for side, value in sides.items()}, "stArea:unit": "normalized"}
    )
    li, description = packet.spell("rdf:li"), packet.spell("rdf:Description")
    inside = (
        f"<{description}{packet.attributes({'mwg-rs:Name': region.name, 'mwg-rs:Type': region.kind})}>"
        f"<{packet.spell('mwg-rs:Area')}{area}/></{description}>"
    )
    return f"<{li}{'' if scope is None else packet.spaces(f'<{li}>{inside}', scope)}>{inside}</{li}>"


def _write_mark(region: NamedRegion) -> str:
    return f"{region.kind} {' '.join(f'{side:.6f}' for side in region.box)} {region.name}"


def _read_mark(text: str) -> NamedRegion | None:
    parts = text.split(" ", 5)
    sides = [_number(part) for part in parts[1:5]]
    if len(parts) < 6 or None in sides:
        return None
    return NamedRegion(parts[5], parts[0], tuple(sides))  # type: ignore[arg-type]


def _regions_in(xmp: Xmp) -> Iterator[NamedRegion]:
    for item in xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList"):
        if (region := _region_of(item)) is not None:
            yield region


def _region_of(item: Mapping[str, Value]) -> NamedRegion | None:
    """Read a region; None where it has no name or no box in fractions of the image."""
    area = item.get("mwg-rs:Area")
    name, kind = texts_of(item.get("mwg-rs:Name")), texts_of(item.get("mwg-rs:Type"))
    if not name or not isinstance(area, Mapping):
        return None
    x, y, width, height = (_number(area.get(f"stArea:{side}")) for side in "xywh")
    if x is None or y is None or width is None or height is None:
        return None
    return NamedRegion(name[0], kind[0] if kind else "Face", (x - width / 2, y - height / 2, width, height))


def _values(fields: Mapping[str, Element | str]) -> dict[str, Value]:
    """Make of elements what a reader makes of them, as deep as a region is."""
    return {
        name: value
        if isinstance(value, str)
        else _values(value.structure())
        if value.children or value.attributes
        else value.text
        for name, value in fields.items()
    }


def _like(region: NamedRegion | None, others: Iterable[NamedRegion]) -> bool:
    """Whether one of some regions is the same but for rounding."""
    return region is not None and any(
        other.name == region.name
        and max(abs(a - b) for a, b in zip(other.box, region.box, strict=True)) < _SAME_SIDE
        for other in others
    )


def _number(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None


def _new_packet(extension: str | None) -> bytes:
    about = (
        ""
        if extension is None
        else f'<rdf:Description rdf:about="" xmlns:photoshop="{NAMESPACES["photoshop"]}"'
        f" {_EXTENSION}={quoteattr(extension.upper())}/>\n"
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" {_TOOLKIT}>\n'
        f'<rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">\n{about}</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
    ).encode()


def _check(others: Xmp, wanted: SidecarWords, result: Xmp) -> None:
    """Raise where a sidecar does not say what it is to say, or no longer what others said."""
    said, rest = words_by_photopal(result), without_photopal(result)
    for name in others.all().keys() | rest.all().keys():
        same = (others.texts(name), others.all().get(name)) == (rest.texts(name), rest.all().get(name))
        if name in LISTS or name == _DESCRIPTIONS:
            same = others.texts(name) == rest.texts(name)
        elif name == "mwg-rs:Regions":
            same = list(_regions_in(others)) == list(_regions_in(rest))
        if not same:
            raise XmpEditError(f"cannot be changed without changing {name}")
    if not _same(wanted, said):
        raise XmpEditError("does not say what was written into it")
