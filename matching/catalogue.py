"""Every sentence that the matcher says, in one place: a translation is another catalogue of the same shape.

`{term}`, `{mine}`, `{theirs}` are terms as the asking member or the peer wrote them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Openers:
    """Hold questions to begin with.

    Attributes
    ----------
    shared : mapping of facet to tuple of str
        About a shared term.
    related, general : tuple of str
        About a related pair of terms, and where nothing is in common.
    """

    shared: dict[str, tuple[str, ...]]
    related: tuple[str, ...]
    general: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Hold the sentences of one language.

    Attributes
    ----------
    shared : mapping of facet to str
        What is said of a shared term.
    related, near, distance, free : str
        Reasons for a related pair of terms, a distance within the first band, a distance, and a common slot.
    met, last_met, known : str
        How two know each other: they met so many times, they met, they are connected.
    first, again : Openers
        For people who don't know each other, and for people who do and may have been out of touch.
    days, parts, months : tuple of str
        From Monday on; morning, afternoon, evening; from January on.
    """

    shared: dict[str, str]
    related: str
    near: str
    distance: str
    free: str
    met: str
    last_met: str
    known: str
    first: Openers
    again: Openers
    days: tuple[str, ...]
    parts: tuple[str, str, str]
    months: tuple[str, ...]


FIRST = Openers(
    shared={
        "interests": (
            "How did you get into {term}?",
            "What would you show somebody who is new to {term}?",
            "What is the best thing about {term} that few people know?",
            "Which moment with {term} do you still think of?",
            "If we had an afternoon for {term}, where would we start?",
        ),
        "activities": (
            "Where do you like to go for {term}?",
            "How do you fit {term} into your week?",
            "What was your best day of {term} so far?",
            "Alone or in company: how do you like {term} best?",
            "What would you tell yourself before your first time at {term}?",
        ),
        "goals": (
            'What made you choose "{term}"?',
            'How far have you come with "{term}"?',
            'What would be a good first step together towards "{term}"?',
            'How will you celebrate "{term}" when it is done?',
        ),
    },
    related=(
        "I am into {mine}, you are into {theirs}: what could we try together?",
        "What does {theirs} have that {mine} doesn't?",
        "Would you swap {theirs} for {mine} for a day?",
    ),
    general=(
        "What have you enjoyed most this month?",
        "What would you like to try that you have never done?",
        "What could you talk about for an hour without notes?",
        "Which place around here should everybody see once?",
    ),
)
# They claim nothing of the past, since only what was stated is said, and reproach nobody with a silence.
AGAIN = Openers(
    shared={
        "interests": (
            "I was thinking of {term}, and of you: how are you?",
            "How have you been, and what is new with {term}?",
            "Shall we catch up over {term} one of these days?",
            "I would love to hear about you and {term}: when do you have a moment?",
            "Would you enjoy some {term} together soon?",
        ),
        "activities": (
            "It would be good to see you: shall we meet for {term}?",
            "How are you, and how is {term} going?",
            "Is there room for some {term} together this month?",
            "What has {term} been like for you lately?",
            "Next time you do {term}, may I come along?",
        ),
        "goals": (
            'How are you, and how is "{term}" coming along?',
            'Shall we compare notes on "{term}"?',
            'What would help you next with "{term}"?',
            'Shall we take the next step towards "{term}" together?',
        ),
    },
    related=(
        "How have you been? I would love to hear about your {theirs}, and to tell you about my {mine}.",
        "Shall we catch up, with {mine} one day and {theirs} the next?",
        "How is {theirs} these days, and would you like to hear about {mine}?",
    ),
    general=(
        "I thought of you: how have you been?",
        "What has been good lately? I would like to hear about it.",
        "Shall we catch up one of these days?",
        "What are you looking forward to at the moment?",
        "It would be good to see you: what would you like to do together?",
    ),
)
ENGLISH = Catalogue(
    shared={
        "interests": "You both like {term}",
        "activities": "You both do {term}",
        "goals": 'You share the goal "{term}"',
    },
    related="Your {mine} and their {theirs} go together",
    near="You are less than {to} km apart",
    distance="You are {start} to {to} km apart",
    free="You are both free on {day} {part}",
    met="You met {times} times, last in {month} {year}",
    last_met="You last met in {month} {year}",
    known="You have been connected since {month} {year}",
    first=FIRST,
    again=AGAIN,
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    parts=("morning", "afternoon", "evening"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
)
