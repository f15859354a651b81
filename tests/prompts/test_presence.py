"""Whether nothing is asked but whether somebody is there is told in many wordings, and not said of others."""

import time

import pytest

from photopal.prompts.templates import RECOGNITION_TEMPLATES, is_recognition_question

ASKED = """
Is Rex there too?
Was Rex with us?
Were Rex and Anna with us that day?
Has Rex turned up?
Tell me whether Rex is in the picture
Does Rex feature in this picture?
Is Rex somewhere in this shot?
Could that be Rex?
Is one of these people Anna?
Do we have Rex in this one?
Did we get Anna?
Any sign of Rex?
Anna here?
Is Rex present?
Can you spot Anna and Rex?
So, is Rex in there?
Do you think that Rex is here?
Is Rex pictured?
Are Rex and Anna in the frame?
I wonder if Rex is on this one.
Is that Anna?
Is it Rex in this photo?
Do you see Rex in the photo?
Did I capture Rex here?
Was Anna photographed here?
Is there a picture of Rex?
Can Rex be found in this picture?
I'm looking for Rex. Is this the right photo?
Look closely, is Anna in it?
Was Anna there when I took this?
Anna is on the photo?
Would you say Rex can be seen?
Is it possible that Rex came with us?
Does this picture show Rex?
Is this person Anna?
Is that dog Rex?
Isn't that Rex?
Isn't this a photo of Rex?
Is Rex in this selfie?
Is Rex in our group photo?
Is Anna in this family picture?
Does this selfie show Anna?
Is our dog Rex in this photo?
Are our dog Rex and my friend Anna here?
Is that our Rex?
Is her dog Rex in the picture?
Is the little dog Rex there?
Can you see my little sister Anna?
Is Rex here, yes or no?
Is Rex in this photo? Answer yes or no.
Is Rex here? Please answer with yes or no only.
Is Rex in this picture? (yes/no)
Did Rex come?
Is this Anna's face?
Is this a portrait of Anna?
Is Anna in this portrait?
Hi there, is Anna here?
In this photo, can you see Anna?
If you look closely: is that Rex?
Rex in this picture??
"""

NOT_ASKED = """
Is Rex alone?
Is Rex asleep here?
Is Rex in Paris?
Is Rex on the bench?
Was Rex there before?
Is Rex with Anna?
Does Rex show teeth?
Can you see Rex's tail?
Is that Rex's ball?
Did Rex come second?
Is Rex around the corner?
Is it Rex who is running?
Did you photograph Rex running?
Is Rex or Anna here?
Is Rex there alone?
Isn't Rex there?
Is Rex in front of Anna?
Is there a photo of Rex in Paris?
Is Rex happy here?
Have you seen Rex run?
Did Rex join the army?
Is one of them Rex's mother?
Where is Rex?
Is Rex here twice?
Is nobody but Rex here?
Is Rex taking this photo?
Did Rex take this picture?
Is Rex missing?
Is Rex the one in the middle?
Is Rex there without Anna?
Rex is in this photo.
When was Rex here?
Is this person Anna's mother?
Is that dog with Rex?
Isn't that Rex asleep?
Isn't that Rex's ball?
Isn't Rex in it?
Is this a selfie of Anna?
Is this a group photo with Anna?
Is this our wedding photo with Anna?
Is our dog like Rex?
Is our dog with Rex?
Is that our Rex's ball?
Is our dog Rex asleep here?
Is Rex here, yes or no, and what is he doing?
Is Rex here? Answer yes or no and say where.
Did Rex come home?
Did Rex come first?
Is Rex in the background?
Is Rex in the foreground of this photo?
Is Anna's face visible?
Can you see Anna's face?
Is this Anna's face cream?
Is this a good portrait of Anna?
Is Anna in my other photo?
On the left, is that Rex?
In the mirror, can you see Anna?
The one with the hat, is that Anna?
Asleep, was Rex photographed?
Will Rex be there?
Can Rex come along?
Can I photograph Rex?
"""


def lines(text):
    return text.strip().splitlines()


@pytest.mark.parametrize(
    "question", [*lines(ASKED), *(one.format(name="Rex") for one in RECOGNITION_TEMPLATES)]
)
def test_whether_somebody_is_there_is_asked_in_many_wordings(question):
    assert is_recognition_question(question, ["Rex", "Anna"])
    assert is_recognition_question(question.lower(), ["Rex", "Anna"])


@pytest.mark.parametrize("question", lines(NOT_ASKED))
def test_what_asks_for_more_or_for_something_else_is_not_decided_by_who_is_there(question):
    assert not is_recognition_question(question, ["Rex", "Anna"])


@pytest.mark.parametrize("question", ["so" + "!" * 40_000 + "is Rex", "Rex here" + "?" * 2_000 + "x"])
def test_a_question_as_long_as_a_book_is_told_at_once(question):
    started = time.process_time()
    assert not is_recognition_question(question, ["Rex"])
    assert time.process_time() - started < 3
