"""What can go wrong, in the words of the domain; `service.web.problems` says it in HTTP."""

from collections.abc import Mapping, Sequence


class KithError(Exception):
    """Base of every error that a caller is told about."""


class SettingError(KithError):
    """A KITH_* variable holds what it must not."""


class NotReady(KithError):
    """The database can't be used as it is: absent, locked for too long, or not migrated."""


class NotJson(KithError):
    """A body that is not JSON at all."""


class WrongMediaType(KithError):
    """A body in a content type or coding that the route doesn't read."""


class Invalid(KithError):
    """Input that breaks a rule; maps each bad field's path to what was expected."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(texts)}" for path, texts in errors.items()))
        self.errors = {path: list(texts) for path, texts in errors.items()}


class Unauthenticated(KithError):
    """No key, or one that isn't in force."""


class Forbidden(KithError):
    """A key without the scope that this needs."""


class NotFound(KithError):
    """Nothing of that name exists in the key's community."""


class Conflict(KithError):
    """The state of things forbids it, such as an id that is taken."""


class LeaseLost(Conflict):
    """Another worker does this job now: what the one before it did must not be kept."""


class Stale(KithError):
    """The condition sent with a write (If-Match) no longer holds."""


class TooManyRequests(KithError):
    """Whoever asks has used up what they may ask for now."""

    def __init__(self, retry_after: float, text: str = "This key has used up its requests for now.") -> None:
        super().__init__(text)
        self.retry_after = retry_after
