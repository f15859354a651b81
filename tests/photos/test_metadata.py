"""What files know of a photo is read from wherever it stands, with its source, the best source first."""

import io
import json
import shutil
import struct
import subprocess
import zlib
from datetime import UTC, datetime

import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from photopal.photos.dates import DateTaken
from photopal.photos.metadata import Metadata, Region, merged, read_metadata
from photopal.photos.sidecars import SidecarFinder
from photopal.photos.xmp import NAMESPACES

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ORIGINAL, DIGITIZED, OFFSET, MODIFIED = 36867, 36868, 36881, 306


def read(path) -> Metadata:
    with path.open("rb") as file:
        return read_metadata(file, path, SidecarFinder().find(path), now=NOW)


def picture(path, **options):
    pillow_heif.register_heif_opener()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), "gray").save(path, **options)
    return path


def exif_with(dates, image=None):
    exif = Image.Exif()
    exif.update(image or {})
    exif.get_ifd(0x8769).update(dates)
    return exif.tobytes()


def packet(inside: str) -> bytes:
    spaces = " ".join(
        f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items() if prefix != "xml"
    )
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {spaces}><rdf:Description rdf:about="">'
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def bag(name, *items):
    return f"<{name}><rdf:Bag>{''.join(f'<rdf:li>{item}</rdf:li>' for item in items)}</rdf:Bag></{name}>"


def segment(kind, content):
    return bytes((0xFF, kind)) + struct.pack(">H", len(content) + 2) + content


def with_segments(path, *segments):
    content = picture(path).read_bytes()
    path.write_bytes(content[:2] + b"".join(segments) + content[2:])
    return path


def iptc(*datasets):
    block = b"".join(b"\x1c" + bytes(key) + struct.pack(">H", len(value)) + value for key, value in datasets)
    return segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block)


ALL_OF_XMP = packet(
    "<exif:DateTimeOriginal>2019-08-12T12:34:56+02:00</exif:DateTimeOriginal>"
    "<tiff:Make>FUJIFILM</tiff:Make><tiff:Model>X-T5</tiff:Model><aux:Lens>XF35mm</aux:Lens>"
    "<exif:GPSLatitude>48,30.5N</exif:GPSLatitude><exif:GPSLongitude>70,15.0W</exif:GPSLongitude>"
    "<exif:GPSAltitude>125/10</exif:GPSAltitude><exif:GPSAltitudeRef>1</exif:GPSAltitudeRef>"
    "<xmp:Rating>4</xmp:Rating><dc:title>Sea</dc:title><dc:description>Grandma's 80th</dc:description>"
    + bag("dc:subject", "sea", "Müller")
    + bag("lr:hierarchicalSubject", "Places|Nice")
    + bag("digiKam:TagsList", "People/Anna")
    + bag("Iptc4xmpExt:PersonInImage", "Carla")
    + '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
    '<rdf:li mwg-rs:Name="Anna" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.4" stArea:w="0.2"'
    ' stArea:h="0.4" stArea:unit="normalized"/></rdf:li>'
    '<rdf:li mwg-rs:Name="Rex" mwg-rs:Type="Pet"><mwg-rs:Area stArea:x="0.9" stArea:y="0.9" stArea:w="0.4"'
    ' stArea:h="0.2" stArea:unit="normalized"/></rdf:li>'
    '<rdf:li mwg-rs:Type="Focus"><mwg-rs:Area stArea:x="0.9" stArea:y="0.9" stArea:w="0.1"'
    ' stArea:h="0.1"/></rdf:li>'
    "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
    '<rdf:li MPReg:PersonDisplayName="Ben" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"/>'
    "</rdf:Bag></MPRI:Regions></MP:RegionInfo>"
)


def check_all_of_xmp(metadata, source):
    assert metadata.taken.at == "2019-08-12T12:34:56+02:00"
    assert metadata.value("camera") == "FUJIFILM X-T5"
    assert metadata.value("lens") == "XF35mm"
    assert metadata.value("position") == pytest.approx((48 + 30.5 / 60, -70.25))
    assert metadata.value("altitude_m") == -12.5
    assert (metadata.value("title"), metadata.value("description")) == ("Sea", "Grandma's 80th")
    assert metadata.value("rating") == 4
    assert metadata.all("keyword") == {"sea": [source], "Müller": [source]}
    assert metadata.all("hierarchy") == {"Places/Nice": [source], "People/Anna": [source]}
    assert list(metadata.all("person")) == ["Carla", "Anna", "Ben"]
    assert metadata.regions == (
        Region("Anna", "Face", (0.4, 0.2, 0.2, 0.4), source),
        Region("Rex", "Pet", (0.7, 0.8, 0.3, 0.2), source),
        Region("Ben", "Face", (0.1, 0.2, 0.3, 0.4), source),
    )


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic", "avif"])
def test_xmp_in_every_container_gives_every_field(tmp_path, suffix):
    if suffix == "png":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", ALL_OF_XMP.decode())
        path = picture(tmp_path / "a.png", pnginfo=texts)
    elif suffix == "tiff":
        path = picture(tmp_path / "a.tiff", tiffinfo={700: ALL_OF_XMP})
    else:
        path = picture(tmp_path / f"a.{suffix}", xmp=ALL_OF_XMP)
    check_all_of_xmp(read(path), "XMP")


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "A.XMP"])
def test_a_sidecar_gives_every_field(tmp_path, name):
    (tmp_path / name).write_bytes(ALL_OF_XMP)
    check_all_of_xmp(read(picture(tmp_path / "a.jpg")), "sidecar")


@pytest.mark.parametrize(
    ("inside", "position"),
    [
        ("48.5 N 2.25 E", (48.5, 2.25)),
        ("-33.5 - -70.25 -", (-33.5, -70.25)),
        ("33.5 S 70.25 W", (-33.5, -70.25)),
        ("33,30 South 70,15.0 West", (-33.5, -70.25)),
        ("-33.5 S -70.25 W", (-33.5, -70.25)),
        ("33,30S S 70,15W W", (-33.5, -70.25)),
        ("48.5E - 2.25N -", None),
        ("48.5 E 2.25 N", None),
        ("0 N 0 E", None),
        ("0,0.0N - 0,0.0E -", None),
        ("51.5 N 0 E", (51.5, 0)),
    ],
)
def test_a_position_in_xmp_has_its_hemispheres_in_whichever_way(tmp_path, inside, position):
    names = ("Latitude", "LatitudeRef", "Longitude", "LongitudeRef")
    written = "".join(
        f"<exif:GPS{name}>{text}</exif:GPS{name}>"
        for name, text in zip(names, inside.split(), strict=True)
        if text != "-"
    )
    (tmp_path / "a.xmp").write_bytes(packet(written))
    assert read(picture(tmp_path / "a.jpg")).value("position") == position


def test_zeros_that_a_device_wrote_without_a_position_do_not_hide_takeouts(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})
    said = {"photoTakenTime": {"timestamp": "1565612345"}, "geoData": {"latitude": 48.5, "longitude": -70.25}}
    (tmp_path / "a.jpg.json").write_text(json.dumps(said))
    found = read(picture(tmp_path / "a.jpg", exif=exif)).all("position")
    assert found == {(48.5, -70.25): ["Takeout"]}


def test_a_sidecar_of_the_raw_file_is_not_the_jpegs(tmp_path):
    inside = "<photoshop:SidecarForExtension>CR2</photoshop:SidecarForExtension>" + bag("dc:subject", "sea")
    (tmp_path / "a.xmp").write_bytes(packet(inside))
    assert read(picture(tmp_path / "a.jpg")).all("keyword") == {}


def test_xmp_that_does_not_fit_into_one_segment_is_joined(tmp_path):
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    more = packet(bag("dc:subject", *(f"word{number}" for number in range(4000))))
    parts = [(start, more[start : start + 60_000]) for start in range(0, len(more), 60_000)]
    head = b"http://ns.adobe.com/xmp/extension/\x00" + digest + struct.pack(">I", len(more))
    extended = [segment(0xE1, head + struct.pack(">I", start) + part) for start, part in reversed(parts)]
    standard = packet("<xmp:Rating>4</xmp:Rating><!--" + digest.decode() + "-->")
    first = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + standard)
    metadata = read(with_segments(tmp_path / "a.jpg", first, *extended))
    assert len(parts) > 1
    assert metadata.value("rating") == 4
    assert "word499" in metadata.all("keyword")
    # An extension that the standard packet does not name is another photo's.
    assert read(with_segments(tmp_path / "b.jpg", *extended)).all("keyword") == {}


def test_iptc_is_read_in_its_encodings(tmp_path):
    told = iptc(
        ((1, 90), b"\x1b%G"), ((2, 5), b"Sea"), ((2, 120), "Großmutter".encode()), ((2, 25), b"sea"),
        ((2, 25), "Müller".encode()), ((2, 55), b"20190812"), ((2, 60), b"123456+0200"),
    )  # fmt: skip
    metadata = read(with_segments(tmp_path / "a.jpg", told))
    assert metadata.dates == (DateTaken("2019-08-12T12:34:56+02:00", "exact", "IPTC DateCreated"),)
    assert metadata.all("keyword") == {"sea": ["IPTC"], "Müller": ["IPTC"]}
    assert (metadata.value("title"), metadata.value("description")) == ("Sea", "Großmutter")
    old = read(with_segments(tmp_path / "b.jpg", iptc(((2, 25), b"M\xfcller"))))
    assert list(old.all("keyword")) == ["Müller"]


@pytest.mark.parametrize(
    ("escape", "encoding", "word"),
    [
        (b"-B", "iso8859_2", "Łódź, żółw"), (b".L", "iso8859_5", "Москва"), (b"/F", "iso8859_7", "Αθήνα"),
        (b"-M", "iso8859_9", "İğneada"), (b"-H", "iso8859_8", "ירושלים"), (b"-b", "iso8859_15", "Cœur"),
        (b".A", "iso8859_1", "Café Olé"), (b"-A", "cp1252", "“Œuvre”"), (b"?!", "cp1252", "Köln"),
    ],
)  # fmt: skip
def test_iptc_is_read_in_the_character_set_that_it_names(tmp_path, escape, encoding, word):
    block = iptc(((1, 90), b"\x1b" + escape), ((2, 25), word.encode(encoding)), ((2, 25), b"sea"))
    assert list(read(with_segments(tmp_path / "a.jpg", block)).all("keyword")) == [word, "sea"]


def region_without_rectangle(name, kind, area):
    said = f'<rdf:Description mwg-rs:Name="{name}" {kind}><mwg-rs:Area {area}/></rdf:Description>'
    return f"<rdf:li>{said}</rdf:li>"


def test_a_region_without_a_rectangle_names_a_person_all_the_same(tmp_path):
    face = 'mwg-rs:Type="Face"'
    inside = "".join(
        [
            region_without_rectangle("Point", face, 'stArea:x="0.5" stArea:y="0.5"'),
            region_without_rectangle("Circle", face, 'stArea:x="0.5" stArea:y="0.5" stArea:d="0.2"'),
            region_without_rectangle("Untyped", "", 'stArea:x="0.5" stArea:y="0.5"'),
            region_without_rectangle("Code", 'mwg-rs:Type="BarCode"', 'stArea:x="0.5" stArea:y="0.5"'),
            region_without_rectangle(
                "Pixels", face,
                'stArea:x="9" stArea:y="9" stArea:w="4" stArea:h="4" stArea:unit="pixel"',
            ),
        ]
    )  # fmt: skip
    tagged = (
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li'
        ' MPReg:PersonDisplayName="Tagged"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>'
    )
    mwg = (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{inside}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )
    photo = picture(tmp_path / "a.jpg")
    photo.with_name("a.jpg.xmp").write_bytes(packet(mwg + tagged))
    metadata = read(photo)
    assert list(metadata.all("person")) == ["Point", "Circle", "Untyped", "Pixels", "Tagged"]
    assert metadata.regions == ()


def test_iptc_dates_may_be_a_year_or_a_month_only(tmp_path):
    for written, at, certainty in ((b"19740000", "1974", "year"), (b"19740700", "1974-07", "month")):
        metadata = read(with_segments(tmp_path / "a.jpg", iptc(((2, 55), written))))
        assert metadata.taken == DateTaken(at, certainty, "IPTC DateCreated")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2019-08-12T12:34:56+02:00", "2019-08-12T12:34:56+02:00"),
        ("2019:08:12 12:34:56", "2019-08-12T12:34:56"),
        ("Mon, 12 Aug 2019 12:34:56 +0200", "2019-08-12T12:34:56+02:00"),
    ],
)
def test_texts_of_a_png_are_read(tmp_path, written, at):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Creation Time", written)
    texts.add_text("Title", "Sea", zip=True)
    texts.add_itxt("Description", "Großmutter", zip=True)
    texts.add_text("date:modify", "2024-01-01T00:00:00")
    metadata = read(picture(tmp_path / "a.png", pnginfo=texts))
    assert metadata.dates == (DateTaken(at, "exact", "PNG Creation Time"),)
    assert (metadata.value("title"), metadata.value("description")) == ("Sea", "Großmutter")


@pytest.mark.slow
def test_a_compressed_text_that_swells_without_end_is_cut(tmp_path):
    body = b"Title\x00\x00" + zlib.compress(b"a" * 200_000_000)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    content = picture(tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[:33] + chunk + content[33:])
    assert len(read(tmp_path / "a.png").value("title")) <= 5_000


def takeout(**said):
    return json.dumps({"title": "a.jpg", "photoTakenTime": {"timestamp": "1565606096"}, **said})


def test_takeout_gives_date_position_people_and_description(tmp_path):
    (tmp_path / "a.jpg.supplemental-metadata.json").write_text(
        takeout(
            geoData={"latitude": 48.5, "longitude": -70.25, "altitude": 0.0},
            people=[{"name": "Anna"}, {"name": "Ben"}, {}],
            description="Grandma's 80th",
        )
    )
    metadata = read(picture(tmp_path / "a.jpg"))
    assert metadata.taken == DateTaken("2019-08-12T10:34:56+00:00", "exact", "Takeout photoTakenTime")
    assert metadata.value("position") == (48.5, -70.25)
    assert metadata.all("person") == {"Anna": ["Takeout"], "Ben": ["Takeout"]}
    assert metadata.first("description").source == "Takeout"


@pytest.mark.parametrize(
    "said",
    [
        {"geoData": {"latitude": 0.0, "longitude": 0.0}, "photoTakenTime": {"timestamp": "0"}},
        {"geoData": {"latitude": 999, "longitude": "x"}, "photoTakenTime": {"timestamp": "9" * 30}},
        {"geoData": [], "photoTakenTime": [], "people": "Anna", "description": 3},
        {"geoData": {"latitude": float("nan"), "longitude": 1}, "photoTakenTime": {"timestamp": None}},
    ],
)
def test_takeout_that_knows_nothing_says_nothing(tmp_path, said):
    (tmp_path / "a.jpg.json").write_text(takeout(**said))
    metadata = read(picture(tmp_path / "a.jpg"))
    assert metadata.taken is None
    assert metadata.facts == ()


def test_the_date_of_the_last_change_is_not_when_a_photo_was_taken(tmp_path):
    path = picture(tmp_path / "a.jpg", exif=exif_with({}, {MODIFIED: "2019:12:31 23:59:59"}))
    assert read(path).dates == ()


def test_a_digitized_date_counts_where_nobody_knows_better(tmp_path):
    exif = exif_with({DIGITIZED: "2015:03:01 10:00:00"})
    assert read(picture(tmp_path / "a.jpg", exif=exif)).taken.source == "EXIF DateTimeDigitized"
    created = packet("<photoshop:DateCreated>1974</photoshop:DateCreated>")
    scan = read(picture(tmp_path / "b.jpg", exif=exif, xmp=created))
    assert scan.taken == DateTaken("1974", "year", "XMP photoshop:DateCreated")


def test_the_sources_of_dates_are_asked_in_order(tmp_path):
    path = tmp_path / "2010-01-02 Beach" / "IMG_20110304_050607.jpg"
    picture(path)
    expected = ["2011-03-04T05:06:07"]
    assert read(path).taken.at == expected[-1]
    path.with_name(f"{path.name}.json").write_text(takeout())
    expected.append("2019-08-12T10:34:56+00:00")
    assert read(path).taken.at == expected[-1]
    created = packet("<photoshop:DateCreated>2012-01-02</photoshop:DateCreated>")
    picture(path, xmp=created)
    assert read(path).taken.at == "2012-01-02"
    picture(path, xmp=created, exif=exif_with({ORIGINAL: "2013:01:02 03:04:05", OFFSET: "+02:00"}))
    assert read(path).taken.at == "2013-01-02T03:04:05+02:00"
    path.with_name(f"{path.name}.xmp").write_bytes(
        packet("<exif:DateTimeOriginal>2014-01-02T03:04:05</exif:DateTimeOriginal>")
    )
    assert [date.at[:4] for date in read(path).dates] == ["2014", "2013", "2012", "2019", "2011", "2010"]


def test_a_date_that_cannot_be_believed_gives_way_and_is_kept(tmp_path):
    exif = exif_with({ORIGINAL: "2000:01:01 00:00:00"})
    named = read(picture(tmp_path / "IMG-20190812-WA0001.jpg", exif=exif))
    assert named.taken == DateTaken("2019-08-12", "day", "file name")
    assert named.unsure is None
    plain = read(picture(tmp_path / "plain.jpg", exif=exif))
    assert plain.taken is None
    assert plain.unsure == DateTaken("2000-01-01T00:00:00", "unsure", "EXIF DateTimeOriginal")
    hinted = read(picture(tmp_path / "2011-07 Italy" / "a.jpg"))
    assert (hinted.taken, hinted.unsure.at) == (None, "2011-07")


def test_descriptions_that_cameras_write_are_passed_over(tmp_path):
    for number, text in enumerate(
        ("OLYMPUS DIGITAL CAMERA", "SONY DSC", "Exif_JPEG_PICTURE", "   ", "default")
    ):
        path = picture(tmp_path / f"{number}.jpg", exif=exif_with({}, {270: text}))
        assert read(path).value("description") is None
    path = picture(tmp_path / "a.jpg", exif=exif_with({}, {270: "Our digital camera arrives at last!"}))
    assert read(path).value("description") == "Our digital camera arrives at last!"


def test_keywords_of_windows_and_its_rating_are_read(tmp_path):
    words = "sea; Müller;sea".encode("utf-16-le")
    exif = exif_with({}, {0x9C9E: words, 0x9C9B: "Meer".encode("utf-16-le"), 0x4746: 3})
    metadata = read(picture(tmp_path / "a.jpg", exif=exif))
    assert metadata.all("keyword") == {"sea": ["EXIF"], "Müller": ["EXIF"]}
    assert (metadata.value("title"), metadata.value("rating")) == ("Meer", 3)


def test_a_keyword_has_all_its_sources(tmp_path):
    picture(tmp_path / "a.jpg", xmp=packet(bag("dc:subject", "sea", "sun")))
    (tmp_path / "a.jpg.xmp").write_bytes(packet(bag("dc:subject", "sea")))
    assert read(tmp_path / "a.jpg").all("keyword") == {"sea": ["sidecar", "XMP"], "sun": ["XMP"]}


def test_metadata_is_written_down_and_read_back(tmp_path):
    (tmp_path / "a.jpg.xmp").write_bytes(ALL_OF_XMP)
    metadata = read(picture(tmp_path / "a.jpg", exif=exif_with({ORIGINAL: "2000:01:01 00:00:00"})))
    assert Metadata.from_json(metadata.to_json()) == metadata
    sized = Metadata(regions=(Region("Anna", "Face", (0.1, 0.2, 0.3, 0.4), "XMP", (4000.0, 3000.0)),))
    assert Metadata.from_json(sized.to_json()) == sized
    # Earlier versions did not keep what a region was drawn on.
    earlier = sized.to_json().replace(",[4000.0,3000.0]", "")
    assert Metadata.from_json(earlier).regions[0].drawn_on is None


def test_copies_say_together_what_each_of_them_says(tmp_path):
    named = read(picture(tmp_path / "IMG-20190812-WA0001.jpg"))
    (tmp_path / "a.jpg.xmp").write_bytes(packet("<photoshop:DateCreated>2018</photoshop:DateCreated>"))
    told = read(picture(tmp_path / "a.jpg"))
    assert [date.at for date in merged([named, told]).dates] == ["2018", "2019-08-12"]
    assert merged([named]) == named


def test_any_bytes_are_read_or_say_nothing(tmp_path):
    from random import Random

    random = Random(7)
    for suffix, options in (
        ("jpg", {"xmp": ALL_OF_XMP}),
        ("webp", {"xmp": ALL_OF_XMP}),
        ("png", {}),
        ("tiff", {}),
    ):
        content = picture(
            tmp_path / f"a.{suffix}", exif=exif_with({ORIGINAL: "2019:08:12 12:34:56"}), **options
        )
        whole = content.read_bytes()
        for _ in range(60):
            damaged = bytearray(whole)
            for _ in range(random.randint(1, 8)):
                damaged[random.randrange(len(damaged))] = random.randrange(256)
            file = io.BytesIO(bytes(damaged[: random.randint(1, len(damaged))]))
            Metadata.from_json(read_metadata(file, content, now=NOW).to_json())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic"])
def test_what_exiftool_writes_is_read(tmp_path, suffix):
    path = picture(tmp_path / f"a.{suffix}")
    written = [
        "-XMP-exif:DateTimeOriginal=2019:08:12 12:34:56+02:00",
        "-XMP-dc:Subject=sea", "-XMP-dc:Subject=Müller",
        "-XMP-dc:Description=Grandma's 80th", "-XMP-dc:Title=Sea", "-XMP-xmp:Rating=4",
        "-XMP-iptcExt:PersonInImage=Carla", "-XMP-lr:HierarchicalSubject=Places|Nice",
        "-XMP-exif:GPSLatitude=48.5", "-XMP-exif:GPSLongitude=-70.25",
        "-XMP-mwg-rs:RegionInfo={RegionList=[{Name=Anna,Type=Face,Area={X=0.5,Y=0.4,W=0.2,H=0.4,Unit=normalized}}]}",
        "-XMP-MP:RegionInfoMP={Regions=[{PersonDisplayName=Ben,Rectangle=0.1|, 0.2|, 0.3|, 0.4}]}",
    ]  # fmt: skip
    if suffix in ("jpg", "tiff"):
        written += ["-IPTC:Keywords=beach", "-IPTC:CodedCharacterSet=UTF8"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *written, path], check=True)
    metadata = read(path)
    assert metadata.taken.at == "2019-08-12T12:34:56+02:00"
    keywords = ["sea", "Müller", *(["beach"] if suffix in ("jpg", "tiff") else [])]
    assert list(metadata.all("keyword")) == keywords
    assert (metadata.value("title"), metadata.value("description")) == ("Sea", "Grandma's 80th")
    assert metadata.value("rating") == 4
    assert metadata.value("position") == pytest.approx((48.5, -70.25))
    assert list(metadata.all("person")) == ["Carla", "Anna", "Ben"]
    assert list(metadata.all("hierarchy")) == ["Places/Nice"]
    assert [(region.name, region.box) for region in metadata.regions] == [
        ("Anna", (0.4, 0.2, 0.2, 0.4)),
        ("Ben", (0.1, 0.2, 0.3, 0.4)),
    ]
