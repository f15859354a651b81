"""XMP is read in all the ways in which it is written, and costs no more than itself."""

import pytest

from photopal.photos.xmp import NAMESPACES, XMP_LIMIT_BYTES, Xmp


def packet(inside: str, attributes: str = "") -> str:
    spaces = " ".join(
        f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items() if prefix != "xml"
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF {spaces}><rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description></rdf:RDF>'
        '</x:xmpmeta><?xpacket end="w"?>'
    )


def xmp(inside: str, attributes: str = "") -> Xmp:
    return Xmp([packet(inside, attributes).encode()])


def test_a_property_may_be_an_element_or_an_attribute():
    assert xmp("<xmp:Rating> 4 </xmp:Rating>").text("xmp:Rating") == "4"
    assert xmp("", 'xmp:Rating="4"').text("xmp:Rating") == "4"


def test_lists_keep_their_order_and_a_single_text_is_a_list():
    subject = "<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>Ä &amp; Ö</rdf:li></rdf:Bag></dc:subject>"
    assert xmp(subject).texts("dc:subject") == ["sea", "Ä & Ö"]
    assert xmp("<dc:subject>sea</dc:subject>").texts("dc:subject") == ["sea"]


def test_of_languages_the_default_comes_first():
    title = (
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">Meer</rdf:li>'
        '<rdf:li xml:lang="x-default">Sea</rdf:li></rdf:Alt></dc:title>'
    )
    assert xmp(title).text("dc:title") == "Sea"


@pytest.mark.parametrize(
    "region",
    [
        '<rdf:li mwg-rs:Name="Anna" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5"/></rdf:li>',
        """<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Anna</mwg-rs:Name>
        <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.5</stArea:x></mwg-rs:Area></rdf:li>""",
        """<rdf:li><rdf:Description mwg-rs:Name="Anna"><mwg-rs:Area><rdf:Description stArea:x="0.5"/>
        </mwg-rs:Area></rdf:Description></rdf:li>""",
    ],
)
def test_structures_are_read_in_each_of_their_forms(region):
    read = xmp(
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{region}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )
    [found] = read.structures("mwg-rs:Regions", "mwg-rs:RegionList")
    assert found["mwg-rs:Name"] == "Anna"
    assert found["mwg-rs:Area"]["stArea:x"] == "0.5"
    # What belongs to a region is no property of the photo.
    assert read.text("mwg-rs:Name") is None


def test_a_qualified_value_is_its_value():
    keyword = (
        '<dc:subject><rdf:Bag><rdf:li rdf:parseType="Resource"><rdf:value>sea</rdf:value>'
        "<xmp:Label>red</xmp:Label></rdf:li></rdf:Bag></dc:subject>"
    )
    assert xmp(keyword).texts("dc:subject") == ["sea"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_packets_come_in_several_encodings_and_with_padding(encoding):
    content = packet("<dc:subject>Müller</dc:subject>").encode(encoding)
    padding = b"" if encoding.startswith("utf-16") else b"\x00" * 3
    assert Xmp([content + padding]).texts("dc:subject") == ["Müller"]


def test_other_prefixes_for_the_same_addresses_are_the_same():
    content = packet("<subj:subject>sea</subj:subject>", f'xmlns:subj="{NAMESPACES["dc"]}"')
    assert Xmp([content.encode()]).texts("dc:subject") == ["sea"]


def test_of_several_packets_the_first_to_speak_counts():
    packets = [
        packet("<xmp:Rating>4</xmp:Rating>"),
        packet("<xmp:Rating>1</xmp:Rating><dc:title>T</dc:title>"),
    ]
    read = Xmp(each.encode() for each in packets)
    assert (read.text("xmp:Rating"), read.text("dc:title")) == ("4", "T")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "content",
    [
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + packet("<dc:title>&l9;</dc:title>"),
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + packet("<dc:title>&f;</dc:title>"),
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">' + packet("<dc:title>a</dc:title>"),
        packet("<dc:title>&unknown;</dc:title>"),
        packet("<xmp:a>" * 5_000 + "</xmp:a>" * 5_000),
        packet("<xmp:a/>" * 200_000),
        packet("<dc:title>" + "a" * XMP_LIMIT_BYTES + "</dc:title>"),
        packet("<dc:title>cut")[:-40],
        "no xml at all",
        "",
    ],
    ids=["laughs", "file", "dtd", "entity", "deep", "many", "long", "cut", "text", "empty"],
)
def test_a_hostile_or_broken_packet_says_nothing(content):
    read = Xmp([content.encode(), packet("<xmp:Rating>4</xmp:Rating>").encode()])
    assert read.text("dc:title") is None
    assert read.text("xmp:Rating") == "4"
