"""First answers to calls that carried an Idempotency-Key, committed with what the call did."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from service.storage.communities import Write
from service.storage.tables import kept_answers

KEPT_MS = 25 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was first given; `body` is empty where it showed a secret."""

    fingerprint: str
    about: str | None
    status: int
    headers: str
    body: str


def find_answer(write: Write, key: str) -> KeptAnswer | None:
    """Return what the first call with this key was answered, if it was within the last day."""
    columns = kept_answers.c
    chosen = select(columns.fingerprint, columns.about, columns.status, columns.headers, columns.body).where(
        columns.community == write.community.number,
        columns.key == _digest(key),
        columns.created_at > write.now - KEPT_MS,
    )
    row = write.connection.execute(chosen).one_or_none()
    return KeptAnswer(*row) if row else None


def keep_answer(write: Write, key: str, answer: KeptAnswer) -> None:
    """Keep an answer, and forget those that are past their day."""
    columns = kept_answers.c
    here = columns.community == write.community.number
    write.connection.execute(delete(kept_answers).where(here, columns.created_at <= write.now - KEPT_MS))
    write.connection.execute(
        insert(kept_answers).values(
            community=write.community.number,
            key=_digest(key),
            fingerprint=answer.fingerprint,
            about=answer.about,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            created_at=write.now,
        )
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
