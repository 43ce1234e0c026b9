"""No community uses up another's requests or all of a process' threads; a block is never kept waiting."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.serving.lanes import FairThreads, Head
from service.settings import Rate
from service.storage import limits
from service.storage.limits import RateLimiter
from service.web.access import never_limited
from tests.attacks.inputs import Served, serving, status_of, until_closed
from tests.harness import Kith
from tests.problems import problem
from tests.routes import KEYED
from tests.tenants import neighbour, with_key

THREADS = 8
SHARE = 6
MANY = 40

# ---------------------------------------------------------------- requests


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Kith]:
    """A Kith that answers five requests a minute and key."""
    with Kith.open(f"sqlite:///{tmp_path / 'kith.db'}", KITH_RATE_LIMIT="5/minute") as kith:
        yield kith


def statuses(kith: Kith, times: int) -> list[int]:
    return [kith.call("GET", "/v1/community").status_code for _ in range(times)]


def test_a_community_that_floods_with_many_keys_uses_up_none_of_anothers_requests(limited: Kith) -> None:
    other = neighbour(limited)
    keys = [with_key(limited, "read") for _ in range(4)]

    flood = [status for kith in keys for status in statuses(kith, 20)]

    assert (flood.count(200), flood.count(429)) == (20, 60)
    assert statuses(other, 7) == [200] * 5 + [429] * 2


def test_windows_of_one_community_push_out_none_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_WINDOWS", 20)
    limiter = RateLimiter(Rate(5, 3600))
    spent = [limiter.of("2").take("key") for _ in range(5)]

    for number in range(100):
        limiter.of("1").take(f"key {number}")
        limiter.of("addresses").take(f"address {number}")

    assert spent == [None] * 5
    assert limiter.of("2").take("key") is not None
    assert limiter.of("1").take("key 0") is None  # its own it does push out


def test_what_is_never_limited_is_never_refused(limited: Kith) -> None:
    app = limited.client.application
    app.add_url_rule("/v1/never", view_func=never_limited(lambda: "done"), endpoint="never")
    app.add_url_rule("/v1/sometimes", view_func=lambda: "done", endpoint="sometimes")

    assert [limited.call("GET", "/v1/never").status_code for _ in range(20)] == [200] * 20
    assert statuses(limited, 6) == [200] * 5 + [429]
    assert limited.call("GET", "/v1/never").status_code == 200
    problem(limited.call("GET", "/v1/sometimes"), 429)
    assert limited.client.get("/v1/never").status_code == 401


BLOCKS = [route for route in KEYED if route.method == "PUT" and "/blocks/" in route.rule]


def test_a_block_is_never_refused(limited: Kith) -> None:
    statuses(limited, 20)

    assert len(BLOCKS) == 1
    for _ in range(10):
        assert limited.call("PUT", "/v1/profiles/ana/blocks/ben").status_code in {204, 404}


def test_the_threads_know_a_block_and_nothing_else() -> None:
    for route in KEYED:
        path = route.path(dict.fromkeys(("profile_id", "peer", "peer_id", "other_id"), "a.b~c@d:e-") | IDS)
        for tail in ("", "?x=1"):
            head = Head.of(f"{route.method} {path}{tail} HTTP/1.1\r\nHost: kith\r\n\r\n".encode())
            assert head.urgent is (route in BLOCKS), str(route)


IDS = {
    "key_id": "key_0123456789abcdef",
    "report_id": "rep_0123456789abcdef",
    "round_id": "rnd_0123456789abcdef01234567",
    "meetup_id": "mtg_0123456789abcdef01234567",
    "webhook_id": "whk_0123456789abcdef",
    "delivery_id": "dlv_0123456789abcdef01234567",
    "venue_id": "a.b~c@d:e-",
}


# ---------------------------------------------------------------- threads, one by one


class Call:
    """A request as the worker holds it, and a thread in it until it is let go."""

    def __init__(self, key: str, community: int, urgent: bool = False) -> None:
        line = "PUT /v1/profiles/a/blocks/b" if urgent else "GET /v1/profiles"
        self.head = Head.of(f"{line} HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        self.community = community
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.served: bool | None = None


class Threads:
    """The threads of a worker, and requests to give them."""

    def __init__(self) -> None:
        self.fair = FairThreads(THREADS, lambda call: call.head)
        self.calls: list[tuple[Call, Future[bool]]] = []

    def ask(self, key: str, community: int, *, urgent: bool = False, looked_up: bool = True) -> Call:
        call = Call(key, community, urgent)
        self.calls.append((call, self.fair.submit(self.work if looked_up else self.wait, call)))
        return call

    def work(self, call: Call) -> bool:
        call.served = self.fair.claim(call.community)
        call.begun.set()
        return call.served and call.let_go.wait(20)

    def wait(self, call: Call) -> bool:
        call.begun.set()
        return call.let_go.wait(20)

    def begun(self, calls: list[Call], count: int) -> bool:
        """Tell whether so many get to a thread, and no more."""
        until = time.monotonic() + 10
        while sum(call.begun.is_set() for call in calls) < count and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.1)
        return sum(call.begun.is_set() for call in calls) == count

    def know(self, *keys: tuple[str, int]) -> None:
        """Have each key looked up once."""
        for key, community in keys:
            call = self.ask(key, community)
            call.let_go.set()
            assert self.calls[-1][1].result(10) is True


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads()
    yield made
    for call, _ in made.calls:
        call.let_go.set()
    made.fair.shutdown()


def test_one_community_alone_waits_in_line_for_its_share(threads: Threads) -> None:
    threads.know(("a", 1))
    flood = [threads.ask("a", 1) for _ in range(MANY)]

    assert threads.begun(flood, SHARE)
    for call in flood:
        call.let_go.set()
    assert all(future.result(10) for _, future in threads.calls)


def test_another_community_gets_a_thread_at_once(threads: Threads) -> None:
    threads.know(("a", 1), ("b", 2))
    flood = [threads.ask("a", 1) for _ in range(MANY)]
    assert threads.begun(flood, SHARE)

    assert threads.ask("b", 2).begun.wait(10)
    assert threads.ask("unknown", 3).begun.wait(10)
    assert threads.begun(flood, SHARE)


def test_many_keys_of_one_community_have_one_share(threads: Threads) -> None:
    threads.know(*[(f"a{number}", 1) for number in range(MANY)], ("b", 2))
    flood = [threads.ask(f"a{number}", 1) for number in range(MANY)]

    assert threads.begun(flood, SHARE)
    assert threads.ask("b", 2).begun.wait(10)


def test_a_key_that_is_not_known_yet_is_looked_up_by_one_request(threads: Threads) -> None:
    first = threads.ask("a", 1, looked_up=False)
    flood = [threads.ask("a", 1) for _ in range(MANY)]

    assert first.begun.wait(10)
    assert threads.begun(flood, 0)
    first.let_go.set()
    assert threads.begun(flood, SHARE)
    assert all(call.served for call in flood if call.begun.is_set())


def test_keys_never_seen_before_are_refused_beyond_the_share(threads: Threads) -> None:
    flood = [threads.ask(f"a{number}", 1) for number in range(MANY)]

    assert all(call.begun.wait(10) for call in flood)
    assert [call.served for call in flood].count(True) == SHARE
    assert threads.ask("b", 2).begun.wait(10)


def test_requests_of_nobody_have_one_share(threads: Threads) -> None:
    threads.know(("b", 2))
    flood = [threads.ask(f"x{number}", 0, looked_up=False) for number in range(MANY)]

    assert threads.begun(flood, SHARE)
    assert threads.ask("b", 2).begun.wait(10)


def test_whoever_has_fewest_at_work_is_next(threads: Threads) -> None:
    threads.know(("a", 1), ("b", 2), ("c", 3))
    first = [threads.ask("a", 1) for _ in range(MANY)]
    assert threads.begun(first, SHARE)
    second = [threads.ask("b", 2) for _ in range(MANY)]
    assert threads.begun(second, THREADS - SHARE)
    late = threads.ask("c", 3)
    assert not late.begun.wait(0.1)

    first[0].let_go.set()

    assert late.begun.wait(10)


def test_a_block_passes_the_line_and_the_share(threads: Threads) -> None:
    threads.know(("a", 1))
    flood = [threads.ask("a", 1) for _ in range(MANY)]
    assert threads.begun(flood, SHARE)

    assert threads.ask("a", 1, urgent=True).begun.wait(10)
    blocks = [threads.ask("a", 1, urgent=True) for _ in range(MANY)]
    # Of all threads one is left, for anybody else.
    assert threads.begun(blocks, 0)
    assert threads.ask("b", 2).begun.wait(10)


def test_an_error_gives_the_thread_back(threads: Threads) -> None:
    def fail(call: Call) -> bool:
        raise LookupError

    for _ in range(3 * THREADS):
        with pytest.raises(LookupError):
            threads.fair.submit(fail, Call("a", 1)).result(10)

    assert threads.ask("a", 1).begun.wait(10)


# ---------------------------------------------------------------- a real server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("home")) as server:
        yield server


def slow_imports(served: Served, keys: list[str], stack: ExitStack) -> list[socket.socket]:
    """Begin imports that never go on: each would hold a thread until it has been silent for 10 s."""
    begun = []
    for key in keys:
        connection = stack.enter_context(served.connect())
        head = served.head(
            "POST",
            "/v1/profiles/import",
            key,
            "Content-Length: 10000000",
            "Content-Type: application/x-ndjson",
        )
        connection.sendall(head + b'{"id": "m", "name": "M"}\n')
        begun.append(connection)
    time.sleep(0.5)
    return begun


def slowest(call: Callable[[], object], times: int = 20) -> float:
    took = []
    for _ in range(times):
        began = time.monotonic()
        call()
        took.append(time.monotonic() - began)
    return max(took)


def listed(served: Served, key: str) -> Callable[[], None]:
    def call() -> None:
        assert served.call("GET", "/v1/profiles", key)[0] == 200

    return call


def test_a_flood_of_slow_requests_with_one_key_keeps_nobody_else_waiting(served: Served) -> None:
    flooding, other = served.new_key(), served.new_key()
    listed(served, other)()

    with ExitStack() as stack:
        slow_imports(served, [flooding] * MANY, stack)
        assert slowest(listed(served, other)) < 3
        assert slowest(listed(served, served.new_key()), 1) < 3  # also one that was never seen


def test_a_flood_of_slow_requests_with_many_keys_keeps_nobody_else_waiting(served: Served) -> None:
    flooding, other = served.new_key(), served.new_key()
    keys = [made_key(served, flooding) for _ in range(MANY)]

    with ExitStack() as stack:
        flood = slow_imports(served, keys, stack)
        assert slowest(listed(served, other)) < 3
        refused = [until_closed(connection) for connection in flood if readable(connection)]

    assert len(refused) == MANY - SHARE
    for answer in refused:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert status_of(answer) == 429
        assert b"\r\nRetry-After: 1\r\n" in head
        assert json.loads(body)["type"] == "urn:kith:problem:too-many-requests"


def made_key(served: Served, admin: str) -> str:
    status, body = served.call("POST", "/v1/keys", admin, b'{"name": "k", "scopes": ["write"]}')
    assert status == 201
    return str(json.loads(body)["key"])


def readable(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        connection.settimeout(20)


def test_a_flood_without_a_key_keeps_nobody_waiting(served: Served) -> None:
    other = served.new_key()
    listed(served, other)()

    with ExitStack() as stack:
        slow_imports(served, [f"made up {number}" for number in range(MANY)], stack)
        assert slowest(listed(served, other)) < 3


def test_a_block_in_a_community_that_floods_is_not_kept_waiting(served: Served) -> None:
    flooding = served.new_key()
    for name in (b"ana", b"ben"):
        made = served.call("PUT", f"/v1/profiles/{name.decode()}", flooding, b'{"name": "' + name + b'"}')
        assert made[0] == 201

    def block() -> None:
        assert served.call("PUT", "/v1/profiles/ana/blocks/ben", flooding)[0] == 204

    with ExitStack() as stack:
        slow_imports(served, [flooding] * MANY, stack)
        assert slowest(block, 5) < 3


def test_one_community_alone_is_never_refused_for_its_share(served: Served) -> None:
    key = served.new_key()

    with ThreadPoolExecutor(64) as clients:
        answers = list(clients.map(lambda _: served.call("GET", "/v1/profiles", key)[0], range(400)))

    assert answers == [200] * 400


def test_requests_sent_at_once_on_one_connection_wait_in_line_too(served: Served) -> None:
    key = served.new_key()
    listed(served, key)()
    asked = served.head("GET", "/v1/community", key, close=False)

    answer = served.ask(asked * 20 + served.head("GET", "/v1/community", key))

    assert answer.count(b"HTTP/1.1 200") == 21
