#!/usr/bin/env python3
"""A schema that DataJoint for Python 0.14 made, read here; and what 2.x makes of its blobs, read the same.

    old.py SIDE mariadb|mysql      exit 0: all as expected; 1: differences were printed; 77: skipped
"""
import json
import pathlib
import subprocess
import sys

from beside import Beside, check, dj, note, problems, reference, refused
from datajoint import migrate

OLD = pathlib.Path(__file__).resolve().parents[3] / "build" / "venv-old" / "bin" / "python"


def make(both):
    """What 0.14 reads of what it wrote."""
    at = both.server.settings()
    stores = {name: {"protocol": "file", "location": str(both.folder / name), **more} for name, more in
              {"main": {}, "cold": {"subfolding": [2, 3]}, "staged": {"stage": str(both.folder / "stage")}}.items()}
    for name in ("staged", "stage"):
        (both.folder / name).mkdir()
    (both.folder / "old.json").write_text(json.dumps({
        "database.host": at["host"], "database.port": at["port"], "database.user": at["user"], "safemode": False,
        "database.password": at["password"], "stores": stores}))
    done = subprocess.run([OLD, pathlib.Path(__file__).with_name("make_old.py"), "old.json"], cwd=both.folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def files(folder):
    return {str(f): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file() and f.name != "datajoint.json"}


def as_it_was(both, old, ours):
    for table, rows in old.items():
        found = ours.fetch("old", table)
        check(f"rows of {table}", len(rows), len(found))
        for row, wanted in zip(found, rows):
            for name, value in wanted.items():
                if row[name].get("t") == "bool":  # an int there
                    value = {**row[name], "v": value["v"] not in ("0", 0, False)} if isinstance(value, dict) else value
                check(f"{table}.{name} of {row['id' if 'id' in row else 'subject']}", value, row[name])
    check("lineage of a part", ["old.#subject.subject", "old.scan.scan", "old.scan__frame.frame"],
          [a["lineage"] for a in ours.heading("old", "scan__frame")][:3])


def only_read(both, ours):
    refused("inserting", ["unsupported", "before DataJoint 2.0"], lambda: ours.insert(
        "old", "value", rows=[{"id": note(500), "inside": note(1)}]))
    refused("inserting beside it", ["unsupported"], lambda: ours.insert(
        "old", "#subject", rows=[{"subject": note("z")}]))
    refused("deleting", ["unsupported"], lambda: ours.remove("old", "file"))
    refused("deleting a parent", ["unsupported"], lambda: ours.remove("old", "#subject"))
    refused("declaring", ["unsupported"], lambda: ours.declare("old", **{"class": "More", "definition": "id : int32"}))


def main():
    if not OLD.exists():
        reference.missing("there is no DataJoint for Python 0.14. tests/interop/get_datajoint fetches it")
    with Beside(*sys.argv[1:3]) as both:
        old = make(both)
        before = files(both.folder)
        refused("reading without the setting", ["database.legacy"], lambda: both.ours.fetch("old", "file"))
        check("the other attributes", [r["id"] for r in old["file"]],
              [r["id"] for r in both.ours.fetch("old", "file", attributes=["id"])])

        settings = json.loads((both.folder / "datajoint.json").read_text())
        settings["database"]["legacy"] = True
        settings["stores"]["staged"] = {"protocol": "file", "location": str(both.folder / "staged")}
        # Where objects lay with the folds of its own is in the settings of the store, as before.
        (both.folder / "datajoint.json").write_text(json.dumps(settings))
        ours = both.side()
        as_it_was(both, old, ours)
        only_read(both, ours)

        # Beside it our own rows come and go, and nothing of the old ones goes with them.
        ours.declare("lab", **{"class": "Own", "definition": "id : int32\n---\nv : <blob@main>"})
        ours.insert("lab", "own", rows=[{"id": note(1), "v": note([1] * 9)}])
        ours.remove("lab", "own")
        ours.collect()
        if faults := ours.audit(deep=True, repair=True)["faults"]:
            problems.append(str(faults))
        after = files(both.folder)
        check("files that are gone or new", [], [f for f in before if f not in after])
        check("hidden tables", [], [name for name, in both.server.run(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'old' AND table_name LIKE '~oas%'")])
        as_it_was(both, old, ours)
        ours.close()

        # Marked by 2.x, blobs in tables are its own: read equal by both, without the setting.
        schema = dj.Schema("old")
        for sql in migrate.generate_migration_sql(schema):
            both.server.run(sql)
        fresh = both.side()
        mine_rows = fresh.fetch("old", "value", attributes=["id", "inside", "small"])
        fresh.close()
        theirs = dj.FreeTable(dj.conn(), "`old`.`value`").proj("inside", "small").to_dicts(order_by="id")
        for row, mine, was in zip(theirs, mine_rows, old["value"]):
            for name in ("inside", "small"):
                check(f"migrated {name} of {row['id']}, there", was[name], note(row[name]))
                check(f"migrated {name} of {row['id']}", was[name], mine[name])
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
