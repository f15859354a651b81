"""A photo library whose every fact is written down here, and filters that know nothing of photopal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

CANON, IPHONE = "Canon EOS R6", "Apple iPhone 13"

PLACES = {
    "Berlin": ("Berlin, Land Berlin, Germany", 52.52, 13.405),
    "Paris": ("Paris, Île-de-France, France", 48.857, 2.352),
    "Lisbon": ("Lisbon, Lisbon District, Portugal", 38.722, -9.139),
    "Nara": ("Nara, Nara Prefecture, Japan", 34.685, 135.805),
    "St. Moritz": ("St. Moritz, Grisons, Switzerland", 46.498, 9.839),
    "Düsseldorf": ("Düsseldorf, North Rhine-Westphalia, Germany", 51.228, 6.773),
}
GERMANY = ("Berlin", "Düsseldorf")

# Name: kind, and what is said about them.
CONCEPTS = {
    "Anna": ("person", "a woman with long brown hair"),
    "Ben": ("person", "a man with a beard"),
    "Mia": ("person", "a little girl"),
    "Zoë": ("person", None),
    "小明": ("person", None),
    "Paris": ("person", None),
    "May": ("person", None),
    "Will": ("person", None),
    "Rose": ("person", None),
    "Summer": ("person", None),
    "Rex": ("pet", "a small brown dog"),
    "Luna": ("pet", "a grey cat"),
    "Bobo": ("thing", "a teddy bear"),
}
PEOPLE = frozenset(name for name, (kind, _) in CONCEPTS.items() if kind == "person")
PETS = frozenset(name for name, (kind, _) in CONCEPTS.items() if kind == "pet")


@dataclass(frozen=True, kw_only=True)
class Known:
    """A photo of the album.

    Attributes:
        number: Its number in the album.
        taken: When it was taken; None where nobody knows.
        place: A key of `PLACES`.
        camera: Make and model.
        names: The concepts it shows.
        caption: None where neither a model nor the user has said anything.
        by_hand: Whether the user wrote the caption.
        file: Folder and name of its file.
    """

    number: int
    taken: datetime | None
    place: str | None
    camera: str | None
    names: frozenset[str]
    caption: str | None
    by_hand: bool = False
    file: str

    @property
    def day(self) -> date | None:
        """The day it was taken."""
        return self.taken.date() if self.taken else None

    @property
    def year(self) -> int | None:
        """The year it was taken."""
        return self.taken.year if self.taken else None

    @property
    def month(self) -> int | None:
        """The month it was taken, 1 to 12."""
        return self.taken.month if self.taken else None

    def says(self, *words: str) -> bool:
        """Tell whether the caption has one of these texts, in either case."""
        return any(word.lower() in (self.caption or "").lower() for word in words)


_ROWS = """
1|2019-07-14T10:20:00|Berlin|C|Anna|Anna sits by the river with a straw hat.
2|2019-07-14T18:05:00|Berlin|C|Anna,Ben|Anna and Ben eat ice cream in the park.
3|2019-12-24T19:00:00|Berlin|C|Anna,Ben,Mia|Anna, Ben and Mia decorate the Christmas tree.
4|2019-12-25T11:30:00|Berlin|C|Mia|Mia opens a present.
5|2019-10-31T17:45:00|Berlin||Ben|Ben carves a pumpkin.
6|2020-02-08T14:00:00|St. Moritz|C|Ben|Ben skis down a snowy slope.
7|2020-02-09T09:15:00|St. Moritz|C||Snow on the mountains at sunrise.
8|2020-05-17T15:30:00|Berlin|I|Anna,Rex|Anna throws a ball to Rex the dog in the garden.
9|2020-05-17T16:45:00|Berlin|I|Rex|Rex the dog catches a red ball.
10|2020-08-03T12:00:00|Lisbon|I|Anna,Ben|Anna and Ben ride bikes at the beach.
11|2020-08-03T12:40:00|Lisbon|I|Ben|Ben is riding a bike at the beach.
12|2020-08-05T20:10:00|Lisbon|I||A yellow tram climbs a steep street.
13|2020-11-21T16:00:00||I|Luna|Luna the cat sleeps on a blue sofa.
14|2021-01-01T00:10:00|Berlin|I|Anna,Ben,Will|Anna, Ben and Will watch fireworks.
15|2021-03-20T13:00:00|Berlin|I|Mia|Mia blows out the candles on a birthday cake.
16|2021-03-20T13:20:00|Berlin|I|Anna,Mia|Mia and Anna cut the birthday cake.
17|2021-05-02T10:00:00|Paris|I|May|May stands in front of the Eiffel Tower.
18|2021-05-03T11:00:00|Paris|I|May,Will|May and Will drink coffee at a café.
19|2021-07-10T15:00:00|Lisbon|C|Rose|Rose swims in the sea.
20|2021-07-10T16:00:00|Lisbon|C||A red rose in a vase on a table.
21|2021-09-25T10:00:00||C||2021北京旅行的天安门广场
22|2021-10-02T09:00:00|Nara|C||奈良の鹿と五重塔
23|2021-10-02T09:30:00|Nara|C|Ben|Ben feeds a deer in the park.
24|2021-10-03T10:00:00|Nara|C|小明|小明在公园喂鹿
25|2021-12-24T18:30:00|Berlin|I|Anna,Mia,Rex|Anna, Mia and Rex the dog sit beside the Christmas tree.
26|2022-02-14T17:00:00|Paris|I|Anna,Ben|Anna and Ben kiss under an umbrella.
27|2022-04-17T10:30:00|Berlin|I|Mia|Mia finds Easter eggs in the garden.
28|2022-06-25T14:00:00|Düsseldorf|C|Paris|Paris plays the guitar on a stage.
29|2022-06-25T14:30:00|Düsseldorf|C|Paris,Summer|Paris and Summer sing together.
30|2022-07-21T12:00:00|Lisbon|C|Zoë|Zoë surfs a big wave.
31|2022-07-22T12:00:00|Lisbon|C|Anna,Zoë|Zoë and Anna build a sandcastle.
32|2022-08-15T10:00:00||I|Rex|Rex the dog jumps into the lake.
33|2022-08-15T10:00:01||I|Rex|Rex the dog jumps into the lake.
34|2022-08-15T10:00:02||I|Rex|Rex the dog jumps into the lake.
35|2022-12-25T19:00:00|Berlin|I|Anna,Ben,Mia,Will|Anna, Ben, Mia and Will eat dinner.
36|2023-01-15T11:00:00|Berlin|C|Summer|Summer builds a snowman.
37|2023-03-28T17:00:00|Berlin|C||Große Straße im Regen.
38|2023-05-14T15:00:00|Berlin|I|Anna,Rose|Rose and Anna plant tomatoes.
39|2023-07-04T22:00:00|Paris|I|Will|Will leans on a bridge at night.
40|2023-07-05T08:30:00|Paris|||A plate of croissants.
41|2023-08-20T16:00:00|Lisbon|C|Ben,Zoë|Ben and Zoë play volleyball at the beach.
42|2023-09-30T09:00:00|Berlin|C|Luna|Luna the cat hides in a box.
43|2023-10-31T18:00:00|Berlin|I|Mia,Rex|Mia wears a witch costume beside Rex the dog.
44|2023-12-31T23:50:00|Lisbon|I|Anna,Zoë|Anna and Zoë dance at a party 🎉.
45|2024-02-29T08:00:00|Berlin|C|Ben|Ben reads a newspaper.
46|2024-04-11T13:00:00|Paris|C|Anna|Anna feeds the pigeons.
47|2024-09-15T12:00:00|Nara|I|May|May walks through a red gate.
48|2024-07-19T10:00:00|Düsseldorf|I||Grüße aus Düsseldorf auf einer Postkarte.|hand
49|2024-08-08T19:00:00||C|Anna,Luna|Anna holds Luna the cat.
50|2024-11-03T14:00:00|Berlin|I|Mia|Mia rides a horse.
51|2024-12-24T20:00:00|Berlin|I|Anna,Ben,Mia,Zoë|Anna, Ben, Mia and Zoë sing at the piano.
52||||Ben|Ben as a boy on a swing.|hand
53|||||An old stone church.
54||Berlin|C|Rose|Rose holds a trophy.
55||||Anna|Anna in a school uniform.|hand
56|2023-11-11T11:11:00|Berlin|I||
57||||||
58|2020-10-10T10:00:00|Lisbon|C||A stray dog on the steps.
59|2024-03-23T16:00:00||I|Mia,Bobo|Mia hugs Bobo the teddy bear.
60|2019-08-30T12:00:00|Lisbon|C|Bobo|Bobo the teddy bear lies on a towel.
61|2022-10-09T12:00:00||C||대한민국 여행 사진
"""


def _known(row: str) -> Known:
    number, taken, place, camera, names, caption, *rest = row.split("|")
    return Known(
        number=int(number),
        taken=datetime.fromisoformat(taken) if taken else None,
        place=place or None,
        camera={"C": CANON, "I": IPHONE, "": None}[camera],
        names=frozenset(names.split(",")) - {""},
        caption=caption or None,
        by_hand=rest == ["hand"],
        file=f"album/p{int(number):03d}.jpg",
    )


ALBUM: tuple[Known, ...] = tuple(_known(row) for row in _ROWS.strip().splitlines())
"""Every photo, by number from 1."""


def photos(fits: Callable[[Known], bool]) -> list[Known]:
    """Return the photos of the album that fit, by number."""
    return [photo for photo in ALBUM if fits(photo)]


def shows(*names: str) -> Callable[[Known], bool]:
    """Tell of a photo whether all of these are in it."""
    return lambda photo: set(names) <= photo.names
