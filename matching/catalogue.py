"""Every sentence that the matcher says, in one place: a translation is another catalogue of the same shape.

`{term}`, `{mine}`, `{theirs}` are terms as the asking member or the peer wrote them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Hold the sentences of one language.

    Attributes
    ----------
    shared, openers : mapping of facet to sentences
        What is said of a shared term, and questions about it.
    related, distance, near, free : str
        Reasons for a related pair of terms, a distance, a distance within the first band, and a common slot.
    related_openers, general_openers : tuple of str
        Questions about a related pair, and where nothing is shared.
    days, parts : tuple of str
        From Monday on; morning, afternoon, evening.
    """

    shared: dict[str, str]
    related: str
    near: str
    distance: str
    free: str
    openers: dict[str, tuple[str, ...]]
    related_openers: tuple[str, ...]
    general_openers: tuple[str, ...]
    days: tuple[str, ...]
    parts: tuple[str, str, str]


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
    openers={
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
    related_openers=(
        "I am into {mine}, you are into {theirs}: what could we try together?",
        "What does {theirs} have that {mine} doesn't?",
        "Would you swap {theirs} for {mine} for a day?",
    ),
    general_openers=(
        "What have you enjoyed most this month?",
        "What would you like to try that you have never done?",
        "What could you talk about for an hour without notes?",
        "Which place around here should everybody see once?",
    ),
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    parts=("morning", "afternoon", "evening"),
)
