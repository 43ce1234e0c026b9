"""Arrays as bytes in a column: NumPy's own format, never pickle."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from service.errors import KithError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Damaged(KithError):
    """Bytes that can't be read back."""


def pack(arrays: Mapping[str, "NDArray[Any]"]) -> bytes:
    """Return arrays as bytes; no name may be `file`."""
    # Imported here, as in `unpack`: NumPy takes a moment, and few processes need it at once.
    import numpy as np

    packed = BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def unpack(packed: bytes) -> dict[str, "NDArray[Any]"]:
    """Return the arrays in some bytes, or raise `Damaged`."""
    import numpy as np

    try:
        with np.load(BytesIO(packed), allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except Exception as error:  # whatever a damaged file makes NumPy do
        raise Damaged("These arrays can't be read.") from error
