"""The command line: kith serve, worker, migrate, community, key, import, export, refit, evaluate and others.

Results are one JSON line on stdout (`export`, `evaluate`: NDJSON); progress and logs go to stderr. Exit 0:
done, 1: failed (also where a line failed), 2: usage.

Flask and marshmallow are imported by the commands that need them: the worker runs without.
"""

import argparse
import gzip
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any, cast

from service import logs, start
from service.errors import KithError, SettingError
from service.records import SCOPES, Access, ApiKey
from service.settings import Settings, read_settings
from service.storage import communities, erasure_log
from service.storage.database import Database
from service.storage.migrate import migrate
from service.storage.session import Session
from service.usecases.communities import create_community
from service.usecases.erasures import delete_community, replay
from service.usecases.exports import export_profiles
from service.usecases.imports import import_profiles
from service.usecases.jobs import JobContext
from service.usecases.keys import create_key
from service.usecases.refits import refit_now

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    # Read when NumPy is loaded. Serving processes and the worker share the cores: if each did its linear
    # algebra with threads of its own, they would spend them waiting for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    given = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        # The demonstration is for reading: its log says only what is wrong, unless told otherwise.
        quiet = given.run is _demo and "KITH_LOG_LEVEL" not in os.environ
        logs.configure("warning" if quiet else settings.log_level)
        return cast(int, given.run(settings, given))
    except SettingError as error:
        print(f"kith: {error}", file=sys.stderr)
        return USAGE
    except (KithError, OSError) as error:
        print(f"kith: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kith", description="Find every member of a community somebody to meet."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "serve", _serve, "serve the API", _add_serving)
    _add(commands, "demo", _demo, "serve, with a demonstration community", _add_demo)
    _add(commands, "worker", _work, "carry out what is due", _add_worker)
    _add(commands, "migrate", _migrate, "bring the database up to date")
    community = commands.add_parser("community", help="create or delete a community").add_subparsers(
        required=True
    )
    _add(community, "create", _create_community, "create a community with an admin key", _argument("name"))
    _add(community, "delete", _delete_community, "delete a community with all its members", _argument("id"))
    key = commands.add_parser("key", help="make a key").add_subparsers(required=True)
    _add(key, "create", _create_key, "make a key of a community", _add_key)
    _add(commands, "import", _import, "import profiles from NDJSON or CSV, .gz too", _add_import)
    _add(commands, "export", _export, "export profiles as NDJSON", _option("--community"))
    _add(commands, "refit", _refit, "learn a community's model anew, and wait", _argument("community"))
    _add(commands, "evaluate", _evaluate, "measure how well friendships of a set are found", _add_evaluate)
    erasures = commands.add_parser("erasures", help="after a restored database").add_subparsers(required=True)
    _add(erasures, "replay", _replay, "erase again whom an erasure log names", _add_file)
    return parser


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")


def _add(
    commands: Any,
    name: str,
    run: Callable[[Settings, argparse.Namespace], int],
    text: str,
    add: Callable[[argparse.ArgumentParser], object] | None = None,
) -> None:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if add:
        add(parser)


def _argument(name: str) -> Callable[[argparse.ArgumentParser], object]:
    return lambda parser: parser.add_argument(name)


def _option(name: str) -> Callable[[argparse.ArgumentParser], object]:
    return lambda parser: parser.add_argument(name, required=True, metavar="ID")


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, help="serving processes (default: KITH_WORKERS)")
    parser.add_argument("--no-worker", action="store_true", help="run no worker beside the server")


def _add_worker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--until-parent-ends", action="store_true", help=argparse.SUPPRESS)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--empty", action="store_true", help="a community without members")


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("community")
    parser.add_argument("--scopes", required=True, help=f"some of {','.join(SCOPES)}")
    parser.add_argument("--name", default="made on the command line")


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--community", required=True, metavar="ID")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="with profiles.ndjson.gz and friends.csv.gz")
    parser.add_argument("--queries", type=int, default=600, help="members to ask about (600)")
    parser.add_argument("--save", action="store_true", help="put the figures in docs/measurements.md")


def _say(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False), flush=True)


def _serve(settings: Settings, given: argparse.Namespace) -> int:
    from service.web import answers, lines  # noqa: F401 - before the fork, for all serving processes at once

    return start.serve(
        settings, host=given.host, port=given.port, workers=given.workers, worker=not given.no_worker
    )


def _demo(settings: Settings, given: argparse.Namespace) -> int:
    from service.demo import run_demo

    return run_demo(settings, given.port, empty=given.empty)


def _work(settings: Settings, given: argparse.Namespace) -> int:
    from service import worker

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.until_parent_ends:
        Thread(target=_wait_for_parent, args=(stop,), daemon=True).start()
    with start.open_database(settings) as database, start.open_answers(settings) as cache:
        context = JobContext(database, cache, start.saved_indexes(settings))
        worker.run(context, settings.erased, stop, private_webhooks=settings.webhook_private)
    return DONE


def _wait_for_parent(stop: Event) -> None:
    # Its end of our standard input closes when it ends, however it does.
    # Read past Python's buffer, whose lock a thread must not hold when the process ends.
    while os.read(0, 1024):
        pass
    stop.set()


def _migrate(settings: Settings, _given: argparse.Namespace) -> int:
    database = Database(settings.database)
    try:
        _say({"migrated": migrate(database)})
    finally:
        database.close()
    return DONE


def _create_community(settings: Settings, given: argparse.Namespace) -> int:
    from service.schemas.communities import CommunitySchema

    name = CommunitySchema().read({"name": given.name})["name"]
    with start.open_database(settings) as database:
        community, _, secret = create_community(database, name)
    _say({"community": community.id, "name": community.name, "key": secret})
    return DONE


def _delete_community(settings: Settings, given: argparse.Namespace) -> int:
    with start.open_database(settings) as database, start.open_answers(settings) as cache:
        swept = delete_community(database, cache, given.id, settings.erased)
    _say({"deleted": given.id})
    if not swept:
        print(
            f"kith: deleted, but {settings.erased} could not be written, or Redis or a long reader of the "
            "database was in the way of the sweep: what is left in Redis expires within 11 minutes",
            file=sys.stderr,
        )
    return DONE if swept else FAILED


def _replay(settings: Settings, given: argparse.Namespace) -> int:
    with (
        start.open_database(settings) as database,
        start.open_answers(settings) as cache,
        given.file.open("rb") as log,
    ):
        report = replay(database, cache, erasure_log.read(log))
    _say(asdict(report))
    return FAILED if report.failed else DONE


def _create_key(settings: Settings, given: argparse.Namespace) -> int:
    from service.schemas.keys import KeySchema

    wanted = KeySchema().read({"name": given.name, "scopes": given.scopes.split(",")})
    with _session(settings, given.community) as (session, _):
        key, secret = create_key(session, wanted["name"], wanted["scopes"])
    _say({"id": key.id, "key": secret, "scopes": list(key.scopes)})
    return DONE


def _import(settings: Settings, given: argparse.Namespace) -> int:
    from service.schemas.transfers import report_wire
    from service.web.lines import CSV, NDJSON, read_lines

    plain = given.file.name.removesuffix(".gz")
    with _session(settings, given.community) as (session, access), _open(given.file) as stream:
        report = import_profiles(
            session, access, read_lines(stream, CSV if plain.endswith(".csv") else NDJSON)
        )
    _say(report_wire(report))
    return FAILED if report.failed else DONE


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _export(settings: Settings, given: argparse.Namespace) -> int:
    from service.schemas.profiles import profile_wire
    from service.web.answers import as_json

    with _session(settings, given.community) as (session, _):
        for member in export_profiles(session):
            sys.stdout.buffer.write(as_json(profile_wire(member)) + b"\n")
    sys.stdout.buffer.flush()
    return DONE


def _refit(settings: Settings, given: argparse.Namespace) -> int:
    from service.schemas.learning import refit_wire

    with start.open_database(settings) as database:
        with database.read() as connection:
            community = communities.find_community(connection, given.community)
        done = refit_now(database, community.number, start.saved_indexes(settings), _tell)
    _say(refit_wire(community, done.fit.stats, accepted=done.accepted, figures=done.figures))
    return DONE


def _tell(phase: str, done: float) -> None:
    print(f"kith: {phase} {done:.0%}", file=sys.stderr, flush=True)


def _evaluate(_settings: Settings, given: argparse.Namespace) -> int:
    from service.evaluation import page, run

    lines = []
    for line in run.evaluate(given.folder, given.queries):
        _say(line)
        lines.append(line)
    if given.save:
        page.save(run.set_name(given.folder), lines)
    return DONE


@contextmanager
def _session(settings: Settings, community_id: str) -> Iterator[tuple[Session, Access]]:
    """Open a session of a community, with all rights: who has the machine has the data."""
    with start.open_database(settings) as database:
        with database.read() as connection:
            community = communities.find_community(connection, community_id)
        access = Access(ApiKey("", "command line", ("admin",), 0), community, now=0)
        yield Session(database, community.number), access


if __name__ == "__main__":
    sys.exit(main())
