"""Workers start, fail, stop and die as a service must."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from service.serving import server
from tests.serving.conftest import ROOT, Service, Start, exists, wait_for


def run_once(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.serving.small_service", *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_once("1", "10", str(port))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2  # the other is the small service's own
    assert f"127.0.0.1:{port}" in done.stderr
    assert done.stdout == ""


def test_the_hooks_run_once_in_the_parent_and_once_in_each_worker(start: Start) -> None:
    service = start(2)
    wait_for(lambda: service.log.read_text().count("forked") == 2)
    told = service.log.read_text()
    assert re.findall(r"in (\d+)", told) == [str(service.process.pid)]
    assert {int(pid) for pid in re.findall(r"forked (\d+)", told)} == service.workers()


def test_any_worker_tells_the_counts_of_all(start: Start) -> None:
    service = start(2)
    wait_for(lambda: len({service.get("/who")["pid"] for _ in range(8)}) == 2)
    first, second = (metric(service, "answered_total") for _ in range(2))
    assert first == second >= 8


def test_a_dead_worker_is_counted_no_more(start: Start) -> None:
    service = start(2)
    wait_for(lambda: metric(service, "living") == 2)
    killed = min(service.workers())
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: len(service.workers() - {killed}) == 2)
    # When both have answered, both count themselves.
    wait_for(lambda: len({service.get("/who")["pid"] for _ in range(8)}) == 2)
    wait_for(lambda: metric(service, "living") == 2)


def metric(service: Service, name: str) -> float:
    answer = service.ask(b"GET /metrics HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\n").decode()
    return float(answer.split(f"\n{name} ")[-1].split()[0])


def test_a_killed_worker_is_replaced(start: Start) -> None:
    service = start(1)
    (killed,) = service.workers()
    os.kill(killed, signal.SIGKILL)
    assert wait_for(lambda: service.workers() - {killed})
    assert wait_for(lambda: service.get("/who"))["pid"] != killed


def test_workers_end_when_their_parent_is_killed(start: Start) -> None:
    service = start(2)
    workers = service.workers()
    service.process.kill()
    service.process.wait()
    wait_for(lambda: not any(map(exists, workers)), 10)


def test_stopping_answers_who_is_in_line_and_prints_nothing(start: Start) -> None:
    service = start(1)
    answers: list[str] = []
    clients = [threading.Thread(target=ask_until_refused, args=(service, answers)) for _ in range(6)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(15) == 0
    assert time.monotonic() - began < 10
    for client in clients:
        client.join()
    assert answers.count("answered") > 6
    assert set(answers) == {"answered", "refused"}
    assert service.process.stdout is not None
    assert service.process.stdout.read() == ""


def test_what_follows_serving_is_done_by_the_parent_alone(start: Start) -> None:
    service = start(2)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(15) == 0
    assert re.findall(r"cleaned up by (\d+)", service.log.read_text()) == [str(service.process.pid)]


def ask_until_refused(service: Service, answers: list[str]) -> None:
    try:
        while service.get("/slow"):
            answers.append("answered")
    except ConnectionRefusedError:
        answers.append("refused")
    except (OSError, AssertionError) as error:
        answers.append(repr(error))


def test_a_silent_connection_delays_the_stop_by_little(start: Start) -> None:
    service = start(1)
    with service.connect():
        time.sleep(0.1)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(15) == 0
        assert time.monotonic() - began < 5


def test_an_interrupt_ends_it_at_once(start: Start) -> None:
    service = start(1)
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(10) == 0


def test_metrics_that_began_too_early_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import prometheus_client  # noqa: F401

    monkeypatch.delenv(server.METRICS_VARIABLE, raising=False)
    with pytest.raises(RuntimeError, match="prometheus_client"), server.place_for_metrics():
        pass


def test_a_place_for_metrics_that_is_given_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.METRICS_VARIABLE, "somewhere")
    with server.place_for_metrics():
        pass
    assert os.environ[server.METRICS_VARIABLE] == "somewhere"


IN_ONE_PROCESS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may be started without
from service.serving import server
from tests.serving.small_service import make_app
listener = server.listen("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
server.serve_in_one_process(make_app, listener)
"""


def test_one_process_serves_where_gunicorn_does_not_run() -> None:
    words = [sys.executable, "-c", IN_ONE_PROCESS]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        service = Service(process, int(process.stdout.readline()), ROOT)
        try:
            assert wait_for(lambda: service.get("/who"))
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
