"""What a serving process does once when it starts."""

import gc

from service.start import load_matching


def test_what_is_loaded_at_the_start_is_not_looked_through_again() -> None:
    gc.unfreeze()  # what the tests themselves keep out

    load_matching()

    assert gc.get_freeze_count() > 10 * len(gc.get_objects())
