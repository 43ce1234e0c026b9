"""What a serving process does once when it starts."""

import gc
import os
import subprocess
import sys

from service.start import load_matching


def test_what_is_loaded_at_the_start_is_not_looked_through_again() -> None:
    gc.unfreeze()  # what the tests themselves keep out
    gc.disable()  # as `make_app` does

    load_matching()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 10 * len(gc.get_objects())


def test_a_command_does_linear_algebra_with_one_thread() -> None:
    program = """
import contextlib
from service.cli import main
with contextlib.suppress(SystemExit):
    main(["--help"])
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
print({pool["num_threads"] for pool in threadpool_info()})
"""
    environ = {name: text for name, text in os.environ.items() if name != "OMP_NUM_THREADS"}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[-1] == "{1}", done.stderr
