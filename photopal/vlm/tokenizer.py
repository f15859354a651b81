"""Turns prompts into model ids and ids into text; knows the tokenizer and the chat template, not the network.

The tokenizer learns the concept placeholders as added tokens. Its ids for them may collide with padding rows
of the embedding, so they are renumbered at once to model ids, which begin after the base vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from jinja2 import TemplateError
from tokenizers import AddedToken
from torch import Tensor

from photopal.errors import ModelError
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.placeholders import NAME_PATTERN, SLOTS, all_placeholders
from photopal.vlm.protocol import ChatPrompt, PhotoFeatures

# How models begin and end what they think before they answer.
_THOUGHTS = {
    "<think>": "</think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|channel>thought": "<channel|>",
}
# What some write around an answer.
_WRAPPERS = re.compile(r"</?answer>|<\|(?:begin|end)_of_box\|>")
_OPENING = "([{<«“‘„‚¿¡/-–—"
_QUOTES = "\"'"


class PromptCoder:
    """Encodes and decodes for one checkpoint; adds the placeholders to that checkpoint's tokenizer."""

    def __init__(self, checkpoint: Checkpoint, vocab_size: int) -> None:
        """Take over a checkpoint's tokenizer, whose ids end before `vocab_size`."""
        self._tokenizer = checkpoint.tokenizer
        self._template = checkpoint.chat_template
        self._start = checkpoint.prompt_start
        self._image_token = checkpoint.image_token
        self._image_token_id = checkpoint.image_token_id
        self._vocab_size = vocab_size
        self._base_size = len(checkpoint.tokenizer)
        if self._base_size > vocab_size:
            raise ModelError(
                f"{checkpoint.folder.name}: {vocab_size} tokens in the model, "
                f"{self._base_size} in the tokenizer",
                hint="Files of two models may be mixed up; download the model again.",
            )
        placeholders = all_placeholders()
        specials = checkpoint.tokenizer.all_special_tokens
        self._control_pattern = re.compile(
            "|".join(re.escape(s) for s in {*specials, checkpoint.image_token})
        )
        self._tokenizer.add_tokens(
            [AddedToken(text, lstrip=True, normalized=False, special=False) for text in placeholders]
        )
        ids = self._tokenizer.convert_tokens_to_ids(placeholders)
        self._to_model = {id_: vocab_size + order for order, id_ in enumerate(ids)}
        self._to_tokenizer = {model_id: id_ for id_, model_id in self._to_model.items()}
        self._end_ids = _end_ids(checkpoint)

    @property
    def end_ids(self) -> frozenset[int]:
        """The ids that end an answer."""
        return self._end_ids

    def prompt_ids(self, prompt: ChatPrompt, features: PhotoFeatures | None) -> Tensor:
        """Model ids of a prompt, ready for the answer to follow.

        Args:
            prompt: The question.
            features: The photo, where the prompt has one.

        Returns:
            `[tokens]` int64 on the CPU.

        Raises:
            ValueError: The prompt has a photo and no features are given.
            ModelError: The chat template has no place for a photo.
        """
        if prompt.has_image and features is None:
            raise ValueError("the prompt has a photo but no features are given")
        text = self.render(prompt)
        if prompt.has_image and features is not None:
            if text.count(self._image_token) != 1:
                raise ModelError(
                    f"the model's chat template does not put {self._image_token} where the photo goes",
                    hint="Choose a vision-language chat model.",
                )
            image_text = features.image_text or self._image_token * features.tokens.shape[0]
            text = text.replace(self._image_token, image_text)
        return torch.tensor(self._ids(text), dtype=torch.int64)

    def answer_ids(self, text: str, *, has_image: bool = True) -> Tensor:
        """Model ids of an answer with its end-of-turn token, as the chat template writes them.

        Args:
            text: The answer; may hold concept placeholders.
            has_image: Whether the conversation has a photo.

        Returns:
            `[tokens]` int64 on the CPU.
        """
        question = ChatPrompt("?", has_image=has_image)
        before, whole = self.render(question), self.render(question, answer=text)
        if whole.startswith(before):
            before_ids, whole_ids = self._ids(before), self._ids(whole)
            is_prefix = whole_ids[: len(before_ids)] == before_ids
            rest = whole[len(before) :]
            ids = whole_ids[len(before_ids) :] if is_prefix else self._ids(rest, is_start=False)
        else:
            words = self._as_words(text).strip()
            ids = self._ids(words + whole.rpartition(words)[2], is_start=False)
        ends = [index for index, id_ in enumerate(ids) if id_ in self._end_ids]
        ids = ids[: ends[0] + 1] if ends else [*ids, min(self._end_ids)]
        return torch.tensor(ids, dtype=torch.int64)

    def decode(self, ids: Tensor | Sequence[int], names: Sequence[str] = ()) -> str:
        """Text of model ids: control tokens and padding rows left out, identifiers written as names.

        Args:
            ids: `[tokens]` model ids.
            names: The names by slot; an identifier beyond them is left out.

        Returns:
            The text, with the spaces at its ends as the tokens say.
        """
        # Padding rows of the embedding and soft tokens have no text; identifiers come back as placeholders.
        names_end = self._vocab_size + SLOTS
        written = [int(i) for i in ids if i < self._base_size or self._vocab_size <= i < names_end]
        plain = [self._to_tokenizer.get(id_, id_) for id_ in written]
        text = self._tokenizer.decode(plain, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return put_names(text, names)

    def _ids(self, text: str, *, is_start: bool = True) -> list[int]:
        bos = self._tokenizer.bos_token
        has_specials = is_start and not (bos and text.startswith(bos))
        ids = self._tokenizer(text, add_special_tokens=has_specials)["input_ids"]
        return [self._to_model.get(id_, id_) for id_ in ids]

    def render(self, prompt: ChatPrompt, *, answer: str | None = None) -> str:
        """What the chat template writes for a prompt, behind any thought; with its answer, if given."""
        messages = self._messages(prompt, prompt.system, prompt.user, answer)
        try:
            return self._apply(messages, is_open=answer is None)
        except TemplateError:
            if prompt.system is None:
                raise
        messages = self._messages(prompt, None, f"{prompt.system}\n{prompt.user}", answer)
        return self._apply(messages, is_open=answer is None)

    def _messages(
        self, prompt: ChatPrompt, system: str | None, user: str, answer: str | None
    ) -> list[dict[str, Any]]:
        words = {"type": "text", "text": self._as_words(user)}
        content: list[dict[str, str]] = [words]
        if prompt.has_image:
            content = [{"type": "image"}, words] if prompt.is_image_first else [words, {"type": "image"}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if system is not None:
            content = [{"type": "text", "text": self._as_words(system)}]
            messages.insert(0, {"role": "system", "content": content})
        if answer is not None:
            content = [{"type": "text", "text": self._as_words(answer)}]
            messages.append({"role": "assistant", "content": content})
        return messages

    def _apply(self, messages: list[dict[str, Any]], *, is_open: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages,
            chat_template=self._template,
            tokenize=False,
            add_generation_prompt=is_open,
            enable_thinking=False,
        )
        text = text if text.startswith(self._start) else self._start + text
        # A thought takes more tokens than an answer has, and Yes or No is wanted, not what leads there.
        for begin, end in _THOUGHTS.items():
            if is_open and text.rstrip().endswith(begin):
                return f"{text.rstrip()}\n\n{end}\n\n"
        return text

    def _as_words(self, text: str) -> str:
        """Break control tokens that someone typed, so that they are read as words."""
        return self._control_pattern.sub(lambda match: match[0][0] + " " + match[0][1:], text)


def strip_thought(text: str) -> str:
    """What a model says without what it thinks before; nothing while it still thinks."""
    for begin, end in _THOUGHTS.items():
        _, found, answer = text.rpartition(end)
        if found:
            text = answer
        elif text.lstrip().startswith(begin):
            return ""
    return _WRAPPERS.sub("", text)


def put_names(text: str, names: Sequence[str]) -> str:
    """Write names for the identifier placeholders, with a space before them where one belongs.

    Args:
        text: Decoded text with placeholders.
        names: The names by slot; a placeholder beyond them is left out. A name is never read again, so one
            that looks like a placeholder stays as it is.

    Returns:
        The text with names.
    """
    written: list[str] = []
    end = 0
    for match in NAME_PATTERN.finditer(text):
        written.append(text[end : match.start()])
        end = match.end()
        slot = int(match[1])
        if slot < len(names):
            before = "".join(written)
            written.append((" " if _needs_space(before) else "") + names[slot])
    written.append(text[end:])
    return "".join(written)


def _needs_space(before: str) -> bool:
    if not before or before[-1].isspace() or before[-1] in _OPENING:
        return False
    if before[-1] in _QUOTES:
        return not (len(before) == 1 or before[-2].isspace() or before[-2] in _OPENING)
    return True


def _end_ids(checkpoint: Checkpoint) -> frozenset[int]:
    ends = checkpoint.model.generation_config.eos_token_id
    ids = set(ends if isinstance(ends, list) else [ends]) | {checkpoint.tokenizer.eos_token_id}
    ids.discard(None)
    if not ids:
        raise ModelError(
            f"{checkpoint.folder.name}: the model has no end-of-answer token",
            hint="Set eos_token_id in its generation_config.json.",
        )
    return frozenset(ids)
