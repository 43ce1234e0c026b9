"""Models: each count of a community's terms and each refit is a row, and its community names the newest."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from matching import TermModel
from service.records import Fit, Stats
from service.storage.communities import Write, write
from service.storage.database import Database
from service.storage.numbers import NumberedPrices
from service.storage.packed import Damaged, pack, unpack
from service.storage.stamps import number_of
from service.storage.tables import models, profiles

KEPT = 3
ROWS_PER_FETCH = 1000
ROWS_PER_PARSE = 100
# The arrays of a model have names of its own behind this.
_OF_MODEL = "model."
_NUMBERS, _VALUES = "prices.numbers", "prices.values"
log = structlog.get_logger(__name__)

# Built once: building a statement takes longer than running it.
_INSERT = insert(models)
_HERE = models.c.community == bindparam("asked")
_NEWEST = select(models.c.stamp).where(_HERE).order_by(models.c.stamp.desc()).limit(KEPT)
_KEPT = select(models.c.document, models.c.arrays, models.c.figures).where(_HERE)
_NEWEST_FIRST = _KEPT.order_by(models.c.stamp.desc())
_FROM_STAMP = _KEPT.where(models.c.stamp >= bindparam("stamp")).order_by(models.c.stamp).limit(1)
_DOCUMENTS = (
    select(profiles.c.document)
    .where(profiles.c.community == bindparam("asked"))
    .execution_options(yield_per=ROWS_PER_FETCH)
)
_DELETE_OLD = delete(models).where(_HERE, models.c.stamp.not_in(_NEWEST))


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model, what it costs to suggest a member by the number of their row, and what was measured of it.

    `fit` is None before the first refit.
    """

    model: TermModel = field(default_factory=lambda: TermModel(0, 0, {}))
    prices: NumberedPrices | None = None
    fit: Fit | None = None


def count_terms(write: Write) -> None:
    """Count the terms of all members as they are now, as a new model; what was learnt stays."""
    newest = _newest_sound(write)
    stated = _stated_terms(write.connection, write.community.number)
    keep_model(write, replace(newest, model=newest.model.recounted(write.number, stated)))


def keep_model(write: Write, kept: KeptModel) -> None:
    """Make this the community's model."""
    stamp, here = write.stamp(), write.community.number
    row = _as_row(kept) | {"community": here, "stamp": stamp, "created_at": write.now}
    write.connection.execute(_INSERT, row)
    write.connection.execute(_DELETE_OLD, {"asked": here})
    write.settle(replace(write.community, model=stamp, model_members=kept.model.members))


def load_model(connection: Connection, community: int, stamp: str) -> KeptModel:
    """Return the model of this stamp, a newer one where it was replaced, an empty one where none is.

    `Damaged` where it can't be read.
    """
    asked = {"asked": community, "stamp": stamp}
    row = connection.execute(_FROM_STAMP, asked).one_or_none() if stamp else None
    return _as_kept(row) if row else KeptModel()


def load_fit(connection: Connection, community: int) -> Fit | None:
    """Return what was measured of the newest model, if anything was."""
    chosen = select(models.c.figures).where(models.c.community == community)
    kept = connection.execute(chosen.order_by(models.c.stamp.desc()).limit(1)).scalar()
    return _fit(json.loads(kept)) if kept else None


def note_fit(write: Write, stamp: str, fit: Fit) -> bool:
    """Keep what was measured of a model; False where it is not the community's any more."""
    if write.community.model != stamp:
        return False
    this = (models.c.community == write.community.number, models.c.stamp == stamp)
    write.connection.execute(update(models).where(*this).values(figures=json.dumps(asdict(fit))))
    return True


def load_or_repair(database: Database, connection: Connection, community: int, stamp: str) -> KeptModel:
    """Return the model of this stamp; one that can't be read is counted anew, for everybody."""
    try:
        return load_model(connection, community, stamp)
    except Damaged:
        _put_away(database, community, stamp)
        return load_model(connection, community, stamp)


def _put_away(database: Database, community: int, stamp: str) -> None:
    log.error("model_damaged", model=number_of(stamp))
    with write(database, community) as opened:
        gone = delete(models).where(models.c.community == community, models.c.stamp == stamp)
        opened.connection.execute(gone)
        if opened.community.model == stamp:
            count_terms(opened)


def _stated_terms(connection: Connection, community: int) -> Iterator[Mapping[str, Sequence[str]]]:
    found = connection.execute(_DOCUMENTS, {"asked": community}).scalars()
    for documents in found.partitions(ROWS_PER_PARSE):
        # Parsed together: they share the call, and the names in them.
        yield from json.loads(f"[{','.join(documents)}]")


def _newest_sound(write: Write) -> KeptModel:
    for row in write.connection.execute(_NEWEST_FIRST, {"asked": write.community.number}).all():
        try:
            return _as_kept(row)
        except Damaged:
            log.error("model_damaged")
    return KeptModel()


def _as_kept(row: Row[*tuple[Any, ...]]) -> KeptModel:
    try:
        if row.arrays is None:  # counted before there were any
            return KeptModel(TermModel.from_dict(json.loads(row.document)))
        arrays = unpack(row.arrays)
        learnt = {
            name.removeprefix(_OF_MODEL): array
            for name, array in arrays.items()
            if name.startswith(_OF_MODEL)
        }
        prices = NumberedPrices(arrays[_NUMBERS], arrays[_VALUES])
        fit = _fit(json.loads(row.figures)) if row.figures else None
        return KeptModel(TermModel.from_dict(json.loads(row.document), learnt), prices, fit)
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("This model can't be read.") from error


def _fit(kept: Mapping[str, Any]) -> Fit:
    return Fit(**{**kept, "stats": Stats(**kept["stats"])})


def _as_row(kept: KeptModel) -> dict[str, Any]:
    import numpy as np

    arrays = {f"{_OF_MODEL}{name}": value for name, value in kept.model.arrays().items()}
    prices = kept.prices or NumberedPrices(np.empty(0, np.int64), np.empty(0))
    arrays |= {_NUMBERS: prices.numbers, _VALUES: prices.values}
    return {
        "document": json.dumps(kept.model.as_dict(), ensure_ascii=False),
        "arrays": pack(arrays),
        "figures": json.dumps(asdict(kept.fit)) if kept.fit else None,
    }
