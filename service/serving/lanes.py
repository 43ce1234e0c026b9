"""A worker's threads, shared fairly: whose request it is comes in, and a thread in turn goes out.

A request waits in the line of its key. No community has more than its share of the threads at work at once,
so one that floods keeps none of the others waiting: its own requests wait, outside the threads. Whose a
key is, the app says (`claim`) when it has looked it up; until then a key's requests count as nobody's, and
nobody too has no more than a share, and of one such key one request at a time. A block is urgent: it goes
first, and has a thread beyond the share.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

MOST_KEYS = 10_000
SPARE_THREADS = 2  # which no community's ordinary requests ever have; one of them is there for its blocks
CLAIM = "kith.claim_share"  # where the app finds `claim` in its environment
NOBODY = 0  # communities are numbered from 1

_AUTHORIZATION = re.compile(rb"\r\nauthorization:[ \t]*([^\r\n]*)", re.IGNORECASE)
_URGENT = re.compile(rb"PUT /v1/profiles/[^/? ]+/blocks/[^/? ]+[? ]")


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's header says before anyone parses it."""

    key: bytes
    urgent: bool

    @classmethod
    def of(cls, received: bytes) -> Head:
        """Read the first request in what was received."""
        head = received[: received.find(b"\r\n\r\n")]
        found = _AUTHORIZATION.search(head)
        # A digest: keys must not lie about in memory.
        return cls(hashlib.sha256(found[1]).digest() if found else b"", _URGENT.match(head) is not None)


@dataclass(slots=True)
class Work:
    """One request, waiting or at work."""

    head: Head
    call: Callable[[Any], Any]
    connection: Any
    done: Future[Any] = field(default_factory=Future)
    community: int = NOBODY


class FairThreads:
    """What gunicorn needs of an executor, with lines that take turns instead of one queue."""

    def __init__(self, threads: int, head_of: Callable[[Any], Head]) -> None:
        self.threads = threads
        self.share = max(1, threads - SPARE_THREADS)
        self.head_of = head_of
        self._pool = ThreadPoolExecutor(threads)
        self._lock = threading.Lock()
        self._lines: OrderedDict[Head, deque[Work]] = OrderedDict()
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._looked_up: set[bytes] = set()  # just now, by the request that is at work for each
        self._at_work: Counter[int] = Counter()
        self._here = threading.local()

    def submit(self, call: Callable[[Any], Any], connection: Any) -> Future[Any]:
        """Put a request in its line."""
        work = Work(self.head_of(connection), call, connection)
        with self._lock:
            self._lines.setdefault(work.head, deque()).append(work)
        self._start()
        return work.done

    def shutdown(self, wait: bool = True) -> None:
        """Begin nothing more."""
        with self._lock:
            self._lines.clear()
        self._pool.shutdown(wait=wait)

    def claim(self, community: int) -> bool:
        """Tell whose request this thread is at; False where that community has its share already."""
        work: Work = self._here.work
        with self._lock:
            self._remember(work.head.key, community)
            if work.community == community:
                return True
            has_room = self._at_work[community] < self._most(work.head)
            if has_room:
                self._leave(work)
                self._enter(work, community)
        self._start()
        return has_room

    def _start(self) -> None:
        """Give threads to whoever may have one."""
        while work := self._take():
            self._pool.submit(self._run, work)

    def _take(self) -> Work | None:
        with self._lock:
            head = self._next() if self._at_work.total() < self.threads else None
            if head is None:
                return None
            line = self._lines.pop(head)
            work = line.popleft()
            if line:
                self._lines[head] = line  # to the end of its equals
            self._enter(work, self._known.get(head.key, NOBODY))
            return work

    def _next(self) -> Head | None:
        """Choose a line: urgent ones first, then those of whom the fewest are at work."""
        best, found = (True, self.threads), None
        for head in self._lines:
            busy = self._at_work[self._known.get(head.key, NOBODY)]
            may = busy < self._most(head) and head.key not in self._looked_up
            if may and (not head.urgent, busy) < best:
                best, found = (not head.urgent, busy), head
        return found

    def _most(self, head: Head) -> int:
        return self.share + (head.urgent and self.share < self.threads)

    def _run(self, work: Work) -> None:
        self._here.work = work
        try:
            work.done.set_result(work.call(work.connection))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
            work.done.set_exception(error)
        finally:
            with self._lock:
                self._leave(work)
            self._start()

    def _enter(self, work: Work, community: int) -> None:
        work.community = community
        self._at_work[community] += 1
        if community == NOBODY and work.head.key:
            self._looked_up.add(work.head.key)

    def _leave(self, work: Work) -> None:
        if work.community == NOBODY:
            self._looked_up.discard(work.head.key)
        self._at_work[work.community] -= 1
        if not self._at_work[work.community]:
            del self._at_work[work.community]

    def _remember(self, key: bytes, community: int) -> None:
        self._looked_up.discard(key)
        self._known[key] = community
        self._known.move_to_end(key)
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)
