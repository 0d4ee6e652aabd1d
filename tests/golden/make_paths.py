#!/usr/bin/env python3
"""Makes golden cases of keys, paths and stores with the reference: python3 make_paths.py FOLDER [SEED]

Needs datajoint 2.3.5 and numpy 2. Writes FOLDER/paths/index.jsonl as paths/README.md describes it: functions of the
reference are called with `in`, and `out` is what they gave, or `error` what they raised. SEED adds random values.
"""
import base64
import datetime as dt
import decimal
import json
import pathlib
import random
import re
import string
import struct
import sys
import uuid
import warnings

warnings.simplefilter("ignore")
import numpy as np
from datajoint import hash_registry, settings, storage, utils
from datajoint.codecs import parse_type_spec

sys.set_int_max_str_digits(0)
CASES = []


def note(v):
    """A value in the notation of README.md."""
    if isinstance(v, (np.str_, str)):
        return {"t": "str", "v": str(v)}
    if isinstance(v, (bytes, bytearray)):
        return {"t": "bytes", "hex": bytes(v).hex()}
    if isinstance(v, (np.ndarray, np.generic)):
        data = np.asarray(v)
        made = {"t": "array", "dtype": data.dtype.name, "shape": list(data.shape),
                "b64": base64.b64encode(data.tobytes()).decode()}
        return {**made, "np_scalar": True} if isinstance(v, np.generic) else made
    if isinstance(v, bool) or v is None:
        return {"t": "none"} if v is None else {"t": "bool", "v": v}
    if isinstance(v, int):
        return {"t": "int", "v": str(v)}
    if isinstance(v, float):
        return {"t": "float", "bits": struct.pack(">d", v).hex(), "repr": repr(v)}
    if isinstance(v, decimal.Decimal):
        return {"t": "decimal", "v": str(v)}
    if isinstance(v, uuid.UUID):
        return {"t": "uuid", "v": str(v)}
    if isinstance(v, dt.datetime):
        return {"t": "datetime", "v": v.replace(tzinfo=None).isoformat(timespec="microseconds")}
    if isinstance(v, (dt.date, dt.time)):
        return {"t": type(v).__name__, "v": v.isoformat()}
    if isinstance(v, (list, tuple)):
        return {"t": type(v).__name__, "v": [note(e) for e in v]}
    return {"t": "other", "type": type(v).__name__, "repr": repr(v)}


def add(kind, given, call):
    case = {"name": f"{kind}_{len(CASES)}", "kind": kind, "in": given}
    try:
        case["out"] = call()
    except Exception as e:
        case["error"] = f"{type(e).__name__}: {e}"
    CASES.append(case)


def key(value):
    add("encode_pk_value", note(value), lambda: storage.encode_pk_value(value))


def path(primary_key, ext=".npy", pattern=None, length=8, prefix="_schema", schema="lab", table="scan", field="movie"):
    def call():
        made, token = storage.build_object_path(schema, table, field, primary_key, ext, pattern, length,
                                                schema_prefix=prefix)
        marks = "X" * len(token)
        return {"path": re.sub(re.escape(token), marks, made), "token": marks}
    add("build_object_path", {"schema": schema, "table": table, "field": field,
                              "primary_key": [[k, note(v)] for k, v in primary_key.items()], "ext": ext,
                              "partition_pattern": pattern, "token_length": length, "schema_prefix": prefix}, call)


def hashed(data=None, hash=None, schema="lab", folds=None, prefix="_hash"):
    def call():
        name = hash_registry.compute_hash(data) if hash is None else hash
        return {"hash": name, "path": hash_registry.build_hash_path(name, schema, folds and tuple(folds),
                                                                    hash_prefix=prefix)}
    add("hash_path", {"data_hex": None if data is None else data.hex(), "hash": hash, "schema": schema,
                      "subfolding": folds, "hash_prefix": prefix}, call)


def spec(stores, store=None, filepath=False):
    def call():
        config = settings.Config()
        config.stores = json.loads(json.dumps(stores))
        return config.get_store_spec(store, use_filepath_default=filepath)
    add("get_store_spec", {"stores": stores, "store": store, "use_filepath_default": filepath}, call)


def url(store, name):
    def call():
        backend = storage.StorageBackend(store)
        return {"full_path": backend._full_path(name), "url": backend.get_url(name)}
    add("full_path_and_url", {"spec": store, "path": name}, call)


def fixed():
    for value in [0, -1, 2**63, -(10**30), True, 0.1, -0.0, 1e16, 1e15, 123456789.125, 5e-324, float("-inf"), "", " ",
                  ".", "a.b", "-", "a" * 100, "ü" * 100, "ü" * 101, "a/" * 60, "\0", "a\0/b", "a\tb", "\x7f", "é/", "100%",
                  "a%2Fb", "a?b=c&d", "C:\\x", "it's \"x\"", "🐭" * 90, "🐭/", b"", b"ab", b"a'b", b"\0\xff\\", b"'\"",
                  bytes(200), dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.datetime(5, 6, 7, 8, 9, 10, 11),
                  dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), dt.time(0, 0), dt.time(23, 59, 59, 1), uuid.UUID(int=0),
                  decimal.Decimal("1E+10"), decimal.Decimal("NaN"), decimal.Decimal("-0.00"), dt.timedelta(days=1),
                  np.int8(-5), np.uint64(2**64 - 1), np.float64(1e22), np.float32(1e-10), np.float32(16777216), np.bool_(True),
                  np.float32("nan"), np.str_("a:b"), np.datetime64("2024-01-02"), 1 + 2j, [1, 2], (1,), np.arange(3)]:
        key(value)
    one, two = {"id": 1}, {"subject": "m/1", "day": dt.date(2024, 1, 2), "run": 3}
    for ext in ["", None, "npy", ".tar.gz", ".", "..", "a/b", ".x y"]:
        path(one, ext)
    for pattern in ["", "{day}", "{run}/{subject}", "{day}{day}", "subject/day", "{none}/{day}", "{{day}}", "{day", "day}",
                    "{ day }", "{a-b}", "{day}/x/{run}"]:
        path(two, pattern=pattern)
    for prefix in ["", "/", "a/b", "/a/", "//a//", "a//b", "../x", "a/./b", "ü"]:
        path(two, prefix=prefix)
        hashed(b"x", prefix=prefix)
    for length in [-3, 0, 3, 4, 16, 17]:
        path(one, length=length)
    path({})
    path({"k" * 200: "v" * 99})
    path({f"attribute_{i}": "v" * 90 + "/" for i in range(12)})
    path({"s": "🐭" * 90})
    path({"s": ""}, table="#x", schema="Lab-2", field="a_b")
    for folds in [None, [], [1], [2, 2], [26], [30, 2], [20, 10], [1] * 30, [0, 2], [2, 0]]:
        hashed(b"content", folds=folds)
    for name in ["a" * 26, "a" * 25, "A" * 26, "2" * 26, "a" * 25 + "_", "é" * 26, ""]:
        hashed(hash=name, folds=[2])
    for name in ["Scan", "ScanX", "A", "AB", "My_Class", "_Scan", "scan", "", "Größe", "Scan2D3", "S" + "x" * 70]:
        add("from_camel_case", name, lambda: utils.from_camel_case(name))
    for name in ["scan", "#scan_x", "_a", "__a_b2", "a__b", "#a__b_c", "a-b", "1a", "~a", "a_1"]:
        add("to_camel_case", name, lambda: utils.to_camel_case(name))
    for text in ["<blob>", "<blob@>", "<a_b@c-d.e>", "< x @ y >", "<x@@y>", "x", "x@", "<x@ y z >"]:
        add("parse_type_spec", text, lambda: list(parse_type_spec(text)))
    stores_and_urls()


def stores_and_urls():
    file = {"protocol": "file", "location": "/data"}
    s3 = {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "l"}
    every = [file, s3, {"protocol": "gcs", "bucket": "b", "location": ""},
             {"protocol": "azure", "container": "c", "location": "l", "account_name": "a", "account_key": "k"}]
    for store in every:
        spec({"m": store}, "m")
        spec({"m": store, "default": "m"})
        spec({"m": store, "default": "m"}, "")
        spec({"m": store, "default": "m"}, None, True)
        spec({"m": store, "filepath_default": "m"}, None, True)
        spec({"m": store, "default": "other"})
        spec({"m": {**store, "subfolding": [2, 2], "partition_pattern": "{a}", "token_length": 99, "stage": "x"}}, "m")
        for more in [{"nonsense": 1}, {"hash_prefix": "_schema"}, {"hash_prefix": "/a/b", "filepath_prefix": "a"},
                     {"hash_prefix": "/", "schema_prefix": "/"}, {"hash_prefix": "", "schema_prefix": ""},
                     {"filepath_prefix": ""}, {"hash_prefix": None}, {"secure": False}, {"hash_prefix": "../x"},
                     {"token_length": "8"}, {"subfolding": [0]}, {"location": ""}, {"protocol": store["protocol"].upper()}]:
            spec({"m": {**store, **more}}, "m")
        for missing in store:
            spec({"m": {k: v for k, v in store.items() if k != missing}}, "m")
        spec({"m": store}, "n")
        spec({"m": store, "default": ["m"]})
        spec({"broken": {"protocol": "file"}, "m": store}, "m")
    for name in ["a/b", "a b/ü", "a%2Fb=c", "../x", "/etc/passwd", "a//b", "a/../b"]:
        for store in [{"protocol": "file", "location": "/tmp"}, {"protocol": "file", "location": "/tmp/"},
                      {"protocol": "file", "location": "/no/such"}, s3, {**s3, "location": ""}, {**s3, "location": "lab/"},
                      {**s3, "location": "/lab"}, {**s3, "secret_key": "k"}, every[2], every[3],
                      {**every[2], "location": "x/y"}]:
            url(store, name)


def random_text(r):
    letters = r.choice([string.ascii_letters, string.printable, "aüé☃🐭/:%. ", 'a/\\:*?"<>|'])
    return "".join(r.choice(letters) for _ in range(r.choice([0, 1, 5, 49, 50, 51, 99, 100, 101, 150, 300])))


def random_value(r):
    moment = dt.datetime(r.randint(1, 9999), r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59),
                         r.randint(0, 59), r.choice([0, r.randint(0, 999999)]))
    return r.choice([lambda: r.randint(-10**r.randint(0, 25), 10**18), lambda: r.random() * 10.0**r.randint(-30, 30),
                     lambda: struct.unpack("<d", r.randbytes(8))[0], lambda: random_text(r), lambda: random_text(r),
                     lambda: moment, moment.date, moment.time, lambda: uuid.UUID(bytes=r.randbytes(16)),
                     lambda: decimal.Decimal(r.randint(-10**9, 10**9)).scaleb(r.randint(-20, 20)),
                     lambda: r.randbytes(r.randint(0, 60)), lambda: np.float32(r.random() * 10.0**r.randint(-30, 30)),
                     lambda: r.choice([np.int16, np.uint32, np.int64])(r.randint(0, 30000))])()


def at_random(r):
    for _ in range(300):
        key(random_value(r))
    names = ["subject", "day", "run", "x", "a_long_name_of_an_attribute"]
    for _ in range(200):
        chosen = r.sample(names, r.randint(0, 5))
        pattern = r.choice([None, "/".join("{%s}" % n for n in r.sample(names, r.randint(0, 3)))])
        path({n: random_value(r) for n in chosen}, r.choice([".npy", "", "dat", ".tar.gz"]), pattern, r.randint(0, 20),
             r.choice(["_schema", "", "a/b", "/x/"]), r.choice(["lab", "my-lab"]), r.choice(["scan", "#scan", "a__b"]))
    for _ in range(100):
        hashed(r.randbytes(r.randint(0, 100)), folds=r.choice([None, [r.randint(1, 30) for _ in range(r.randint(0, 4))]]),
               prefix=r.choice(["_hash", "", "a/b"]))


def main():
    fixed()
    if len(sys.argv) > 2:
        at_random(random.Random(sys.argv[2]))
    folder = pathlib.Path(sys.argv[1]) / "paths"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.jsonl").write_text("".join(json.dumps(case) + "\n" for case in CASES))
    print(f"{len(CASES)} cases in {folder}")


if __name__ == "__main__":
    main()
