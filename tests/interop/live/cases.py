"""What the same rows are made of: each type of attribute with values, as Python has them and as notations."""
import datetime as dt
import decimal
import random
import re
import uuid

from beside import attached, dj, local, note, np, npy_note
from make_formats import cell, objects, random_value, structure


class Given:
    """A value: for Python, as a notation for us, and what both must read."""

    def __init__(self, python, given=None, wanted=None):
        self.python = python
        self.given = note(python) if given is None else given
        self.wanted = self.given if wanted is None else wanted


class Case:
    """`reads`: what DataJoint for Python makes of a value (a notation) where it reads another one, by kind of server."""

    def __init__(self, type_, values, staged=False, reads=None):
        self.type, self.staged, self.reads = type_, staged, reads or {}
        self.values = [v if isinstance(v, Given) else Given(v) for v in values] + ([] if staged else [Given(None)])
        self.label = f"`{type_}`" + (", staged" if staged else "")
        words = re.findall("[a-z0-9]+", type_.split("'")[0].replace("@>", "@default>")) + ["staged"] * staged
        self.class_name = "".join(word.capitalize() for word in words)
        self.definition = f"id : int32\n---\nv{'' if staged else ' = null'} : {type_}"

    def read_there(self, kind, wanted):
        return self.reads.get(kind, lambda it: it)(wanted) if wanted["t"] != "none" else wanted


def everywhere(change):
    return dict.fromkeys(("postgresql", "mariadb", "mysql"), change)


def on_mysql(change):
    return dict.fromkeys(("mariadb", "mysql"), change)


def core():
    as_number = lambda it: note(int(it["v"]))
    yield Case("int8", [0, 127, -128])
    yield Case("int16", [0, 32767, -32768])
    yield Case("int32", [0, 2**31 - 1, -2**31])
    yield Case("int64", [0, 2**63 - 1, -2**63])
    yield Case("float32", [0.0, 1.5, -0.0078125, 1e10])
    yield Case("float64", [0.1, -2.5, 1e300, 5e-324])
    yield Case("bool", [True, False], reads=on_mysql(as_number))
    yield Case("decimal(12,3)", [decimal.Decimal(t) for t in ("0.000", "123456789.125", "-0.001")])
    yield Case("char(6)", ["", "abcdef", "ü☃"],
               reads={"postgresql": lambda it: note(it["v"] + " " * (6 - len(it["v"])))})
    yield Case("varchar(50)", ["", "it's \"quoted\"", "back\\slash %s {}", "ü☃🐭", " blanks "])
    yield Case("enum('one','two words','drei ü')", ["one", "two words", "drei ü"])
    yield Case("date", [dt.date(2024, 2, 29), dt.date(1000, 1, 1), dt.date(9999, 12, 31)])
    yield Case("datetime", [dt.datetime(2024, 2, 29, 23, 59, 58), dt.datetime(1969, 1, 1)])
    yield Case("datetime(3)", [dt.datetime(2024, 2, 29, 23, 59, 58, 123000)])
    yield Case("datetime(6)", [dt.datetime(2024, 2, 29, 23, 59, 58, 123456), dt.datetime(1001, 1, 1, 0, 0, 0, 1)])
    yield Case("uuid", [uuid.UUID(int=0), uuid.UUID("12345678-1234-5678-1234-567812345678")])
    yield Case("bytes", [b"", b"\0\xff'\\", bytes(range(256)) * 20])
    yield Case("json", [{"a": {}, "b": [1, 2.5, None, True, "ü"]}, [], [[{"k": "v"}]], 5, 2.5, True, "text"])


def blobs():
    r = random.Random(5)
    rows = np.zeros(3, [("a", "<i4"), ("b", "<f8"), ("when", "M8[us]")])
    rows["a"], rows["b"] = [1, -2, 3], [0.5, np.inf, -0.0]
    values = [
        1, -2**100, 1.5, 1j, True, "ü☃🐭\0", b"\0\xff", decimal.Decimal("1.10"), uuid.UUID(int=7), dt.date(2024, 2, 29),
        dt.time(1, 2, 3, 4), dt.datetime(2024, 2, 29, 1, 2, 3, 4),
        [], [1, [2.5, [None, ["ü"]]]], (), (1, (2,)), {1, "a", None}, {}, {"a": {"b": [1, {"c": (2, {3})}]}},
        {1: "int", 2.5: "float", (1, "x"): "tuple", None: "none"}, [{"image": np.eye(3, dtype=np.uint8), "at": dt.date.min}],
        *(np.arange(24).reshape(2, 3, 4).astype(t) for t in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4",
                                                              "f8", "c8", "c16", "M8[us]")),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.zeros((0, 3)), np.float32(2.5), np.int64(-1),
        objects([1, "a", None, [1, 2]]), rows, np.zeros(5000), np.arange(2000),
        cell([1.0, "x", None, np.eye(2)], (2, 2)), structure((1, 2), {"name": ["a", "b"], "data": [np.arange(3), None]}),
        *(random_value(r) for _ in range(30))]
    # What comes back of some is another type: a dict of a Mapping, an array of objects of one of texts.
    return [Given(v, note(v), note(dj.blob.unpack(dj.blob.pack(v)))) for v in values]


def attachments(folder):
    for name, content in {"a.txt": b"text", "no extension": b"", "ü x.tar.gz": b"\0\xff" * 1000}.items():
        path = local(folder / "attach" / name, content)
        yield Given(path, attached(path))


def arrays():
    records = np.zeros(2, [("a", "<f8"), ("b", "<i4")])
    records["b"] = [1, -1]
    kinds = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16 M8[us] >i4".split()
    values = [*(np.arange(6).reshape(2, 3).astype(kind) for kind in kinds), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
              np.array(2.5), np.zeros((0, 3)), np.array(["ab", "ü"]), records, np.arange(100_000)]
    return [Given(v, npy_note(v)) for v in values]



TREE = {"a.txt": b"1", "b/c": b"22", "b/d/.e": b"", "ü x": b"\0"}


def folder_notation(content):
    return [[path, content[path].hex()] for path in sorted(content)]


def stored_objects(folder):
    for data in (b"", b"\0\xffbytes"):
        yield Given(data, wanted={"t": "file", "hex": data.hex()})
    for name in ("x.dat", "y.tar.gz", "none"):
        path = local(folder / "files" / name, name.encode())
        ext = path.suffix
        yield Given(path, {"t": "file", "ext": ext, "hex": path.read_bytes().hex()},
                    {"t": "file", "at": {"ext": ext}, "hex": path.read_bytes().hex()})
    for name in ("folder", "z.zarr"):
        local(folder / name, TREE)
        yield Given(folder / name, {"t": "folder", "files": folder_notation(TREE)})


def staged_objects():
    data = b"\0\xff" * 500
    for ext in (".bin", ""):
        given = {"t": "file", "ext": ext, "hex": data.hex()}
        yield Given((ext, data), given, {"t": "file", "at": {"ext": ext or None, "size": len(data)}, "hex": data.hex()})
    for ext in (".zarr", ""):
        given = {"t": "folder", "ext": ext, "files": folder_notation(TREE)}
        size = sum(map(len, TREE.values()))
        yield Given((ext, TREE), given, {**given, "ext": None, "at": {"ext": ext or None, "size": size,
                                                                      "item_count": len(TREE)}})


def filepaths(folder, store):
    local(folder / store / "incoming" / "a b.bin", b"in the store")
    local(folder / store / "incoming" / "deep", TREE)
    yield Given("incoming/a b.bin", wanted={"t": "file", "at": {"path": "incoming/a b.bin"}, "hex": b"in the store".hex()})
    yield Given("incoming/deep", wanted={"t": "folder", "files": folder_notation(TREE)})


def all_cases(folder):
    yield from core()
    for store in ("", "@main", "@", "@cold"):
        yield Case(f"<blob{store}>", blobs())
    for store in ("", "@main", "@"):
        yield Case(f"<attach{store}>", attachments(folder))
    for store in ("main", "", "cold"):
        yield Case(f"<hash@{store}>", [b"", b"\0\xff", b"long " * 1000])
    for store in ("main", "", "cold", "parted"):
        yield Case(f"<npy@{store}>", arrays())
    for store in ("main", "", "cold", "parted"):
        yield Case(f"<object@{store}>", stored_objects(folder))
    for store in ("main", "cold", "parted"):
        yield Case(f"<object@{store}>", staged_objects(), staged=True)
    for store in ("main", ""):
        yield Case(f"<filepath@{store}>", filepaths(folder, store or "main"))
