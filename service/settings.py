"""Every option: its variable, type, default and one line of doc, read once from KITH_* variables.

`docs/settings.md` is made from the `OPTIONS` table below; a wrong value stops the start with its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.errors import SettingError

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """Read `600/minute`; `off` is None."""
        if text == "off":
            return None
        count, _, unit = text.partition("/")
        if not (count.isascii() and count.isdigit() and int(count) > 0 and unit in UNIT_SECONDS):
            raise ValueError(
                f"expected off, or a number a second, minute or hour such as 600/minute, got {text!r}"
            )
        return cls(int(count), UNIT_SECONDS[unit])


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one process, as read from its environment."""

    home: Path
    database_url: str | None
    redis_url: str | None
    workers: int
    rate_limit: Rate | None
    public_url: str | None
    proxies: int
    erasure_log: Path | None
    webhook_private: bool
    clock_file: Path | None
    testing: bool
    log_level: str

    @property
    def embedded_database(self) -> bool:
        """Whether the database is the one in `home`, which Kith looks after itself."""
        return self.database_url is None

    @property
    def database(self) -> str:
        """The database's address, as SQLAlchemy's."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'kith.db'}"

    @property
    def erased(self) -> Path:
        """The file that says who was erased when."""
        return self.erasure_log or self.home / "erased.log"


@dataclass(frozen=True, slots=True)
class Option:
    """One KITH_* variable."""

    field: str
    default: str
    kind: str
    doc: str
    parse: Callable[[str], Any]

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"KITH_{self.field.upper()}"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}")
        return text

    return parse


def _database(text: str) -> str | None:
    if text and not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    return text or None


def _redis(text: str) -> str | None:
    if text and text != "off" and urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("expected off, or an address that begins with redis://, rediss:// or unix://")
    return text or None


def _public(text: str) -> str | None:
    parts = urlsplit(text)
    if text and not (parts.scheme in {"http", "https"} and parts.netloc):
        raise ValueError("expected an address such as https://kith.example.org")
    return text.rstrip("/") or None


def _path(text: str) -> Path | None:
    return Path(text) if text else None


OPTIONS = (
    Option(
        "home", "./.kith", "path", "Where the embedded database and the embedded Redis server live.", Path
    ),
    Option(
        "database_url",
        "",
        "address",
        "The database, as SQLAlchemy writes it (`postgresql://…` or `sqlite:///…`); none means SQLite in "
        "`KITH_HOME`. A named one is migrated by `kith migrate` alone.",
        _database,
    ),
    Option(
        "redis_url",
        "",
        "address",
        "A Redis or Valkey server (`redis://`, `rediss://`, `unix://`); none means the embedded one, "
        "`off` no cache.",
        _redis,
    ),
    Option("workers", "1", "number", "Serving processes, 1 to 64.", _whole(1, 64)),
    Option(
        "rate_limit",
        "600/minute",
        "rate",
        "Requests per key, and calls without one in force per address, a `second`, `minute` or `hour`; "
        "`off` for none.",
        Rate.parse,
    ),
    Option(
        "public_url",
        "",
        "address",
        "The address that absolute links begin with; the `Host` header is never used.",
        _public,
    ),
    Option(
        "proxies",
        "0",
        "number",
        "How many proxies of yours stand in front, 0 to 9: the client's address is the one that the "
        "outermost appended to `X-Forwarded-For`. With 0 the header counts for nothing.",
        _whole(0, 9),
    ),
    Option(
        "erasure_log",
        "",
        "path",
        "The file that says who was erased when, by keyed hash, for `kith erasures replay`; none means "
        "`erased.log` in `KITH_HOME`. Keep it where no backup of the database overwrites it.",
        _path,
    ),
    Option(
        "webhook_private",
        "0",
        "0 or 1",
        "Lets webhooks lead to loopback and private addresses, for receivers in a network of your own.",
        lambda text: _choice("0", "1")(text) == "1",
    ),
    Option(
        "clock_file",
        "",
        "path",
        "A file with seconds to add to the time, for tests; refused on PostgreSQL unless `KITH_TESTING=1`.",
        _path,
    ),
    Option(
        "testing", "0", "0 or 1", "Allows what only tests need.", lambda text: _choice("0", "1")(text) == "1"
    ),
    Option(
        "log_level",
        "info",
        "word",
        "`debug`, `info`, `warning` or `error`.",
        _choice("debug", "info", "warning", "error"),
    ),
)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read every option from the environment, or raise `SettingError` with the variable's name."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        try:
            values[option.field] = option.parse(environ.get(option.variable, option.default).strip())
        except ValueError as error:
            raise SettingError(f"{option.variable}: {error}") from None
    settings = Settings(**values)
    if settings.clock_file and settings.database.startswith("postgresql") and not settings.testing:
        raise SettingError("KITH_CLOCK_FILE: refused on PostgreSQL unless KITH_TESTING=1")
    return settings


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [
        f"| `{option.variable}` | {option.kind} | {_shown(option.default)} | {option.doc} |"
        for option in OPTIONS
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "Read once at the start from the environment; a wrong value stops the start with its name.",
            "Made from the code by `python -m service.settings`.",
            "",
            "| variable | kind | default | what it does |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _shown(default: str) -> str:
    return f"`{default}`" if default else "none"


if __name__ == "__main__":
    print(settings_page(), end="")
