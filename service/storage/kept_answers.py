"""First answers to calls that carried an Idempotency-Key, committed with what the call did."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select

from service.storage.communities import Write
from service.storage.tables import kept_answers

KEPT_MS = 25 * 3600 * 1000
IDS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was first given, about up to two members; `body` is empty where it showed a secret."""

    fingerprint: str
    status: int
    headers: str
    body: str
    about: tuple[str, ...] = ()


def find_answer(write: Write, key: str) -> KeptAnswer | None:
    """Return what the first call with this key was answered, if it was within the last day."""
    columns = kept_answers.c
    chosen = select(columns.fingerprint, columns.status, columns.headers, columns.body).where(
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
    # By code: what is answered about somebody who is erased already must not bring their id back.
    codes = [write.community.code_of(profile_id) for profile_id in answer.about]
    write.connection.execute(delete(kept_answers).where(here, columns.created_at <= write.now - KEPT_MS))
    write.connection.execute(
        insert(kept_answers).values(
            community=write.community.number,
            key=_digest(key),
            fingerprint=answer.fingerprint,
            about=codes[0] if codes else None,
            about_peer=codes[1] if len(codes) > 1 else None,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            created_at=write.now,
        )
    )


def forget_answers(write: Write, about: str, about_peer: str) -> None:
    """Forget what was answered about two members, by code, in this order."""
    columns = kept_answers.c
    here = columns.community == write.community.number
    same = (columns.about == about, columns.about_peer == about_peer)
    write.connection.execute(delete(kept_answers).where(here, *same))


def forget_answers_about(write: Write, ids: Sequence[str]) -> None:
    """Forget what was answered about what has these ids, such as meetups: it names all members of them."""
    columns = kept_answers.c
    codes = [write.community.code_of(one) for one in ids]
    for start in range(0, len(codes), IDS_PER_STATEMENT):
        some = codes[start : start + IDS_PER_STATEMENT]
        about = or_(columns.about.in_(some), columns.about_peer.in_(some))
        write.connection.execute(
            delete(kept_answers).where(columns.community == write.community.number, about)
        )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
