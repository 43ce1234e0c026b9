"""Members are found by their ids through the index, also while nobody has analysed the table yet."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import event

from service.storage.communities import find_community
from service.storage.profiles import find_members
from tests.harness import NDJSON, Kith

MANY = 3000


def test_finding_some_of_many_new_members_reads_no_others(fresh_postgres_url: str) -> None:
    with Kith.open(fresh_postgres_url) as kith:
        lines = "".join(json.dumps({"id": f"m{number}", "name": "X"}) + "\n" for number in range(MANY))
        assert kith.call("POST", "/v1/profiles/import", lines.encode(), Content_Type=NDJSON).json["created"]
        sent: list[tuple[str, Any]] = []
        event.listen(
            kith.database.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, given, *_: sent.append((statement, given)),
        )
        ids = [f"m{number}" for number in range(0, 2 * MANY, 20)]

        with kith.database.read() as connection:
            community = find_community(connection, kith.community).number
            found = find_members(connection, community, ids)
            statement, given = sent[-1]
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", given).scalars())

        assert sorted(found) == sorted(ids[: MANY // 20])
        assert "profiles_by_id" in plan, plan
        assert "Bitmap" not in plan, plan
