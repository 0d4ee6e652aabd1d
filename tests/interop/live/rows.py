#!/usr/bin/env python3
"""The same rows: what DataJoint for Python writes, updates and deletes is what we read, and the reverse, for every type of
attribute; then its garbage collector and our audit look at what is left.

    rows.py SIDE postgresql|mariadb|mysql [s3] [--rewrite]     exit 0: all as expected; 1: differences were printed; 77: skipped

What was seen is a table of docs/compatibility.md, from which it must not differ; --rewrite puts it there. What DataJoint
for Python refuses is counted in that table; all else that is not equal is a failure.
"""
import collections
import os
import sys

import matrix
from beside import STORES, Beside, Refused, attached, difference, dj, note
from cases import all_cases


class Comparison:
    """One type: a table that they declared and write, and one of ours."""

    def __init__(self, both, case, schemas, problems):
        self.both, self.case, self.schemas, self.problems = both, case, schemas, problems
        self.cells = collections.defaultdict(matrix.Cell)
        self.tables, self.names = {}, {}
        self.rows = {"theirs": {}, "ours": {}}  # by id, what both must read

    def problem(self, step, text):
        self.problems.append(f"{self.case.label}, {step}: {text}")

    def attempt(self, step, call):
        """What they refuse is a part of the cell; None then."""
        try:
            done = call()
        except Refused as e:
            self.problem(step, e)
            return None
        except Exception as e:
            if step:
                self.cells[step].refused(e)
            return None
        return done if done is not None else True

    # one row

    def they_insert(self, which, id_, value):
        table = self.tables[which]
        if not self.case.staged:
            return table.insert1({"id": id_, "v": value.python})
        ext, content = value.python
        with table.staged_insert1 as staged:
            staged.rec["id"] = id_
            if isinstance(content, bytes):
                with staged.open("v", ext, "wb") as out:
                    out.write(content)
            else:
                folder = staged.store("v", ext)
                for path, data in content.items():
                    folder[path] = data

    def we_insert(self, which, rows):
        if not self.case.staged:
            return self.both.ours.insert(which, self.names[which], rows=[{"id": note(i), "v": v.given} for i, v in rows])
        for i, v in rows:
            self.both.ours.stage(which, self.names[which], row={"id": note(i)}, attribute="v", object=v.given)
        return len(rows)

    def they_read(self, step, which, ids):
        """All rows at once, or, if one of them cannot be read, each by itself."""
        table = self.tables[which] & f"id in ({', '.join(map(str, ids))})"
        try:
            rows = table.to_dicts()
        except Exception:
            rows = [row for id_ in ids for row in self.attempt(step, (table & {"id": id_}).to_dicts) or []]
        as_note = attached if self.case.type.startswith("<attach") else note
        return {row["id"]: note(None) if row["v"] is None else as_note(row["v"]) for row in rows}

    def read(self, which, step, ids=None, there=False, count=True):
        """All rows of a table, or some, by them (`there`) or by us: {id: notation} of those that were read."""
        rows = self.rows[which]
        if there:
            found = self.they_read(step if count else None, which, list(rows) if ids is None else ids)
        else:
            read = self.attempt(step, lambda: self.both.ours.fetch(which, self.names[which])) or []
            found = {int(row["id"]["v"]): row["v"] for row in read}
            if read and found.keys() != rows.keys():
                self.problem(step, f"there should be {sorted(rows)}; we see {sorted(found)}")
        for id_ in found.keys() & (rows if ids is None else ids):
            value = self.case.read_there(self.both.server.kind, rows[id_]) if there else rows[id_]
            if wrong := difference(value, found[id_]):
                self.problem(step, f"row {id_}: {wrong}")
            elif count:
                self.cells[step].equal()
        return found

    # the steps, each over all types before the next one

    def write(self):
        case = self.case
        made = type(case.class_name, (dj.Manual,), {"definition": case.definition})
        self.tables["theirs"] = self.schemas["theirs"](made)()
        self.names["theirs"] = self.tables["theirs"].table_name
        self.names["ours"] = self.both.ours.declare(
            "ours", **{"class": case.class_name, "definition": case.definition})
        self.tables["ours"] = self.schemas["ours"].get_table(self.names["ours"])

        # The last row of a table has the value of the first one, and is deleted by the other side.
        values = dict(enumerate([*case.values, case.values[0]]))
        self.first, self.last = 0, max(values)
        self.second = values[1]
        step = "it writes, we read"
        try:
            assert not case.staged
            self.tables["theirs"].insert([{"id": id_, "v": v.python} for id_, v in values.items()])
            self.rows["theirs"] = {id_: v.wanted for id_, v in values.items()}
        except Exception:
            for id_, value in values.items():
                if self.attempt(step, lambda: self.they_insert("theirs", id_, value)):
                    self.rows["theirs"][id_] = value.wanted
        self.read("theirs", step, there=False)
        step = "we write, it reads"
        if self.attempt(step, lambda: self.we_insert("ours", list(values.items()))):
            self.rows["ours"] = {i: v.wanted for i, v in values.items()}
        self.read("ours", step, there=True)

    def write_into_the_other(self):
        """A table that one side declared, and has rows in, takes rows of the other."""
        if self.case.staged:
            return
        value, id_ = self.second, self.last + 1
        step = "it writes, we read"
        if self.attempt(step, lambda: self.they_insert("ours", id_, value)):
            self.rows["ours"][id_] = value.wanted
            self.read("ours", step, [id_], there=False)
        step = "we write, it reads"
        if self.attempt(step, lambda: self.we_insert("theirs", [(id_, value)])):
            self.rows["theirs"][id_] = value.wanted
            self.read("theirs", step, [id_], there=True)

    def we_change_its(self):
        step = "we update its"
        if not self.case.staged and self.first in self.rows["theirs"]:
            row = {"id": note(self.first), "v": self.second.given}
            if self.attempt(step, lambda: self.both.ours.update("theirs", self.names["theirs"], row=row)):
                self.rows["theirs"][self.first] = self.second.wanted
                self.read("theirs", step, [self.first], there=True)
        step = "we delete its"
        if self.last in self.rows["theirs"]:
            self.attempt(step, lambda: self.both.ours.remove("theirs", self.names["theirs"], where=f"id = {self.last}"))
            self.gone(step, "theirs")

    def it_changes_ours(self):
        step = "it updates ours"
        if not self.case.staged:
            row = {"id": self.first, "v": self.second.python}
            if self.attempt(step, lambda: self.tables["ours"].update1(row)):
                self.rows["ours"][self.first] = self.second.wanted
                self.read("ours", step, [self.first], there=False)
        step = "it deletes ours"
        self.attempt(step, lambda: (self.tables["ours"] & {"id": self.last}).delete(prompt=False))
        self.gone(step, "ours")

    def gone(self, step, which):
        del self.rows[which][self.last]
        wanted = sorted(self.rows[which])
        ours = [int(row["id"]["v"]) for row in self.both.ours.fetch(which, self.names[which], attributes=["id"])]
        theirs = sorted(self.tables[which].to_arrays("id").tolist())
        if ours == wanted == theirs:
            self.cells[step].equal()
        else:
            self.problem(step, f"there should be {wanted}; we see {ours}, it sees {theirs}")

    def read_again(self):
        """After its collector: all rows, by both sides, and what the two say of an object is the same."""
        step = "after its collector"
        for which, rows in self.rows.items():
            ours, theirs = self.read(which, step, there=False), self.read(which, step, there=True, count=False)
            for id_ in theirs:
                here, there = ours[id_].get("at", {}), theirs[id_].get("at", {})
                for name in here.keys() & there.keys():
                    if here[name] != there[name]:
                        self.problem(step, f"row {id_}: {name} is {here[name]!r} here, {there[name]!r} there")


class Leaks:
    """What lies in the stores and no row refers to: as we find it and as they do."""

    def __init__(self, both, problems):
        self.both, self.problems, self.known = both, problems, set()

    def look(self, when, more=False):
        """Everything that a row refers to is there, whole; `more`: others may have left files since the last look."""
        audit = self.both.ours.audit(deep=True)
        found = set(audit["leaks"])
        self.problems += [f"{when}: {fault}" for fault in audit["faults"]]
        self.problems += [f"{when}: {path} leaks" for path in sorted(found - self.known) if not more]
        self.known = found
        return found

    def collect_there(self, schemas):
        """Its orphans are what we found; but for partitioned objects, which it does not look for."""
        if self.both.ours.audit(grace=3600)["leaks"]:
            self.problems.append("what is younger than an hour is called a leak")
        orphans, removed = set(), 0
        for store in STORES:
            report = dj.gc.GarbageCollector(*schemas, store=store).collect(dry_run=False)
            orphans |= {f"{store}: {path}" for path in report["orphaned_hash_paths"] + report["orphaned_schema_paths"]}
            self.problems += [f"its collector: {e}" for e in report["scan_errors"]]
            removed += report["deleted"]
        wanted = {path for path in self.known if not path.startswith("parted: _schema/")}
        self.problems += [f"{path} is no orphan there" for path in sorted(wanted - orphans)]
        self.problems += [f"{path} is an orphan there" for path in sorted(orphans - wanted)]
        if removed != len(orphans) or not removed:
            self.problems.append(f"its collector removed {removed} of {len(orphans)} files")
        return removed


def main():
    problems = []
    with Beside(*sys.argv[1:3], in_s3="s3" in sys.argv) as both:
        schemas = {"theirs": dj.Schema("theirs"), "ours": dj.Schema("ours")}
        comparisons = [Comparison(both, case, schemas, problems) for case in all_cases(both.folder)]
        if both.s3:
            for store in STORES:
                both.s3.take(both.folder / store, store)
        leaks = Leaks(both, problems)

        def each(step):
            for comparison in comparisons:
                getattr(comparison, step)()

        each("write")
        each("write_into_the_other")
        leaks.look("after writing", more=True)  # what it refused had been stored
        each("we_change_its")
        leaks.look("after our changes")
        each("it_changes_ours")
        left = leaks.look("after its changes", more=True)
        removed = leaks.collect_there(schemas.values())
        still = leaks.look("after its collector")
        each("read_again")
        for path in () if both.s3 else still:  # as if it had been left long ago
            os.utime(both.folder.joinpath(*path.split(": ", 1)), (0, 0))
        both.ours.audit(repair=True)
        left = leaks.look("after our audit")
        if not still or left != (still if both.s3 else set()):  # what is young may get its row yet
            problems.append(f"our audit had {sorted(still)} to remove, and left {sorted(left)}")
        each("read_again")
        print(f"{len(comparisons)} types; its changes left {len(left)} files without a row, its collector removed {removed}")
        problems += matrix.compare(f"rows on {both.server.kind}", matrix.table(comparisons), "--rewrite" in sys.argv)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
