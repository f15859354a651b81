"""How concepts, marks and questions are put into words."""

import pytest

from photopal.prompts import PromptConcept, build_prompt, concept_block, write_names


def test_a_block_introduces_everyone_and_says_where_the_marked_are():
    assert concept_block([PromptConcept(2), PromptConcept(1, mark=1)]) == (
        "<|name:0|> is <|token:0:0|><|token:0:1|>. <|name:1|> is <|token:1:0|>. "
        "<|name:1|> is located at 'Mark Number 1'."
    )


def test_soft_tokens_of_an_inline_concept_follow_its_name_in_the_question():
    inline = PromptConcept(2, is_inline=True)
    named = "<|name:0|><|token:0:0|><|token:0:1|>"
    assert build_prompt("Is <|name:0|> here?", [inline]).user == f"Is {named} here?"
    both = build_prompt("Is <|name:0|> here?", [inline, PromptConcept(1)])
    assert both.user == f"<|name:1|> is <|token:1:0|>. Is {named} here?"
    marked = PromptConcept(2, mark=1, is_inline=True)
    assert build_prompt("What is <|name:0|> doing?", [marked]).user == (
        f"{named} is located at 'Mark Number 1'. What is {named} doing?"
    )


def test_an_inline_concept_that_no_question_names_is_introduced_like_others():
    inline = PromptConcept(1, is_inline=True)
    assert build_prompt("Who?", [inline]) == build_prompt("Who?", [PromptConcept(1)])


def test_the_block_stands_behind_the_photo_or_before_it():
    block = concept_block([PromptConcept(1)])
    assert build_prompt("Who?", [PromptConcept(1)]).user == f"{block} Who?"
    first = build_prompt("Who?", [PromptConcept(1)], order="system-first")
    assert (first.system, first.user) == (block, "Who?")


def test_a_question_without_concepts_stays_as_it_is():
    assert build_prompt("Who?").user == "Who?"
    assert build_prompt("Who?").system is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Is Anna here?", "Is <|name:1|> here?"),
        ("anna's dog", "<|name:1|>'s dog"),
        ("Anna Maria and Anna", "<|name:2|> and <|name:1|>"),
        ("Alex and Annabel", "Alex and Annabel"),
        ("A plus A", "<|name:0|> plus <|name:0|>"),
        ("(Anna)", "(<|name:1|>)"),
        ("Zoe\u0308!", "<|name:3|>!"),
        ("C++ (x)", "<|name:4|> (x)"),
    ],
)
def test_whole_names_become_placeholders(text, written):
    assert write_names(text, ["A", "Anna", "Anna Maria", "Zoë", "C++"]) == written


def test_without_names_a_text_stays_as_it_is():
    assert write_names("Is Anna here?", []) == "Is Anna here?"
