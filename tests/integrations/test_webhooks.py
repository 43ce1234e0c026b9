"""A webhook goes out signed, to the address that was checked, and waits for nobody longer than it says."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.integrations import webhooks
from service.integrations.webhooks import Message, NotSent, Sender
from tests.receiver import Receiver, receiving

PEM = Path(__file__).parent / "receiver.pem"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message("dlv_1", '{"type":"profile.created"}')


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def send(url: str, sender: Sender | None = None) -> int:
    return (sender or Sender(private=True)).send(url, SECRET, MESSAGE)


def refusal(url: str, sender: Sender | None = None) -> str:
    with pytest.raises(NotSent) as refused:
        send(url, sender)
    return refused.value.reason


def named(*addresses: str, asked: list[str] | None = None) -> Callable[[str, int], list[str]]:
    """Return a resolver that knows one answer."""

    def resolve(host: str, _port: int) -> list[str]:
        (asked if asked is not None else []).append(host)
        return list(addresses)

    return resolve


def test_a_message_goes_out_signed(receiver: Receiver) -> None:
    assert send(f"{receiver.url}?token=1") == 204

    (received,) = receiver.received
    assert received.path == "/kith?token=1"
    assert received.body == MESSAGE.body.encode()
    assert received.headers["webhook-id"] == MESSAGE.id
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.is_signed_with(SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(received.body, received.headers)


def test_the_signature_is_the_specifications() -> None:
    """The example of the specification, by the library that both sides may use."""
    at = datetime.fromtimestamp(1614265330, UTC)

    signed = Webhook(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [200, 201, 299, 301, 302, 307, 308, 400, 410, 500])
def test_the_status_is_told_and_no_redirect_followed(receiver: Receiver, status: int) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Location", f"{receiver.url}/elsewhere")
        request.send_header("Content-Length", "0")
        request.end_headers()

    receiver.answer = answer

    assert send(receiver.url) == status
    assert [one.path for one in receiver.received] == ["/kith"]


# ---------------------------------------------------------------- where to


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_nothing_goes_to_a_private_address_unless_it_may(receiver: Receiver, host: str) -> None:
    assert refusal(f"http://{host}:{receiver.port}/", Sender()) == "refused_address"
    assert receiver.received == []


def test_one_private_answer_of_a_name_spoils_all(receiver: Receiver) -> None:
    for addresses in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "::ffff:10.0.0.1"]):
        sender = Sender(resolve=named(*addresses))
        assert refusal(f"http://receiver.example:{receiver.port}/", sender) == "refused_address"
    assert receiver.received == []


def test_a_name_is_looked_up_once_and_its_address_kept(receiver: Receiver) -> None:
    asked: list[str] = []
    # The second answer would lead elsewhere: there is no second question.
    sender = Sender(private=True, resolve=named("127.0.0.1", asked=asked))

    assert send(f"http://receiver.example:{receiver.port}/x", sender) == 204

    assert asked == ["receiver.example"]
    assert receiver.received[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_the_next_address_is_tried_where_one_is_dead(receiver: Receiver) -> None:
    sender = Sender(private=True, resolve=named("127.0.0.9", "127.0.0.1"))

    assert send(f"http://receiver.example:{receiver.port}/", sender) == 204


def test_what_has_no_address_or_no_listener_is_told_apart() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        assert refusal(f"http://127.0.0.1:{port}/") == "unreachable"
    assert refusal("http://receiver.example/", Sender(private=True, resolve=named())) == "unreachable"
    assert refusal(f"http://{'a' * 64}.example/") == "unresolved"


# ---------------------------------------------------------------- how long and how much


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> float:
    """All of it has half a second."""
    monkeypatch.setattr(webhooks, "SECONDS", 0.5)
    return 0.5


def drip(request: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for ever."""
    for _ in range(100):
        request.wfile.write(b"H")
        request.wfile.flush()
        time.sleep(0.05)


def test_who_says_nothing_or_says_it_drop_by_drop_is_left(receiver: Receiver, hurried: float) -> None:
    for answer in (drip, lambda _: time.sleep(3)):
        receiver.answer = answer
        began = time.monotonic()
        assert refusal(receiver.url) == "timed_out"
        assert time.monotonic() - began < 4 * hurried


def test_a_status_counts_though_the_rest_never_comes(receiver: Receiver, hurried: float) -> None:
    def begin(request: BaseHTTPRequestHandler) -> None:
        request.send_response(201)
        request.send_header("Content-Length", "10")
        request.end_headers()
        time.sleep(3 * hurried)

    receiver.answer = begin

    assert send(receiver.url) == 201


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    written: list[int] = []

    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(10_000):
                request.wfile.write(b"x" * 65_536)
                written.append(65_536)
        except OSError:
            return

    receiver.answer = flood

    assert send(receiver.url) == 200
    assert sum(written) < 50_000_000


def test_what_is_no_http_is_a_bad_answer(receiver: Receiver) -> None:
    def greet(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"hello\r\n\r\n")

    receiver.answer = greet

    assert refusal(receiver.url) == "bad_answer"


# ---------------------------------------------------------------- TLS


@pytest.fixture
def safe_receiver() -> Iterator[Receiver]:
    """A receiver under a certificate for `receiver.example` that no authority signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with receiving(context) as receiver:
        yield receiver


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(PEM))


def test_over_tls_the_certificate_is_checked_against_the_name(safe_receiver: Receiver) -> None:
    sender = Sender(private=True, resolve=named("127.0.0.1"), trusted=trusting)
    port = safe_receiver.port

    assert send(f"https://receiver.example:{port}/", sender) == 204
    assert safe_receiver.received[0].headers["host"] == f"receiver.example:{port}"
    assert refusal(f"https://another.example:{port}/", sender) == "tls_failed"
    assert refusal(f"https://127.0.0.1:{port}/", sender) == "tls_failed"
    untrusting = Sender(private=True, resolve=named("127.0.0.1"))
    assert refusal(f"https://receiver.example:{port}/", untrusting) == "tls_failed"
    assert len(safe_receiver.received) == 1
