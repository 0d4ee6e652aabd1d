#!/usr/bin/env python3
"""Schemas that DataJoint for Python declared, used here without a definition: headings, tiers, lineage and hidden columns;
and codecs that only it has.

    schemas.py SIDE postgresql|mariadb|mysql      exit 0: all as expected; 1: differences were printed; 77: skipped
"""
import datetime as dt
import json
import sys
import uuid

from beside import Beside, check, dj, note, np, problems, refused


def declare():
    """Every tier, references within and between schemas, renamed, nullable and in chains, a singleton, a job table."""
    lab, other = dj.Schema("lab"), dj.Schema("other")

    @lab
    class Species(dj.Lookup):
        definition = "species : varchar(20)  # latin\n---\nlegs = 4 : int8"
        contents = [("mus", 4), ("homo", 2)]

    @lab
    class Subject(dj.Manual):
        definition = """
        # who is looked at
        tame : bool
        subject : enum('a','b c')  # by letter
        ---
        -> [nullable] Species
        born = null : date
        notes = null : <blob>
        """

    @lab
    class Session(dj.Manual):
        definition = """
        -> Subject
        session : int16
        ---
        -> Species.proj(diet_of='species')
        at = CURRENT_TIMESTAMP : datetime
        settings = null : json
        movie = null : <object@main>
        unique index (at, diet_of)
        """

        class Trial(dj.Part):
            definition = "-> master\ntrial : int16\n---\nweight = null : decimal(6,2)\ntrace = null : <npy@cold>"

    @lab
    class Raw(dj.Imported):
        definition = "-> Session\n---\nraw : <blob>"

        def make(self, key):
            self.insert1({**key, "raw": np.arange(4)})

    @lab
    class Stats(dj.Computed):
        definition = "-> Raw\n---\nmean : float64"

        class Cell(dj.Part):
            definition = "-> master\ncell : int8\n---\nrate = null : float32"

        def make(self, key):
            self.insert1({**key, "mean": (Raw & key).fetch1("raw").mean()})
            self.Cell.insert1({**key, "cell": 1, "rate": 0.5})

    @lab
    class Step(dj.Lookup):
        definition = "step : int32"
        contents = [(1,), (2,)]

    @lab
    class Done(dj.Computed):
        definition = "-> Step\n---\nat : datetime"

        def make(self, key):
            self.insert1({**key, "at": dt.datetime(2024, 1, 1)})

    @lab
    class Only(dj.Lookup):
        definition = "---\nversion : int32"

    @other
    class Remark(dj.Manual):
        definition = "-> Session.proj(tame_one='tame')\nnumber : int32\n---\n-> [nullable] Stats.proj(b='session', c='tame', d='subject')"

    Subject.insert([{"tame": tame, "subject": s, "species": "mus", "born": dt.date(2020, 1, 2), "notes": [s]}
                    for tame in (True, False) for s in ("a", "b c")])
    Session.insert1({"tame": True, "subject": "a", "session": 1, "diet_of": "homo", "settings": {"gain": 2}, "movie": b"m"})
    Session.Trial.insert1({"tame": True, "subject": "a", "session": 1, "trial": 1, "weight": "1.25",
                           "trace": np.eye(2)})
    Raw.populate()
    Stats.populate()
    Done.populate({"step": 1}, reserve_jobs=True)
    Only.insert1({"version": 5})
    Remark.insert1({"tame_one": True, "subject": "a", "session": 1, "number": 1})
    return lab, other, locals()


def as_they_are(both, schemas):
    """Tables, headings and rows are here what they are there."""
    for schema in schemas:
        there = sorted(schema.list_tables())
        check(f"tables of {schema.database}", there, sorted(both.ours.tables(schema.database)))
        for name in there:
            table = schema.get_table(name)
            what, ours = f"{schema.database}.{name}", both.ours.heading(schema.database, name)
            attributes = table.heading.attributes and table.heading._attributes
            check(f"attributes of {what}", list(attributes), [a["name"] for a in ours])
            for a in ours:
                theirs = attributes[a["name"]]
                check(f"{what}.{a['name']}", {
                    "in_key": theirs.in_key, "nullable": theirs.nullable, "hidden": a["name"].startswith("_"),
                    "codec": theirs.codec.name if theirs.codec else "", "lineage": theirs.lineage or "",
                    **({"type": theirs.original_type} if theirs.original_type else {})}, a)
            rows = both.ours.fetch(schema.database, name)
            same_kind = both.server.is_postgres
            for row, theirs in zip(rows, table.to_dicts(order_by=table.primary_key or None)):
                for attribute, value in theirs.items():
                    if not same_kind and row[attribute]["t"] == "bool":
                        value = bool(value)
                    check(f"row of {what}.{attribute}", note(value), row[attribute])
            if len(rows) != len(table.to_dicts()):
                problems.append(f"{what}: {len(rows)} rows here")


def hidden(both, schema, table, where):
    names = [a["name"] for a in both.ours.heading(schema, table) if a["hidden"]]
    quote = '"{}"' if both.server.is_postgres else "`{}`"
    full = f"{quote.format(schema)}.{quote.format(table)}"
    row = dj.conn().query(f"SELECT {', '.join(names)} FROM {full} WHERE {where}").fetchone()
    return dict(zip(names, row))


def add_ours(both, t):
    """Rows of ours in its tables, with what it tells in hidden columns; then its deletes and ours."""
    ours = both.ours
    key = {"tame": note(False), "subject": note("b c"), "session": note(7)}
    ours.insert("lab", "session", rows=[{**key, "diet_of": note("mus"), "at": note(dt.datetime(2024, 1, 2, 3, 4, 5)),
                                         "movie": {"t": "file", "ext": ".mp4", "hex": "00ff"}}])
    ours.insert("lab", "session__trial", rows=[{**key, "trial": note(n), "trace": note(np.arange(3))} for n in (1, 2)])
    ours.insert("lab", "_raw", rows=[{**key, "raw": note([1, 2])}])
    before = dt.datetime.now() - dt.timedelta(seconds=2)
    ours.insert("lab", "__stats", rows=[{**key, "mean": note(1.5)}])
    ours.insert("other", "remark", rows=[{"tame_one": note(False), "subject": note("b c"), "session": note(7), "number": note(2),
                                          "b": note(7), "c": note(False), "d": note("b c")}])
    check("its view of our rows", 2, len(t["Session"].Trial & {"session": 7}))
    check("joined there", 2, len(t["Session"] * t["Session"].Trial & {"session": 7}))
    check("joined there, in another schema", 1,
          len(t["Remark"].proj(..., session_of="session") * t["Species"] & {"session_of": 7, "species": "mus"}))
    job = hidden(both, "lab", "__stats", "session = 7")
    if not (before < job["_job_start_time"] < dt.datetime.now() + dt.timedelta(seconds=1) and 0 <= job["_job_duration"] < 60
            and job["_job_version"] == ""):
        problems.append(f"job metadata: {job}")
    mine, its = (json.loads(text) if isinstance(text := hidden(both, "lab", "session", f"session = {n}")["_prov"], str) else text
                 for n in (7, 1))
    mine_at, its_at = (dt.datetime.fromisoformat(p.pop("time")) for p in (mine, its))
    check("provenance", its, mine)
    if not abs(mine_at - its_at) < dt.timedelta(minutes=10):
        problems.append(f"time of provenance: {mine_at}, there {its_at}")
    refused("a hidden attribute", ["unknown_attribute", "_prov"], lambda: ours.insert(
        "lab", "subject", rows=[{"tame": note(True), "subject": note("a"), "_prov": note("x")}]))
    refused("an unknown parent", ["constraint"], lambda: ours.insert("lab", "_raw", rows=[
        {"tame": note(True), "subject": note("b c"), "session": note(99), "raw": note(1)}]))

    (t["Session"] & {"session": 7}).delete(prompt=False)  # reaches the part, what is computed, and the other schema
    for name in ("session__trial", "_raw", "__stats"):
        check(f"{name} after its delete", [], [r for r in ours.fetch("lab", name) if r["session"]["v"] == "7"])
    check("the other schema after its delete", 1, len(ours.fetch("other", "remark")))
    ours.remove("lab", "subject", where="subject = 'a' and tame = true")
    check("rows after our delete", [3, 0, 0, 0, 0, 0, 0],
          [len(table()) for table in (*(t[n] for n in ("Subject", "Session", "Raw", "Stats", "Remark")),
                                      t["Session"].Trial, t["Stats"].Cell)])


def unknown_codecs(both, lab):
    """Codecs that are not known here: the other attributes can be read, and nothing is collected."""

    class Graph(dj.Codec):
        name = "graph"

        def get_dtype(self, is_store):
            return "<hash>"

        def encode(self, value, *, key=None, store_name=None):
            return value.encode()

        def decode(self, stored, *, key=None):
            return bytes(stored).decode()

    # On MariaDB it cannot insert into a chain that ends in <hash>: the column is no json there.
    type_ = "<hash@main>" if both.server.kind == "mariadb" else "<graph@main>"

    @lab
    class Network(dj.Manual):
        definition = f"id : int32\n---\nwords : varchar(20)\nlinks : {type_}"

    Network.insert1({"id": 1, "words": "seen", "links": b"a-b" if type_ == "<hash@main>" else "a-b"})
    if type_ == "<hash@main>":
        dj.conn().query("ALTER TABLE `lab`.`network` MODIFY links json NOT NULL COMMENT ':<graph@main>:'")
    ours = both.side()  # one that has read nothing yet
    check("the attributes that are known", [{"id": note(1), "words": note("seen")}],
          ours.fetch("lab", "network", attributes=["words"]))
    check("its type", "<graph@main>", ours.heading("lab", "network")[2]["type"])
    refused("fetching it", ["graph"], lambda: ours.fetch("lab", "network"))
    refused("inserting", ["unsupported", "<graph@main>"], lambda: ours.insert(
        "lab", "network", rows=[{"id": note(2), "words": note(""), "links": note("")}]))
    refused("deleting", ["unsupported", "<graph@main>"], lambda: ours.remove("lab", "network"))
    refused("an audit", ["unsupported", "<graph@main>"], ours.audit)
    # What other tables no longer need stays: a row of the unknown codec may name it.
    ours.declare("lab", **{"class": "Hashes", "definition": "id : int32\n---\nh : <hash@main>"})
    ours.insert("lab", "hashes", rows=[{"id": note(1), "h": note(b"a-b")}, {"id": note(2), "h": note(b"other")}])
    stored = sorted(f for f in (both.folder / "main" / "_hash" / "lab").rglob("*") if f.is_file())
    check("rows deleted beside it", 2, ours.remove("lab", "hashes"))
    refused("collecting", ["unsupported", "<graph@main>"], ours.collect)
    check("objects", [str(f) for f in stored],
          [str(f) for f in sorted((both.folder / "main" / "_hash" / "lab").rglob("*")) if f.is_file()])
    Network.delete_quick()
    Network.drop(prompt=False)
    check("collected without it", {"waiting": 0, "removed": 2}, ours.collect())
    ours.close()


def main():
    with Beside(*sys.argv[1:3], jobs={"add_job_metadata": True},
                provenance={"capture": True, "source": {"rig": "one", "n": [1, None]}}) as both:
        lab, other, tables = declare()
        as_they_are(both, (lab, other))
        add_ours(both, tables)
        as_they_are(both, (lab, other))
        unknown_codecs(both, lab)
        if faults := both.ours.audit(deep=True)["faults"]:
            problems.append(str(faults))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
