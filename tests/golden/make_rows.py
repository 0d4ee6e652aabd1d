#!/usr/bin/env python3
"""Makes golden rows with the reference on both databases: python3 make_rows.py FOLDER [SEED]

Needs datajoint 2.3.5, psycopg2, PyMySQL and numpy 2, and the programs of PostgreSQL and MariaDB, which it starts on ports of
this machine and stops again. Writes FOLDER/rows as rows/README.md describes it. Names of the schema, tables, attributes
and stores, and all values, follow from SEED.
"""
import datetime as dt
import decimal
import hashlib
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).resolve().parent


# --- servers

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_user(user, command):
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else command


class Server:
    def __init__(self, backend, folder):
        self.backend, self.folder, self.port = backend, folder, free_port()
        self.bin = "/usr/lib/postgresql/15/bin/"
        data = folder / "data"
        data.mkdir()
        if backend == "postgresql":
            if os.geteuid() == 0:
                shutil.chown(folder, "postgres")
                shutil.chown(data, "postgres")
            self.run(as_user("postgres", [self.bin + "initdb", "-D", str(data), "-U", "dj", "-A", "trust", "--locale=C.UTF-8"]))
            command = as_user("postgres", [self.bin + "postgres", "-D", str(data), "-p", str(self.port), "-k", str(folder)])
        else:
            self.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
                      *(["--user=root"] if os.geteuid() == 0 else [])])
            command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={self.port}", f"--socket={folder}/s",
                       "--bind-address=127.0.0.1", "--character-set-server=utf8mb4", *(["--user=root"] if os.geteuid() == 0 else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            time.sleep(0.1)
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                pass
        time.sleep(1)
        if backend == "mysql":
            self.run(["mariadb", "--no-defaults", f"--socket={folder}/s", "-uroot", "-e",
                      "CREATE USER dj@'127.0.0.1' IDENTIFIED BY 'dj'; GRANT ALL ON *.* TO dj@'127.0.0.1';"])
        else:
            self.run([self.bin + "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dj", "dj"])

    @staticmethod
    def run(command):
        return subprocess.run(command, check=True, capture_output=True).stdout

    def dump(self, schema):
        if self.backend == "postgresql":
            return self.run([self.bin + "pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", "dj", "--inserts",
                             "--no-owner", "-n", schema, "dj"])
        return self.run(["mariadb-dump", "--no-defaults", f"--socket={self.folder}/s", "-uroot", "--hex-blob",
                         "--databases", schema])

    def stop(self):
        if self.backend == "postgresql":
            self.run(as_user("postgres", [self.bin + "pg_ctl", "-D", str(self.folder / "data"), "stop", "-m", "fast"]))
        else:
            self.process.terminate()
        self.process.wait()


# --- one run of the reference, in a process of its own

def listing(root):
    files = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            files[str(path.relative_to(root))] = {"path": str(path.relative_to(root)), "size": len(data),
                                                  "sha256": hashlib.sha256(data).hexdigest()}
    return files


class Run:
    def __init__(self, backend, port, root, out, seed):
        self.backend, self.port, self.root, self.out = backend, port, root, out
        self.r = random.Random(seed)
        os.environ.update(DJ_HOST="127.0.0.1", DJ_PORT=str(port), DJ_USER="dj", DJ_PASS="dj", DJ_BACKEND=backend,
                          DJ_IGNORE_CONFIG_FILE="true", DJ_USE_TLS="false")
        if backend == "postgresql":
            os.environ["DJ_DATABASE_NAME"] = "dj"
        os.chdir(root.parent)
        sys.path.insert(0, str(HERE))
        global dj, np, formats
        import datajoint as dj
        import numpy as np
        import make_formats as formats
        from datajoint import storage
        tokens = random.Random(f"{seed} tokens")
        storage.generate_token = lambda length=8: "".join(
            tokens.choice(storage.TOKEN_ALPHABET) for _ in range(max(4, min(16, length))))
        dj.config.safemode = False
        dj.config.download_path = str(root.parent / "downloads")
        self.connection = dj.conn()
        self.log = None
        original = type(self.connection).query

        def query(connection, sql, args=(), **more):
            word = sql.split(None, 1)[0].upper() if sql.strip() else ""
            if self.log is not None and word in ("INSERT", "REPLACE", "UPDATE", "DELETE", "BEGIN", "START", "COMMIT", "ROLLBACK"):
                self.log.append({"sql": sql, "args": [formats.note(a) for a in args]})
            return original(connection, sql, args, **more)

        type(self.connection).query = query
        self.lines, self.tables, self.classes = [], [], {}

    # values

    def name(self, prefix):
        return prefix + "".join(self.r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(self.r.randint(1, 5)))

    def local(self, name, content):
        path = self.root.parent / "local" / str(self.r.randrange(10**9)) / name
        path.parent.mkdir(parents=True)
        if isinstance(content, dict):
            for part, data in content.items():
                (path / part).parent.mkdir(parents=True, exist_ok=True)
                (path / part).write_bytes(data)
        else:
            path.write_bytes(content)
        return path

    def note(self, v):
        if isinstance(v, pathlib.Path):
            return {"t": "localpath", "name": v.name, "is_dir": v.is_dir()}
        if type(v).__name__ == "NpyRef":
            return {"t": "npyref", "path": v.path, "store": v.store, "shape": list(v.shape), "dtype": str(v.dtype),
                    "array": formats.note(v.load())}
        if type(v).__name__ == "ObjectRef":
            names = ("path", "size", "hash", "ext", "is_dir", "timestamp", "url", "store", "mime_type", "item_count")
            made = {n: getattr(v, n) for n in names}
            if made["timestamp"] is not None:
                made["timestamp"] = made["timestamp"].isoformat()
            return {"t": "objectref", **made}
        if isinstance(v, str) and v.startswith(dj.config.download_path) and os.path.isfile(v):
            path = pathlib.Path(v)
            made = {"t": "attached", "name": path.name, "hex": path.read_bytes().hex()}
            path.unlink()
            return made
        return formats.note(v)

    # what is there

    def declare(self, name, tier, definition, parts=()):
        body = {"definition": definition}
        for part, text in parts:
            body[part] = type(part, (dj.Part,), {"definition": text})
        self.classes[name] = self.schema(type(name, (getattr(dj, tier),), body), context=dict(self.classes))
        self.tables.append({"class": name, "tier": tier, "definition": definition, "parts": [list(p) for p in parts]})
        return self.classes[name]

    def raw(self, table, where=""):
        quote = '"{}"' if self.backend == "postgresql" else "`{}`"
        columns = self.connection.query(
            f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{self.schema.database}' "
            f"AND table_name = '{table.table_name}' ORDER BY ordinal_position").fetchall()
        picks = []
        for column, kind in columns:
            q = quote.format(column)
            if self.backend == "postgresql":
                picks.append(f"encode({q}, 'hex')" if kind == "bytea" else f"{q}::text")
            else:
                binary = kind in ("longblob", "binary", "blob", "varbinary")
                picks.append(f"LOWER(HEX({q}))" if binary else f"CAST({q} AS CHAR)")
        rows = self.connection.query(f"SELECT {', '.join(picks)} FROM {table.full_table_name}{where}").fetchall()
        return [dict(zip([c for c, _ in columns], row)) for row in rows]

    def where(self, table, row):
        quote = '"{}"' if self.backend == "postgresql" else "`{}`"
        parts = []
        for name in table.heading.primary_key:
            value = row[name]
            text = str(value).replace("'", "''")
            if self.backend == "mysql":
                text = text.replace("\\", "\\\\")
            parts.append(f"{quote.format(name)} = '{text}'".replace("%", "%%"))
        return (" WHERE " + " AND ".join(parts)) if parts else ""

    def case(self, name, table, op, row, call, everything=False, note=None):
        before = listing(self.root)
        self.log = []
        line = {"name": name, "table": table.table_name, "class": type(table).__name__, "op": op,
                "row": [[k, self.note(v)] for k, v in row.items()]}
        try:
            call()
        except Exception as e:
            line["error"] = f"{type(e).__name__}: {e}"
            line["error_class"] = [f"{c.__module__}.{c.__name__}" for c in type(e).__mro__[:4]]
            if self.connection.in_transaction:
                self.connection.cancel_transaction()
        statements, self.log = self.log, None
        after = listing(self.root)
        line["statements"] = statements
        line["new_files"] = [f for p, f in after.items() if before.get(p) != f]
        if "error" not in line:
            where = "" if everything else self.where(table, row)
            line["raw"] = self.raw(table, where)
            try:
                keys = {} if everything else {k: row[k] for k in table.heading.primary_key}
                fetched = (table & keys).to_dicts() if keys or everything else table.to_dicts()
                line["fetched"] = [[[k, self.note(v)] for k, v in one.items()] for one in fetched]
            except Exception as e:
                line["fetch_error"] = f"{type(e).__name__}: {e}"
        if note:
            line["note"] = note
        self.lines.append(line)

    def insert(self, name, cls, row, **options):
        self.case(name, cls(), "insert1", row, lambda: cls.insert1(row, **options))

    # the sequence

    def go(self):
        r = self.r
        one, two, three = self.name("s_"), self.name("t_"), self.name("u_")
        stores = {"default": one, "filepath_default": one, one: {"protocol": "file", "location": str(self.root / one)},
                  two: {"protocol": "file", "location": str(self.root / two),
                        "subfolding": [r.randint(1, 4) for _ in range(r.randint(1, 3))], "hash_prefix": self.name("h"),
                        "schema_prefix": "/" + self.name("x") + "/y/", "filepath_prefix": self.name("f"),
                        "token_length": r.randint(2, 18)},
                  three: {"protocol": "file", "location": str(self.root / three), "partition_pattern": "{kind}/{day}",
                          "token_length": 4}}
        for name in (one, two, three):
            (self.root / name).mkdir(parents=True)
        incoming, prefix = self.name("in"), stores[two]["filepath_prefix"]
        for path in (f"{one}/{incoming}/a b.bin", f"{one}/{incoming}/deep/c", f"{two}/{prefix}/z.bin"):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(r.randbytes(r.randint(1, 20)))
        dj.config.stores = stores
        self.stores = stores
        self.schema = dj.Schema(self.name("lab_"))
        x, y, z = self.name("x"), self.name("y"), self.name("z")

        plain = self.declare(self.name("Plain").capitalize(), "Manual", f"""
            id : int32
            ---
            {x}a=null : int8
            {x}b=null : int64
            {x}c=null : float32
            {x}d=null : float64
            {x}e=null : bool
            {x}f=null : decimal(12,3)
            {x}g=null : char(6)
            {x}h=null : varchar(50)
            {x}i=null : enum('one','two words','three')
            {x}j=null : date
            {x}k=null : datetime
            {x}l=null : datetime(3)
            {x}m=null : datetime(6)
            {x}n=null : json
            {x}o=null : bytes
            {x}p=7 : int16
            {x}q='dflt' : varchar(9)""")
        inside = self.declare(self.name("Inside").capitalize(), "Manual",
                              f"id : int32\n---\n{y}=null : <blob>\n{z}=null : <attach>")
        stored = self.declare(self.name("Stored").capitalize(), "Manual", f"""
            name : varchar(60)
            day : date
            run : int16
            ---
            b_{y}=null : <blob@{one}>
            h=null : <hash@{one}>
            a_{z}=null : <attach@{one}>
            n=null : <npy@{one}>
            o=null : <object@{one}>
            f=null : <filepath@{one}>""")
        folded = self.declare(self.name("Folded").capitalize(), "Lookup", f"""
            id : int32
            at : datetime(6)
            ---
            b=null : <blob@{two}>
            n_{x}=null : <npy@{two}>
            o=null : <object@{two}>
            f=null : <filepath@{two}>
            h=null : <hash@{two}>""")
        parted = self.declare(self.name("Parted").capitalize(), "Manual", f"""
            day : date
            kind : varchar(20)
            n_th : int32
            ---
            n=null : <npy@{three}>
            o=null : <object@{three}>""")
        owner = self.declare(self.name("Owner").capitalize(), "Manual", "own : int32\n---\ntext='' : varchar(20)",
                             [("Bit", f"-> master\nbit : int16\n---\nw : <npy@{one}>")])
        child = self.declare(self.name("Child").capitalize(), "Computed", f"-> {owner.__name__}\n---\nmean : float64\nt : <blob>")

        self.scalars(plain, x)
        self.in_table(inside, y, z)
        self.in_stores(stored, y, z, incoming)
        for i in range(12):
            key = {"id": i, "at": dt.datetime(r.randint(1000, 9000), 2, 3, 4, 5, 6, r.randint(0, 999999))}
            self.insert(f"folded_{i}", folded, {**key, **r.choice([
                {"b": formats.random_value(r)}, {f"n_{x}": self.array()}, {"o": r.randbytes(5)}, {"h": r.randbytes(9)},
                {"o": self.local(self.name("d"), self.folder())}, {"f": f"{prefix}/z.bin"}, {"f": "elsewhere/z.bin"}])})
        for i in range(6):
            key = {"day": dt.date(2000 + i, 1, 1), "kind": r.choice(["a", "b/c", "d e"]), "n_th": i}
            self.insert(f"parted_{i}", parted, {**key, **r.choice([{"n": self.array()}, {"o": r.randbytes(3)}])})
        last = {k: v for k, v in key.items()}
        self.case("update_n", parted(), "update1", {**last, "n": np.arange(4)}, lambda: parted.update1({**last, "n": np.arange(4)}))
        self.case("update_missing", parted(), "update1", {**last, "n_th": 99, "n": np.arange(4)},
                  lambda: parted.update1({**last, "n_th": 99, "n": np.arange(4)}))
        self.staged(stored)
        for i in range(4):
            self.insert(f"owner_{i}", owner, {"own": i, "text": "t" * i})
            self.insert(f"bit_{i}", owner.Bit, {"own": i, "bit": 1, "w": self.array()})
        self.insert("bit_orphan", owner.Bit, {"own": 99, "bit": 1, "w": self.array()})
        self.insert("child_refused", child, {"own": 1, "mean": 1.0, "t": [1]})
        self.insert("child", child, {"own": 1, "mean": 1.5, "t": {"a": [1, 2.5, None]}}, allow_direct_insert=True)
        self.case("delete", owner(), "delete", {}, lambda: (owner & {"own": 1}).delete(prompt=False), everything=True)
        self.case("delete_where", owner(), "delete", {}, lambda: (owner & "own > 2").delete(prompt=False), everything=True)

    def array(self):
        r = self.r
        kinds = ["f8", "f4", "i2", "u8", "?", "c16", "U3", "M8[us]", ">i4", [("a", "<f8"), ("b", "<i4")]]
        shape = tuple(r.randint(0, 4) for _ in range(r.randint(0, 3)))
        data = np.frombuffer(r.randbytes(8 * max(1, int(np.prod(shape)))), "i8")[: int(np.prod(shape))].reshape(shape)
        kind = r.choice(kinds)
        if isinstance(kind, list):
            made = np.zeros(shape, kind)
            made["b"] = data % 1000
            return made
        made = np.asarray(data % 100).astype(kind)
        made = np.asarray(made)
        return np.asfortranarray(made) if r.random() < 0.3 else made

    def folder(self):
        r = self.r
        names = ["a.txt", "b", "c/d", "c/e/f", ".hidden", "with blank", "ü", "z/.zarray", "c.txt", "a/b.c"]
        return {n: r.randbytes(r.randint(0, 9)) for n in r.sample(names, r.randint(1, 6))}

    def scalars(self, plain, x):
        r = self.r
        moment = lambda: dt.datetime(r.randint(1000, 9999), r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), 59, 58,
                                     r.choice([0, 123000, 123456]))
        text = lambda n: "".join(r.choice("ab'\"\\%{};ü☃ \n🐭") for _ in range(n)).strip()
        makers = {"a": lambda: r.randint(-128, 127), "b": lambda: r.randint(-2**63, 2**63 - 1),
                  "c": lambda: r.choice([r.random(), 1e10, 3, -0.0]), "d": lambda: r.choice([r.random(), 1e300, 5e-324, 7]),
                  "e": lambda: r.random() < 0.5, "f": lambda: decimal.Decimal(r.randint(-10**9, 10**9)).scaleb(-r.randint(0, 5)),
                  "g": lambda: text(r.randint(0, 6)), "h": lambda: text(r.randint(0, 40)),
                  "i": lambda: r.choice(["one", "two words", "three"]), "j": lambda: moment().date(), "k": moment, "l": moment,
                  "m": moment, "n": lambda: r.choice([{"b": 1, "aa": [1, 2.5, None, True, "ü"]}, [], [[{}]], 5, 2.5, True]),
                  "o": lambda: r.randbytes(r.randint(0, 9)), "p": lambda: r.randint(0, 9), "q": lambda: "q"}
        number = 0
        for letter, make in makers.items():
            for _ in range(3):
                number += 1
                self.insert(f"plain_{letter}_{number}", plain, {"id": number, x + letter: make()})
        for row in [{x + "a": 300}, {x + "a": 1000000}, {x + "e": 1}, {x + "e": 2}, {x + "f": 2.5}, {x + "f": "1.25"},
                    {x + "i": "TWO WORDS"}, {x + "i": "four"}, {x + "h": "h" * 60}, {x + "j": "2024-02-30"},
                    {x + "j": "2024-02-29"}, {x + "k": "2024-02-29 01:02:03"}, {x + "c": float("nan")}, {x + "d": float("nan")},
                    {x + "d": float("-inf")}, {x + "p": None}, {x + "p": float("nan")}, {x + "n": "text"}, {x + "o": "text"},
                    {x + "o": bytearray(b"ab")}, {"nothing": 1}, {x + "a": "5"}, {x + "a": 1.5}, {x + "q": 5}]:
            number += 1
            self.insert(f"plain_odd_{number}", plain, {"id": number, **row})
        self.insert("plain_again", plain, {"id": 1})
        self.insert("plain_skip", plain, {"id": 1}, skip_duplicates=True)
        self.insert("plain_extra", plain, {"id": number + 1, "nothing": 1}, ignore_extra_fields=True)
        self.insert("plain_replace", plain, {"id": 1, x + "a": 5}, replace=True)

    def in_table(self, inside, y, z):
        for i in range(30):
            self.insert(f"inside_{i}", inside, {"id": i, y: formats.random_value(self.r)})
        for i, name in enumerate(["a.txt", "b", "c d.tar.gz", "ü.bin"]):
            self.insert(f"inside_attach_{i}", inside, {"id": 100 + i, z: self.local(name, self.r.randbytes(i * 7))})
        self.insert("inside_big", inside, {"id": 200, y: np.zeros(5000)})
        self.insert("inside_null", inside, {"id": 201, y: None})

    def in_stores(self, stored, y, z, incoming):
        r = self.r
        names = ["m1", "a/b:c", "x y", "100%", "ü☃", "..", "n" * 60, "what?", "tab\there"]
        values = [{f"b_{y}": formats.random_value(r)} for _ in range(12)]
        values += [{"n": self.array()} for _ in range(12)] + [{"n": [1]}, {"n": np.array([None])}]
        values += [{"h": r.randbytes(n)} for n in (0, 1, 3000)] + [{"h": "text"}]
        values += [{f"a_{z}": self.local(name, r.randbytes(9))} for name in ("a.txt", "noext", "ü x.y.z")]
        values += [{f"a_{z}": pathlib.Path("/nonexistent/x")}]
        values += [{"o": v} for v in (b"", r.randbytes(9), (".dat", b"x"), ("dat", b"y"), ("", b"z"), 5,
                                      self.local("f.tar.gz", b"1"), self.local("noext", b""), self.local("x.zarr", self.folder()),
                                      self.local("folder", self.folder()), self.local("deep", self.folder()))]
        values += [{"f": v} for v in (f"{incoming}/a b.bin", f"{incoming}/deep", f"{incoming}/deep/c", f"{incoming}/none",
                                      "_hash/x", "_schema/x")]
        values += [{f"b_{y}": [1], "h": b"2", "n": np.arange(3), "o": b"4", "f": f"{incoming}/a b.bin"}, {}]
        for i, value in enumerate(values):
            self.insert(f"stored_{i}", stored, {"name": r.choice(names), "day": dt.date(2024, 1, 1 + i % 28), "run": i, **value})

    def staged(self, stored):
        r = self.r

        def stage(name, ext, parts):
            key = {"name": "staged", "day": dt.date(2025, 1, 1), "run": r.randrange(30000)}

            def call():
                with stored.staged_insert1 as staged:
                    staged.rec.update(key)
                    if isinstance(parts, bytes):
                        with staged.open("o", ext, "wb") as out:
                            out.write(parts)
                    else:
                        mapper = staged.store("o", ext)
                        for part, data in parts.items():
                            mapper[part] = data
                    if name == "fails":
                        raise ZeroDivisionError("as meant")
            self.case(f"staged_{name}", stored(), "staged_insert1", key, call)

        stage("file", ".bin", r.randbytes(12))
        stage("noext", "", r.randbytes(3))
        stage("folder", ".zarr", {"a": b"1", "b/c": b"22", ".z": b""})
        stage("nothing", ".zarr", {})
        stage("fails", ".bin", b"x")

    def close(self):
        stores = json.loads(json.dumps(self.stores).replace(str(self.root), "@ROOT@/store"))
        version = self.connection.query("SELECT version()").fetchone()[0]
        meta = {"backend": self.backend, "version": version, "schema": self.schema.database, "stores": stores,
                "declare_errors": {}, "tables": self.tables}
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / f"{self.backend}_meta.json").write_text(json.dumps(meta, indent=1))
        (self.out / f"{self.backend}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        errors = sum("error" in line for line in self.lines)
        print(f"{self.backend}: {len(self.lines)} operations, {errors} refused")
        return self.schema.database


def main():
    if sys.argv[1] == "--run":
        _, _, backend, port, root, out, seed = sys.argv
        run = Run(backend, int(port), pathlib.Path(root), pathlib.Path(out), seed)
        run.go()
        run.close()
        return
    out = pathlib.Path(sys.argv[1]).resolve() / "rows"
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "store", ignore_errors=True)
    for backend in ("postgresql", "mysql"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="golden-rows-"))
        os.chmod(folder, 0o755)
        server = Server(backend, folder)
        try:
            work = pathlib.Path(tempfile.mkdtemp(prefix="golden-work-"))
            (work / "store").mkdir()
            subprocess.run([sys.executable, __file__, "--run", backend, str(server.port), str(work / "store"), str(out), seed],
                           check=True)
            schema = json.loads((out / f"{backend}_meta.json").read_text())["schema"]
            (out / f"{backend}_dump.sql").write_bytes(server.dump(schema))
            shutil.copytree(work / "store", out / "store", dirs_exist_ok=True)
            shutil.rmtree(work)
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)
    files = listing(out / "store")
    (out / "store_files.jsonl").write_text("".join(json.dumps(f) + "\n" for f in files.values()))
    print(f"{len(files)} files in {out / 'store'}")


if __name__ == "__main__":
    main()
