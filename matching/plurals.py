"""The singular of an English word: in comes a word of a to z, out comes the form for both numbers.

The form is compared, never shown, so a word that comes out odd does no harm as long as no other word meets it
there.
"""

_SHORTEST = 4  # letters; shorter words have too many false plurals (bus, gas, yes)
_UNCHANGED = frozenset(
    """alias always atlas bias blues canvas chaos christmas cosmos diabetes ethos jones kansas kudos
    lens molasses news overseas pathos pilates rabies series species texas wales whereas yemen
    """.split()  # noqa: SIM905  # read as a text, not as 50 lines
)
# Words that lose only their s, against what their ending says.
_PLAIN = frozenset(
    """brownies birdies calories collies cookies foodies genies goalies groupies hippies hoodies
    indies junkies magpies movies newbies pixies prairies rookies selfies smoothies sorties sweeties
    talkies veggies walkies zombies classics clinics comics critics fabrics lyrics mosaics picnics
    relics topics bikinis emojis kiwis martinis safaris skis taxis yogis bureaus emus gurus haikus
    menus plateaus sudokus tutus avalanches axes backaches brioches caches creches geocaches
    headaches moustaches mustaches niches pickaxes psyches quiches stomachaches toothaches abuses
    accuses amuses excuses fuses muses oboes olives valves
    """.split()  # noqa: SIM905  # read as a text, not as 50 lines
)
# The first ending that fits is exchanged; a longer one stands before what it ends in.
_ENDINGS = (
    ("women", "woman"),
    ("ermen", "erman"),
    ("smen", "sman"),
    ("emen", "eman"),
    ("children", "child"),
    ("people", "person"),
    ("mice", "mouse"),
    ("geese", "goose"),
    ("feet", "foot"),
    ("teeth", "tooth"),
    ("wolves", "wolf"),
    ("knives", "knife"),
    ("wives", "wife"),
    ("lives", "life"),
    ("leaves", "leaf"),
    ("loaves", "loaf"),
    ("halves", "half"),
    ("calves", "calf"),
    ("elves", "elf"),
    ("scarves", "scarf"),
    ("thieves", "thief"),
    ("hooves", "hoof"),
    ("ies", "y"),
    ("shoes", "shoe"),
    ("canoes", "canoe"),
    ("oes", "o"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("xes", "x"),
    ("quizzes", "quiz"),
    ("zzes", "zz"),
    ("tzes", "tz"),
    ("sses", "ss"),
    ("gases", "gas"),
    ("lenses", "lens"),
    ("canvases", "canvas"),
    ("atlases", "atlas"),
    ("oases", "oasis"),
    ("crises", "crisis"),
    ("theses", "thesis"),
    ("lyses", "lysis"),
    ("buses", "bus"),
    ("cuses", "cus"),
    ("nuses", "nus"),
    ("puses", "pus"),
    ("ruses", "rus"),
    ("tuses", "tus"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("ics", "ics"),
    ("s", ""),
)


def singular(word: str) -> str:
    """Return the singular of a word; a word that looks like one already is returned as it is.

    Examples
    --------
    >>> [singular(word) for word in "hobbies classes potatoes wolves women tennis physics".split()]
    ['hobby', 'class', 'potato', 'wolf', 'woman', 'tennis', 'physics']
    """
    known, shorter = word, _step(word)
    while shorter != known:  # so that a second call finds nothing left to do ("womens", "women", "woman")
        known, shorter = shorter, _step(shorter)
    return known


def _step(word: str) -> str:
    if len(word) < _SHORTEST or word in _UNCHANGED:
        return word
    if word in _PLAIN or (len(word) == _SHORTEST and word.endswith(("ies", "oes"))):
        return word[:-1]
    for ending, replacement in _ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + replacement
    return word
