"""Term weights: each count of a community's terms is a row, and its community names the newest."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select

from matching import FACETS, TermModel
from service.storage.communities import Write
from service.storage.stamps import number_of
from service.storage.tables import models, profiles

KEPT = 3
ROWS_PER_FETCH = 1000


def count_terms(write: Write) -> None:
    """Count the terms of all members as they are now, as a new model."""
    stamp = write.stamp()
    here = write.community.number
    model = TermModel.count(number_of(stamp), _stated_terms(write.connection, here))
    document = json.dumps(model.as_dict(), ensure_ascii=False)
    write.connection.execute(
        insert(models).values(community=here, stamp=stamp, document=document, created_at=write.now)
    )
    newest = (
        select(models.c.stamp).where(models.c.community == here).order_by(models.c.stamp.desc()).limit(KEPT)
    )
    write.connection.execute(delete(models).where(models.c.community == here, models.c.stamp.not_in(newest)))
    write.settle(replace(write.community, model=stamp, model_members=model.members))


def _stated_terms(connection: Connection, community: int) -> Iterator[Mapping[str, Sequence[str]]]:
    chosen = select(profiles.c.document).where(profiles.c.community == community)
    for (document,) in connection.execute(chosen.execution_options(yield_per=ROWS_PER_FETCH)):
        stated = json.loads(document)
        yield {facet: stated.get(facet, ()) for facet in FACETS}


def load_model(connection: Connection, community: int, stamp: str) -> TermModel:
    """Return the model of this stamp, a newer one where it was replaced, an empty one where none is."""
    chosen = select(models.c.document).where(models.c.community == community, models.c.stamp >= stamp)
    document = connection.execute(chosen.order_by(models.c.stamp).limit(1)).scalar()
    return TermModel.from_dict(json.loads(document)) if document and stamp else TermModel(0, 0, {})
