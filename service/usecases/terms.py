"""Term completion: what a community's members write, commonest first."""

from service.records import Access
from service.storage.loaded import LoadedCommunities


def complete_terms(
    loaded: LoadedCommunities,
    access: Access,
    prefix: str,
    facet: str | None,
    limit: int,
    after: tuple[int, str] | None,
) -> list[tuple[str, int]]:
    """Return up to `limit` spellings with their numbers of members, only those of three members or more."""
    return loaded.use(access.community, lambda matcher: matcher.complete(prefix, facet, limit, after))
