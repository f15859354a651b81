"""How much of everything a report measures and what it may cost; knows no experiment's ways.

The budgets are CPU seconds, estimated from single runs and rounded up. An experiment that has spent
its budget leaves its remaining runs out, and the page says how many; runs come in such an order that what
is left out is left out of every seed alike. With two workers the reports of two models take less than 75
minutes together; a larger budget goes on from there, up to all scenarios of the plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from photopal.lab.datasets.drawn_dataset import DrawnOptions
from photopal.tuning import TuneOptions

VERSION = 13
"""Part of where results are kept; one more whenever a change of the code makes runs come out otherwise."""


@dataclass(frozen=True)
class Share:
    """How many scenarios of each seed an experiment takes, and its budget in CPU seconds."""

    plain: int
    lookalike: int
    budget_s: float


@dataclass(frozen=True)
class Plan:
    """One size of report.

    Attributes:
        name: What it is called.
        seeds: Each draws scenarios of its own.
        drawn: What is drawn for each seed.
        epochs: Most passes of tuning over the photos.
        word_epochs: The same where tuning starts from words.
        variants: Sets of questions for each photo.
        long_epochs: Passes of the experiment that follows tuning over time.
        tokens: The numbers of soft tokens tried.
        photos: The numbers of photos tried.
        crowd: The numbers of registered concepts tried.
        crowd_photos: Test photos of each concept of the crowd.
        crowd_epochs: Passes of tuning the whole crowd.
        order_epochs: Passes of tuning with either order of photo and concepts.
        shares: What each experiment takes.
        margin_s: Processor seconds for drawing photos, loading the model and writing.
    """

    name: str
    seeds: tuple[int, ...]
    drawn: DrawnOptions
    epochs: int
    variants: int
    long_epochs: int
    tokens: tuple[int, ...]
    photos: tuple[int, ...]
    crowd: tuple[int, ...]
    crowd_photos: int
    crowd_epochs: int
    order_epochs: int = 2
    word_epochs: int = 10
    shares: Mapping[str, Share] = field(default_factory=dict)
    margin_s: float = 160.0

    @property
    def budget_s(self) -> float:
        """Processor seconds of everything."""
        return sum(share.budget_s for share in self.shares.values()) + self.margin_s

    def scaled(self, factor: float) -> Plan:
        """The same with budgets multiplied by a factor."""
        shares = {
            name: replace(share, budget_s=factor * share.budget_s) for name, share in self.shares.items()
        }
        return replace(self, shares=shares, margin_s=factor * self.margin_s)

    def key(self, fingerprint: str, *, dtype: str, device: str) -> str:
        """Names the folder of kept results: whatever makes a run come out otherwise gives another folder.

        What only bounds the amount, such as budgets and how many scenarios an experiment takes, does not.

        Args:
            fingerprint: Of the model.
            dtype: The number format it computes in.
            device: The type of device it computes on.
        """
        settings = asdict(self)
        del settings["shares"], settings["margin_s"], settings["name"], settings["seeds"]
        tuning = asdict(self.tune(0))
        facts = (VERSION, fingerprint, dtype, device, sorted(settings.items()), sorted(tuning.items()))
        digest = hashlib.blake2b(repr(facts).encode(), digest_size=6)
        return f"{self.name}-{digest.hexdigest()}"

    def tune(self, seed: int) -> TuneOptions:
        """Settings of tuning: those of the product but for the number of passes."""
        return TuneOptions(
            epochs=self.epochs,
            word_epochs=self.word_epochs,
            patience=self.epochs,
            variants=self.variants,
            seed=seed,
        )


FULL = Plan(
    name="full",
    seeds=(0, 1, 2),
    drawn=DrawnOptions(scenarios=22, lookalikes=8, near_duplicates=2),
    epochs=4,
    variants=2,
    long_epochs=12,
    tokens=(1, 2, 4, 8, 16, 32),
    photos=(1, 3, 5, 10),
    crowd=(2, 4, 8, 16, 32, 64),
    crowd_photos=2,
    crowd_epochs=1,
    shares={
        "claims": Share(20, 4, 1700),
        "joint": Share(3, 6, 800),
        "initialization": Share(2, 0, 190),
        "tokens": Share(2, 0, 200),
        "photos": Share(3, 0, 220),
        "many": Share(1, 0, 400),
        "ablations": Share(2, 0, 200),
        "order": Share(1, 0, 100),
        "adding": Share(2, 0, 120),
        "errors": Share(3, 0, 100),
        "siblings": Share(6, 0, 240),
    },
)

QUICK = Plan(
    name="quick",
    seeds=(0,),
    drawn=DrawnOptions(scenarios=2, lookalikes=1, train=3, test=1, multi=1, negatives=6, near_duplicates=1),
    epochs=1,
    variants=1,
    long_epochs=2,
    tokens=(1, 16),
    photos=(1, 3),
    crowd=(2, 4),
    crowd_photos=1,
    crowd_epochs=1,
    order_epochs=1,
    word_epochs=1,
    shares={
        "claims": Share(1, 1, 100),
        "joint": Share(1, 1, 70),
        "initialization": Share(1, 0, 30),
        "tokens": Share(1, 0, 30),
        "photos": Share(1, 0, 30),
        "many": Share(1, 0, 40),
        "ablations": Share(1, 0, 60),
        "order": Share(1, 0, 40),
        "adding": Share(1, 0, 30),
        "errors": Share(1, 0, 40),
        "siblings": Share(1, 0, 30),
    },
    margin_s=60.0,
)
