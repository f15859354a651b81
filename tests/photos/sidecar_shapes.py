"""Sidecars in the shapes that different programs write, made by hand from the specifications."""

# ruff: noqa: E501 - the texts are as long as programs write them

from __future__ import annotations

from collections.abc import Callable, Iterator

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "darktable": "http://darktable.sf.net/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
}
PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'


def spaces(*prefixes: str, line: str = "\n    ") -> str:
    return "".join(f'{line}xmlns:{prefix}="{SPACES[prefix]}"' for prefix in prefixes)


def wrapped(inside: str, *, attributes: str = "", about: str = ' rdf:about=""', packet: bool = True) -> str:
    """One description in one packet."""
    text = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Other 1.0">\n <rdf:RDF xmlns:rdf="{RDF}">\n'
        f"  <rdf:Description{about}{attributes}>\n{inside}  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    )
    return f'{PACKET_START}{text}<?xpacket end="w"?>' if packet else text


BAG = (
    "   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>sea</rdf:li>\n     <rdf:li>Müller</rdf:li>\n"
    "    </rdf:Bag>\n   </dc:subject>\n"
)
CURVE = (
    "   <crs:ToneCurvePV2012>\n    <rdf:Seq>\n     <rdf:li>0, 0</rdf:li>\n     <rdf:li>255, 255</rdf:li>\n"
    "    </rdf:Seq>\n   </crs:ToneCurvePV2012>\n"
)
TITLE = '   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Nice &amp; blue</rdf:li></rdf:Alt></dc:title>\n'
REGIONS_BY_DESCRIPTION = (
    '   <mwg-rs:Regions rdf:parseType="Resource">\n'
    '    <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>\n'
    "    <mwg-rs:RegionList>\n     <rdf:Bag>\n      <rdf:li>\n"
    '       <rdf:Description mwg-rs:Rotation="0.00000" mwg-rs:Name="Carl" mwg-rs:Type="Face">\n'
    '        <mwg-rs:Area stArea:h="0.2" stArea:w="0.1" stArea:x="0.8" stArea:y="0.3"/>\n'
    "       </rdf:Description>\n      </rdf:li>\n     </rdf:Bag>\n    </mwg-rs:RegionList>\n   </mwg-rs:Regions>\n"
)
REGIONS_BY_RESOURCE = (
    "   <mwg-rs:Regions>\n    <rdf:Description>\n"
    '    <mwg-rs:AppliedToDimensions rdf:parseType="Resource"><stDim:w>4000</stDim:w><stDim:h>3000</stDim:h>'
    "<stDim:unit>pixel</stDim:unit></mwg-rs:AppliedToDimensions>\n"
    '    <mwg-rs:RegionList><rdf:Seq><rdf:li rdf:parseType="Resource">'
    '<mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.8</stArea:x><stArea:y>0.3</stArea:y>'
    "<stArea:w>0.1</stArea:w><stArea:h>0.2</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>"
    "<mwg-rs:Name>Carl</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li></rdf:Seq></mwg-rs:RegionList>\n"
    "    </rdf:Description>\n   </mwg-rs:Regions>\n"
)
MICROSOFT = (
    '   <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li MPReg:Rectangle="0.1, 0.2, 0.3,'
    ' 0.4" MPReg:PersonDisplayName="Dora"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>\n'
)

LIGHTROOM = wrapped(
    TITLE + BAG + CURVE + REGIONS_BY_DESCRIPTION
    + "   <lr:hierarchicalSubject>\n    <rdf:Bag>\n     <rdf:li>Places|Nice</rdf:li>\n    </rdf:Bag>\n"
    "   </lr:hierarchicalSubject>\n",
    attributes=spaces("xmp", "dc", "crs", "lr", "mwg-rs", "stArea", "stDim", "xmpMM")
    + '\n   xmp:Rating="3"\n   xmp:ModifyDate="2024-05-01T10:00:00+02:00"\n   crs:Version="15.1"'
    '\n   crs:Exposure2012="+0.35"\n   xmpMM:DocumentID="xmp.did:1"',
    packet=False,
)  # fmt: skip
DIGIKAM = wrapped(
    BAG + REGIONS_BY_RESOURCE + MICROSOFT
    + "   <digiKam:TagsList>\n    <rdf:Seq>\n     <rdf:li>Places/Nice</rdf:li>\n    </rdf:Seq>\n   </digiKam:TagsList>\n"
    "   <acdsee:categories>&lt;Categories&gt;&lt;Category Assigned=&quot;0&quot;&gt;Places&lt;/Category&gt;"
    "&lt;/Categories&gt;</acdsee:categories>\n",
    attributes=spaces("dc", "digiKam", "mwg-rs", "stArea", "stDim", "MP", "MPRI", "MPReg", "acdsee")
    + '\n    digiKam:PickLabel="0"',
)  # fmt: skip
DARKTABLE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    + wrapped(
        BAG
        + '   <darktable:history>\n    <rdf:Seq>\n     <rdf:li\n      darktable:num="0"\n      darktable:operation="flip"'
        '\n      darktable:params="ffffffff"/>\n    </rdf:Seq>\n   </darktable:history>\n',
        attributes=spaces("dc", "darktable") + '\n   darktable:xmp_version="5"',
        packet=False,
    )
)  # fmt: skip
EXIFTOOL = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'"
    f" x:xmptk='Image::ExifTool 12.40'>\n<rdf:RDF xmlns:rdf='{RDF}'>\n\n <rdf:Description rdf:about=''\n"
    f"  xmlns:dc='{SPACES['dc']}'>\n  <dc:subject>\n   <rdf:Bag>\n    <rdf:li>sea</rdf:li>\n   </rdf:Bag>\n"
    "  </dc:subject>\n </rdf:Description>\n\n <rdf:Description rdf:about=''\n"
    f"  xmlns:xmp='{SPACES['xmp']}'>\n  <xmp:Rating>4</xmp:Rating>\n </rdf:Description>\n</rdf:RDF>\n"
    "</x:xmpmeta>\n<?xpacket end='w'?>"
)
PICASA = wrapped(
    REGIONS_BY_DESCRIPTION, attributes=spaces("mwg-rs", "stArea", "stDim", line=" "), packet=False
)
PHOTOS = wrapped(
    "   <dc:description>Grandma&apos;s 80th</dc:description>\n   <dc:subject><rdf:Seq><rdf:li>sea</rdf:li></rdf:Seq>"
    "</dc:subject>\n   <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Carl</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>\n",
    attributes=spaces("dc", "Iptc4xmpExt"),
)  # fmt: skip
WINDOWS = wrapped(
    MICROSOFT + "   <MicrosoftPhoto:LastKeywordXMP><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag>"
    "</MicrosoftPhoto:LastKeywordXMP>\n   <MicrosoftPhoto:Rating>75</MicrosoftPhoto:Rating>\n",
    attributes=spaces("MP", "MPRI", "MPReg", "MicrosoftPhoto"),
    about=' rdf:about="uuid:faf5bdd5-ba3d-11da-ad31-d33d75182f1b"',
)
HISTORY = wrapped(
    "   <xmpMM:History>\n    <rdf:Seq>\n     <rdf:li\n      stEvt:action=\"derived\"\n      stEvt:parameters='a > b'/>\n"
    "    </rdf:Seq>\n   </xmpMM:History>\n" + BAG,
    attributes=spaces("xmpMM", "stEvt", "dc"),
)  # fmt: skip
COMPACT = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
    f' xmlns:dc="{SPACES["dc"]}"><dc:subject><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
MAKERS = {
    "lightroom": LIGHTROOM, "digikam": DIGIKAM, "darktable": DARKTABLE, "exiftool": EXIFTOOL,
    "picasa": PICASA, "photos": PHOTOS, "windows": WINDOWS, "history": HISTORY, "compact": COMPACT,
}  # fmt: skip


def dc(inside: str, **options: str) -> str:
    return wrapped(f"   {inside}\n", attributes=spaces("dc"), **options)


MISTAKES = {
    "subject is a Seq": dc("<dc:subject><rdf:Seq><rdf:li>sea</rdf:li></rdf:Seq></dc:subject>"),
    "subject is an Alt": dc("<dc:subject><rdf:Alt><rdf:li>sea</rdf:li></rdf:Alt></dc:subject>"),
    "subject is empty": dc("<dc:subject><rdf:Bag></rdf:Bag></dc:subject>"),
    "subject has blanks": dc("<dc:subject><rdf:Bag>\n    </rdf:Bag></dc:subject>"),
    "subject is a closed bag": dc("<dc:subject><rdf:Bag/></dc:subject>"),
    "subject is a text": dc("<dc:subject>sea</dc:subject>"),
    "subject is closed": dc("<dc:subject/>"),
    "subject is an attribute": wrapped("", attributes=spaces("dc") + ' dc:subject="sea"'),
    "description is an attribute": wrapped("", attributes=spaces("dc") + ' dc:description="By hand"'),
    "description is a text": dc("<dc:description>By hand</dc:description>"),
    "description is a Bag": dc("<dc:description><rdf:Bag><rdf:li>By hand</rdf:li></rdf:Bag></dc:description>"),
    "description is empty": dc('<dc:description><rdf:Alt><rdf:li xml:lang="x-default"/></rdf:Alt></dc:description>'),
    "description is German": dc('<dc:description><rdf:Alt><rdf:li xml:lang="de">Meer</rdf:li></rdf:Alt></dc:description>'),
    "description in languages": dc(
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Sea</rdf:li><rdf:li xml:lang="de">Meer</rdf:li>'
        "</rdf:Alt></dc:description>"
    ),
    "without about": wrapped(BAG, attributes=spaces("dc"), about=""),
    "about without prefix": wrapped(BAG, attributes=spaces("dc"), about=' about=""'),
    "no description": f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"></rdf:RDF></x:xmpmeta>',
    "closed RDF": f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>',
    "closed description": wrapped("").replace(">\n  </rdf:Description>", "/>"),
    "no xmpmeta": COMPACT.replace('<x:xmpmeta xmlns:x="adobe:ns:meta/">', "").replace("</x:xmpmeta>", ""),
    "xapmeta": COMPACT.replace("x:xmpmeta", "x:xapmeta"),
    "other prefixes": COMPACT.replace("xmlns:dc", "xmlns:core").replace("dc:subject", "core:subject"),
    "other prefix of RDF": COMPACT.replace("rdf:", "r:").replace("xmlns:rdf", "xmlns:r"),
    "prefix of another": COMPACT.replace("xmlns:dc", "xmlns:lr").replace("dc:subject", "lr:subject"),
    "RDF by default": (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><RDF xmlns="{RDF}"><Description xmlns:d="{SPACES["dc"]}">'
        "<d:subject><Bag><li>sea</li></Bag></d:subject></Description></RDF></x:xmpmeta>"
    ),
    "namespace within": wrapped(f'   <dc:subject xmlns:dc="{SPACES["dc"]}"><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>\n'),
    "address cut short": COMPACT.replace(SPACES["dc"], SPACES["dc"].rstrip("/")),
    "comments": COMPACT.replace("<rdf:li>", "<!-- <rdf:li>no</rdf:li> --><rdf:li>").replace("</rdf:RDF>", "<!-- > --></rdf:RDF>"),
    "instructions": COMPACT.replace("<rdf:Bag>", "<?keep this?><rdf:Bag>"),
    "cdata": COMPACT.replace("sea", "<![CDATA[sea & <b>]]>"),
    "entities": COMPACT.replace("sea", "s&#233;&#xe9; &amp; &quot;"),
    "tabs": LIGHTROOM.replace("    ", "\t"),
    "attributes over lines": COMPACT.replace(' rdf:about=""', '\n\trdf:about\n=\n""\n'),
    "regions without a list": wrapped(
        '   <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag/></mwg-rs:RegionList></mwg-rs:Regions>\n',
        attributes=spaces("mwg-rs"),
    ),
    "two descriptions of one property": EXIFTOOL.replace(
        "<xmp:Rating>4</xmp:Rating>", "<xmp:Rating>4</xmp:Rating>\n  <xmp:Label>Red</xmp:Label>"
    ),
    "padded": PICASA + " " * 2000 + "\n" + '<?xpacket end="w"?>',
}  # fmt: skip

CODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "UTF-16 LE": lambda text: b"\xff\xfe" + text.replace("UTF-8", "UTF-16").encode("utf-16-le"),
    "UTF-16 BE": lambda text: b"\xfe\xff" + text.replace("UTF-8", "UTF-16").encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "NUL at the end": lambda text: text.encode() + b"\n\x00\x00",
}

CHANGED_SHAPES = {
    "subject is a text", "subject is closed", "subject is an attribute", "subject is a closed bag",
    "subject is empty", "subject has blanks", "description is empty", "closed RDF",
    "regions without a list",
}  # fmt: skip
"""Shapes whose mistake is mended when something is added, so that taking it out does not bring it back."""


def sidecars() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each."""
    yield from ((name, text.encode()) for name, text in {**MAKERS, **MISTAKES}.items())
    for coding, encode in CODINGS.items():
        for maker in ("lightroom", "darktable", "exiftool"):
            yield f"{maker}, {coding}", encode(MAKERS[maker])
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + HISTORY.replace("\ufeff", "")
    yield "latin", latin.encode("latin-1")
