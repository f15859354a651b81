"""What a run of tuning is told, and what it tells of itself; knows no rows and no model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TuneOptions:
    """Settings of the joint run; learning rate, weight decay and epochs as the authors have them.

    Attributes:
        epochs: Most passes over the photos.
        learning_rate: Of AdamW, falling to a tenth along a cosine. Ten times this comes to the same in fewer
            passes, but the rows forget what no question of tuning asks for, such as where somebody is.
        weight_decay: Of AdamW.
        batch_photos: Photos an update.
        patience: Epochs without a better validation after which the run ends.
        validation_share: Share of each concept's photos held out; at least one of three or more. Of a concept
            with fewer none is, and its training photos validate too.
        mirror_share: How often a photo is shown with left and right exchanged.
        variants: How many different sets of questions are made for each photo.
        tokens: Soft tokens a concept is registered with before it is tuned.
        seed: Drives everything random.
    """

    epochs: int = 15
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    batch_photos: int = 4
    patience: int = 4
    validation_share: float = 0.2
    mirror_share: float = 0.5
    variants: int = 4
    tokens: int = 16
    seed: int = 0


@dataclass(frozen=True)
class Validation:
    """How the rows do on held-out reference photos.

    Attributes:
        loss: Mean cross-entropy of answer tokens.
        accuracy: Mean of the recall of Yes and the recall of No; nan without such questions.
        questions: How many recognition questions were asked.
    """

    loss: float
    accuracy: float
    questions: int


@dataclass(frozen=True)
class TuningProgress:
    """One epoch, as it is reported.

    Attributes:
        epoch: From 1; 0 is before the first update.
        epochs: Most there may be.
        loss: Mean training loss of the epoch; nan for epoch 0.
        validation: On held-out photos.
        is_best: Whether these rows are the best so far.
    """

    epoch: int
    epochs: int
    loss: float
    validation: Validation
    is_best: bool


@dataclass(frozen=True)
class TuningReport:
    """What came of a run.

    Attributes:
        before: Validation of the registered rows.
        after: Validation of the rows that were kept.
        best_epoch: The epoch they come from; 0 if tuning did not help.
        epochs: Epochs that were run.
        steps: Updates.
        photos: Training photos.
        validation_photos: Held-out photos, and those that validate for want of any.
        seconds: Wall time.
        was_interrupted: Whether the user ended it.
    """

    before: Validation
    after: Validation
    best_epoch: int
    epochs: int
    steps: int
    photos: int
    validation_photos: int
    seconds: float
    was_interrupted: bool


def rank(validation: Validation) -> tuple[float, float]:
    """What makes one validation better than another: accuracy first, then loss."""
    accuracy = validation.accuracy if validation.accuracy == validation.accuracy else 0.0
    return (round(accuracy, 3), -validation.loss)
