"""API keys: 32 random bytes with a recognisable prefix and a checksum, shown once, kept as a digest."""

import hashlib
import secrets
import zlib
from collections.abc import Sequence

from service.errors import Conflict, NotFound, Unauthenticated
from service.records import ApiKey
from service.storage import api_keys
from service.storage.communities import Write
from service.storage.session import Session

PREFIX = "kith_"
SECRET_DIGITS = 64
CHECKSUM_DIGITS = 8


def new_secret() -> str:
    """Return a fresh key."""
    secret = secrets.token_hex(SECRET_DIGITS // 2)
    return f"{PREFIX}{secret}{_checksum(secret)}"


def digest_of(secret: str) -> str:
    """Return the digest a key is found by; raise `Unauthenticated` for what never was a key."""
    body = secret.removeprefix(PREFIX)
    well_formed = (
        secret.startswith(PREFIX) and len(body) == SECRET_DIGITS + CHECKSUM_DIGITS and body.isascii()
    )
    if not well_formed or _checksum(body[:SECRET_DIGITS]) != body[SECRET_DIGITS:]:
        raise Unauthenticated("This is not a Kith key; perhaps a part of it is missing.")
    # The key holds 256 random bits: a plain hash is as safe as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"


def create_key(session: Session, name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """Make a key of the session's community; return it with its secret, for this once."""
    with session.write() as write:
        return add_key(write, name, scopes)


def add_key(write: Write, name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """Make a key inside an open write."""
    secret = new_secret()
    key = ApiKey(f"key_{secrets.token_hex(8)}", name, tuple(scopes), write.now)
    api_keys.insert_key(write, key, digest_of(secret))
    return key, secret


def revoke_key(session: Session, key_id: str) -> None:
    """Put a key out of force; the community's last admin key stays."""
    with session.write() as write:
        keys = {key.id: key for key in api_keys.list_keys(write.connection, write.community.number)}
        if key_id not in keys:
            raise NotFound("There is no such key.")
        others = [key for key in keys.values() if key.id != key_id and "admin" in key.scopes]
        if "admin" in keys[key_id].scopes and not others:
            raise Conflict("This is the community's last admin key.")
        api_keys.delete_key(write, key_id)
