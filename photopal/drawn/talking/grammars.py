"""How everything that is asked about drawn photos may be phrased; knows no answers."""

from __future__ import annotations

CAPTION = (
    "Describe [this|the] [photo|picture|image].",
    "What is [happening|going on] [in this [photo|picture|image]|here]?",
    "[Write|Give me|Make|Suggest] a caption [for this [photo|picture|image]|].",
    "Tell me what [you see|is in this photo|this picture shows].",
    "What [do you see|can you see|is to be seen] [in this [photo|picture|image]|here]?",
    "Caption this [photo|picture|image|shot].",
    "What does this [photo|picture|image] show?",
)
SHORT_CAPTION = (
    "[Write|Give me] a [short|brief] caption [for this [photo|picture]|].",
    "[Describe|Caption] this [photo|picture|image] [briefly|in a few words].",
    "Give this [photo|picture] a title.",
)
FULL_CAPTION = (
    "Describe this [photo|picture|image] in detail.",
    "[Write|Give me] a [long|detailed|full] [description|caption] [of this [photo|picture]|].",
    "Tell me everything [you see|about this [photo|picture]].",
)
RECOGNITION = (
    "Is {name} [in|on] [this|the] [photo|picture|image|shot]?",
    "[Can|Do] you [see|spot|find|recognise] {name} [here|in this [photo|picture|image]|]?",
    "Does this [photo|picture|image] show {name}?",
    "Is {name} [here|there|to be seen|visible] [in this [photo|picture]|]?",
    "[Is this|Do you think this is] [a [photo|picture] of |]{name}?",
    "[Please tell|Tell] me [whether|if] {name} is in [this|the] [photo|picture].",
    "Can {name} be [seen|found] [here|in this [photo|picture|image]]?",
)
WHO = (
    "Who is [this|that|here|there|in this [photo|picture|image]|on this [photo|picture]]?",
    "Who can [you|one] see [here|in this [photo|picture]|]?",
    "Whom do you [recognise|know|see] [here|in this [photo|picture]|]?",
    "[Name|List] [everybody|everyone|all] [you know|in this [photo|picture]|you recognise].",
    "Who [appears|is shown|can be seen] [here|in this [photo|picture]]?",
    "Which [names|people and pets] do you recognise?",
)
ANYBODY = (
    "Is [anybody|anyone|somebody|someone] I know [here|in this [photo|picture]]?",
    "Do you [recognise|know] [anybody|anyone] [here|in this [photo|picture]|]?",
)
PLACE = (
    "Where [was|is] this [photo|picture|image|shot|] taken?",
    "Where is this?",
    "[What|Which] place is [this|it|that]?",
    "[What|Which] [kind|sort] of place is [this|it]?",
    "Where [are we|is that|does this take place]?",
    "[What|Which] place does this [photo|picture] show?",
    "[What|Which] is the [setting|location|scene|background] [of this [photo|picture]|]?",
    "Tell me where this [photo|picture] was [taken|made].",
    "In which [place|surroundings] was this [taken|made]?",
)
IS_PLACE = (
    "[Is|Was] this [photo|picture|] taken {where}?",
    "Is [this|it] {where}?",
    "[Are we|Does this play] {where}?",
)
INDOORS = (
    "[Is this|Was this taken|Are we] [indoors|inside|outdoors|outside]?",
    "[Inside or outside|Indoors or outdoors]?",
    "[Is this|Was this taken] [inside or outside|indoors or outdoors]?",
)
TIME = (
    "[What|Which] time of day is it?",
    "Is it day or night?",
    "When [was this [photo|picture] taken|is this], by day or [by|at] night?",
    "[What|Which] part of the day is [it|this]?",
)
IS_TIME = (
    "[Is|Was] it [already |]{light}?",
    "Was this [photo|picture] taken [at |during |by ]{light}?",
    "Is this a [photo|picture] [taken|] [at|by] {light}?",
)
WEATHER = (
    "[What is|What was] the weather like?",
    "How [is|was] the weather [here|in this [photo|picture]|]?",
    "[What|Which] weather [is it|do they have|is to be seen]?",
)
IS_WEATHER = (
    "Is [it|the weather] {weather}?",
    "[Was|Is] it {weather} [when this was taken|here|in this [photo|picture]]?",
)
COUNT = (
    "How many {what} are [there|here|in this [photo|picture|image]|to be seen]?",
    "How many {what} [can|do] you [see|count|find] [here|in this [photo|picture]|]?",
    "[What is the number of|Count the] {what} [in this [photo|picture]|here|].",
    "Tell me how many {what} there are.",
)
EXISTS = (
    "Is there {what} [here|in this [photo|picture|image]|]?",
    "[Can|Do] you [see|find|spot] {what} [here|in this [photo|picture]|]?",
    "Does this [photo|picture|image] [show|have] {what}?",
    "Is {what} [visible|to be seen] [here|in this [photo|picture]|]?",
)
WHO_DOES = (
    "Who is {doing}?",
    "[Who|Which of them] is the one {doing}?",
    "[Can you say|Tell me] who is {doing}.",
)
WHO_WEARS = (
    "Who [wears|is wearing|has] {garment}?",
    "[Tell me who is|Who is the one] wearing {garment}.",
)
SIDE_WHO = (
    "Who is {side}?",
    "Who [stands|can be seen|do you see] {side} [of this [photo|picture]|]?",
    "[Name|Tell me] who is {side}.",
)
ACTIVITY = (
    "What is {name} doing [here|in this [photo|picture]|]?",
    "What is {name} up to?",
    "[Tell me|Say] what {name} [does|is doing] [here|in this [photo|picture]|].",
    "What does {name} do [here|in this [photo|picture]]?",
    "[With what|How] is {name} [busy|occupied]?",
)
IS_DOING = (
    "Is {name} {doing}?",
    "[Can you see|Do you see] {name} {doing}?",
    "Is it {name} who is {doing}?",
)
HOLDS = (
    "What [is {name} holding|does {name} hold|does {name} have] [in hand|]?",
    "Is {name} holding [anything|something]?",
)
CLOTHES = (
    "What is {name} wearing [here|in this [photo|picture]|]?",
    "[Which|What] clothes [does {name} wear|is {name} wearing|does {name} have on]?",
    "[Describe|Tell me about] the [outfit|clothes] of {name}.",
    "How is {name} dressed?",
    "What does {name} [have on|wear] [here|in this [photo|picture]|]?",
)
COLOUR_OF = (
    "[What|Which] colour [is|has] the {garment} of {name}?",
    "[What|Which] colour is {name}'s {garment}?",
    "[Tell me|Say] the colour of {name}'s {garment}.",
)
WEARS = (
    "Is {name} wearing {garment}?",
    "Does {name} [wear|have] {garment} [here|in this [photo|picture]|]?",
    "[Can|Do] you see {name} [with|in] {garment}?",
)
HAS_LOOK = (
    "Does {name} have {look}?",
    "Is {name} somebody with {look}?",
    "[Has {name} got|Do you see {name} with] {look}?",
)
POSITION = (
    "Where is {name} [in this [photo|picture|image]|here|]?",
    "On [which|what] side [is {name}|does {name} stand|of the [photo|picture] is {name}]?",
    "[Whereabouts|In which part of the [photo|picture]] is {name}?",
    "Is {name} on the left, in the middle or on the right?",
    "[Tell me|Say] where {name} [is|stands] [in this [photo|picture]|].",
    "Where [can I|do you] [find|see] {name}?",
)
IS_SIDE = (
    "Is {name} {side}?",
    "Do you [see|find] {name} {side}?",
    "[Does|Can] {name} [stand|be] {side}?",
)
BESIDE = (
    "Who is [beside|next to|near|by the side of] {name}?",
    "Who [stands|is standing|can be seen] [beside|next to] {name}?",
    "[Whom|Who] is {name} [with|next to|beside]?",
    "[Name|Tell me] [the neighbours of|who is next to] {name}.",
)
IS_ALONE = (
    "Is {name} alone [here|in this [photo|picture]|]?",
    "Is {name} [by [himself|herself|itself]|the only one [here|in this [photo|picture]]]?",
)
IS_WITH = (
    "Is {name} [with|together with|near|beside] {other}?",
    "Are {name} and {other} [together|both here|both in this [photo|picture]]?",
)
APPEARANCE = (
    "What does {name} look like?",
    "How does {name} look?",
    "[Describe|Tell me about] {name}.",
    "How would you describe [{name}|the looks of {name}|the appearance of {name}]?",
    "How [do|can] I recognise {name}?",
)
SPECIES = (
    "[What|Which] [kind|sort] of [animal|pet] is {name}?",
    "[What|Which] animal is {name}?",
)
IS_KIND = ("Is {name} {kind}?", "[Would you say|Do you think] [that|] {name} is {kind}?")
OF_STRANGER = {
    "activity": ("What is the {who} doing?", "What does the {who} do [here|]?"),
    "clothes": ("What is the {who} wearing?", "[What|Which clothes] does the {who} wear?"),
    "appearance": ("What does the {who} look like?", "[Describe|Tell me about] the {who}."),
    "position": ("Where is the {who}?", "On which side is the {who}?"),
}
CHOICE = (
    "{question} {options} Answer with the [letter|right letter|option's letter].",
    "{question} {options} [Choose a letter|Which letter is right?|Choose the right option.]",
)


def all_grammars() -> tuple[str, ...]:
    """Every grammar there is."""
    found: list[str] = []
    for name, value in globals().items():
        if name.isupper():
            parts = value.values() if isinstance(value, dict) else (value,)
            found.extend(grammar for part in parts for grammar in part)
    return tuple(found)
