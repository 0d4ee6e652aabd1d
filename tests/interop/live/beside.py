"""What the tests share that run DataJoint for Python and this library beside each other: an empty database, settings
that both read, our side as a child (side.cpp), and what it reads in our notation of values."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2] / "golden")]
import reference

reference.need()
import datajoint as dj
import numpy as np
from make_formats import note as plain_note

SERVERS = {"postgresql": "OAS_TEST_POSTGRES", "mariadb": "OAS_TEST_MARIADB", "mysql": "OAS_TEST_MYSQL"}
STORES = {"main": {}, "cold": {"subfolding": [2, 3], "hash_prefix": "h", "schema_prefix": "s/t", "token_length": 12},
          "parted": {"partition_pattern": "{id}"}}


class Server:
    """An empty database of a test server, by itself: of PostgreSQL a database that goes in the end; a server of MySQL's
    kind has nothing but its schemas, so the tests take turns."""

    def __init__(self, kind):
        self.kind, self.is_postgres = kind, kind == "postgresql"
        if SERVERS[kind] not in os.environ:
            reference.missing(f"{SERVERS[kind]} is not set. run this under tools/with_servers",
                              always_skipped=kind == "mysql")
        self.url = urllib.parse.urlsplit(os.environ[SERVERS[kind]])
        self.name = f"oas_live_{os.getpid()}"
        self.keeper = self.connect()
        if self.is_postgres:
            self.run(f"CREATE DATABASE {self.name}")
        else:
            assert self.run("SELECT GET_LOCK('oas_tests', 600)") == [(1,)], "another test has the server"
            for schema, in self.run("SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN "
                                    "('information_schema', 'mysql', 'performance_schema', 'sys')"):
                self.run("SET foreign_key_checks = 0")
                self.run(f"DROP DATABASE `{schema}`")

    def connect(self, name=None):
        socket = urllib.parse.parse_qs(self.url.query)["socket"][0]
        if self.is_postgres:
            import psycopg2
            made = psycopg2.connect(host=socket, port=self.url.port, user=self.url.username,
                                    password=self.url.password, dbname=name or self.url.path[1:])
            made.autocommit = True
            return made
        import pymysql
        return pymysql.connect(unix_socket=socket, user=self.url.username, password=self.url.password, autocommit=True)

    def run(self, sql):
        with self.keeper.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def settings(self):
        made = {"backend": "postgresql" if self.is_postgres else "mysql", "host": self.url.hostname,
                "port": self.url.port, "user": self.url.username, "password": self.url.password}
        return {**made, "name": self.name} if self.is_postgres else made

    def close(self):
        if self.is_postgres:
            self.run(f"DROP DATABASE {self.name} WITH (FORCE)")
        self.keeper.close()


class S3:
    """A location of its own in the bucket of versitygw. boto3 and s3fs, for the tests, look for no other credentials."""

    def __init__(self):
        if "OAS_TEST_S3_VERSITYGW" not in os.environ:
            reference.missing("OAS_TEST_S3_VERSITYGW is not set. run tests/servers/get_s3, and this under "
                              "tools/with_servers", always_skipped=True)
        for name in list(os.environ):
            if name.startswith("AWS_"):
                del os.environ[name]
        os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null",
                          AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        self.url = urllib.parse.urlsplit(os.environ["OAS_TEST_S3_VERSITYGW"])
        self.bucket, self.place = self.url.path[1:], f"live-{os.getpid()}-{os.urandom(4).hex()}"

    def entry(self, store):
        return {"protocol": "s3", "endpoint": f"{self.url.hostname}:{self.url.port}", "bucket": self.bucket,
                "location": f"{self.place}/{store}", "access_key": self.url.username,
                "secret_key": self.url.password, "secure": False}

    def files(self):
        """s3fs as DataJoint for Python has it, but without its memory of listings."""
        import s3fs
        return s3fs.S3FileSystem(key=self.url.username, secret=self.url.password, use_listings_cache=False,
                                 client_kwargs={"endpoint_url": f"http://{self.url.hostname}:{self.url.port}"})

    def client(self):
        import boto3
        return boto3.client("s3", endpoint_url=f"http://{self.url.hostname}:{self.url.port}",
                            aws_access_key_id=self.url.username, aws_secret_access_key=self.url.password)

    def take(self, folder, store):
        """What lies in a folder goes to where the store has it."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.files().put_file(str(file), f"{self.bucket}/{self.place}/{store}/{file.relative_to(folder)}")


class Refused(Exception):
    """An error of our side: its code and its message."""


class Side:
    def __init__(self, program, folder):
        self.child = subprocess.Popen([program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __getattr__(self, what):
        def ask(schema=None, table=None, **more):
            self.child.stdin.write(json.dumps({"do": what, "schema": schema, "table": table, **more} if schema else
                                              {"do": what, **more}) + "\n")
            self.child.stdin.flush()
            answer = json.loads(self.child.stdout.readline())
            if "error" in answer:
                raise Refused(f"{answer['error']}: {answer['message']}")
            return answer["ok"]
        return ask

    def close(self):
        self.child.stdin.close()
        assert self.child.wait(60) == 0


class Beside:
    """A folder with settings and stores, in which both work: `with Beside(program, kind) as both`. `in_s3`: the stores
    are there, not folders."""

    def __init__(self, program, kind, in_s3=False, **settings):
        self.s3 = S3() if in_s3 else None
        self.program, self.server = os.path.realpath(program), Server(kind)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="oas-live-"))
        stores = {"default": "main", "filepath_default": "main"}
        for name, more in STORES.items():
            (self.folder / name).mkdir()
            stores[name] = {**(self.s3.entry(name) if self.s3 else
                               {"protocol": "file", "location": str(self.folder / name)}), **more}
        (self.folder / "datajoint.json").write_text(json.dumps({
            "database": self.server.settings(), "stores": stores, "safemode": False,
            "download_path": str(self.folder / "downloads"), **settings}))
        os.chdir(self.folder)
        dj.config.load(self.folder / "datajoint.json")
        self.ours = self.side()

    def side(self):
        return Side(self.program, self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.chdir("/")
        self.ours.close()
        dj.conn().close()
        self.server.close()
        shutil.rmtree(self.folder)


def local(path, content):
    """A file, or a folder from {path: content}, where users keep theirs."""
    for part, data in content.items() if isinstance(content, dict) else [("", content)]:
        file = path / part if part else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return path


def note(value):
    """What was inserted or fetched there as a notation; of what lies in a store also what the row says of it, `at`."""
    if isinstance(value, pathlib.Path):
        if value.is_dir():
            files = sorted((str(f.relative_to(value)), f.read_bytes().hex()) for f in value.rglob("*") if f.is_file())
            return {"t": "folder", "files": [list(f) for f in files]}
        return {"t": "file", "hex": value.read_bytes().hex()}
    if type(value).__name__ == "NpyRef":
        return {**npy_note(value.load()), "at": dict(value._meta)}
    if type(value).__name__ == "ObjectRef":
        at = {k: getattr(value, k) for k in ("path", "store", "size", "ext", "is_dir", "item_count")}
        if value.is_dir:
            paths = sorted(f"{root}/{name}".lstrip("/") for root, _, names in value.walk() for name in names)
            read = lambda path: value.open(path, "rb").read().hex()
            return {"t": "folder", "at": at, "files": [[path, read(path)] for path in paths]}
        return {"t": "file", "at": at, "hex": value.read().hex()}
    return plain_note(value)


def npy_note(array):
    """Of an array that was or will be a `.npy`: structured elements as they lie in it."""
    if array.dtype.names is None:
        return plain_note(array)
    return {"t": "array", "dtype": str(array.dtype), "shape": list(array.shape), "itemsize": array.dtype.itemsize,
            "b64": base64.b64encode(array.tobytes()).decode()}


def attached(path):
    path = pathlib.Path(path)
    return {"t": "attached", "name": path.name, "hex": path.read_bytes().hex()}


def difference(wanted, found, where=""):
    """None if all that is wanted was found: of an object the members that are wanted, of all else everything."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        if wanted.get("t") == found.get("t") == "set":  # Python's have an order of their own
            wanted, found = ({"v": sorted(side["v"], key=json.dumps)} for side in (wanted, found))
        for key in wanted:
            if key != "repr" and (inner := difference(wanted[key], found.get(key), f"{where}.{key}")):
                return inner
        return None
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return next((d for i, (w, f) in enumerate(zip(wanted, found)) if (d := difference(w, f, f"{where}[{i}]"))), None)
    return None if wanted == found and type(wanted) is type(found) else \
        f"{where or 'value'}: wanted {json.dumps(wanted)[:300]}, found {json.dumps(found)[:300]}"


problems = []  # of the test that runs


def check(what, wanted, found):
    if wrong := difference(wanted, found):
        problems.append(f"{what}: {wrong}")


def refused(what, words, call):
    try:
        call()
        problems.append(f"{what}: it was not refused")
    except Refused as e:
        problems.extend(f"{what}: {word!r} is not in: {e}" for word in words if word not in str(e))
