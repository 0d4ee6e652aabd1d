"""Run by DataJoint for Python 0.14: makes a schema as it was before 2.0 in the working directory's stores, and says in the
notation of values what it reads itself.

    make_old.py SETTINGS     a file with its settings; prints {table: [row, …]}
"""
import datetime as dt
import decimal
import json
import os
import pathlib
import sys
import uuid
import warnings

warnings.simplefilter("ignore")
os.environ["DJ_SUPPORT_FILEPATH_MANAGEMENT"] = "TRUE"
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "golden")]
import datajoint as dj
import numpy as np
from make_formats import note

for key, value in json.loads(pathlib.Path(sys.argv[1]).read_text()).items():
    dj.config[key] = value
dj.logger.setLevel("ERROR")

BLOBS = [np.arange(6).reshape(2, 3), np.zeros(4000), "text", {"a": [1, 2.5, None], "b": (True, b"\0\xff")}, {1, 2},
         np.array(3.5), np.array(["x", "yz"]), uuid.UUID(int=7), decimal.Decimal("1.50"), dt.datetime(2024, 1, 2, 3, 4, 5), None,
         np.array([1 + 2j, 3]), np.array([(1, 2.0)], dtype=[("i", "i4"), ("f", "f8")])]


def local(name, content):
    path = pathlib.Path("local") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def main():
    schema = dj.Schema("old")

    @schema
    class Subject(dj.Lookup):
        definition = "subject : varchar(10)\n---\nsex = 'U' : enum('F', 'M', 'U')  # as far as known\nborn = null : date"
        contents = [("a", "F", dt.date(2020, 1, 2)), ("b", "U", None)]

    @schema
    class Scan(dj.Manual):
        definition = """
        # before 2.0
        -> Subject
        scan : int unsigned
        ---
        tag : uuid  # a name for life
        gain = 1 : double
        good = 1 : bool
        at = CURRENT_TIMESTAMP : timestamp
        """

        class Frame(dj.Part):
            definition = "-> master\nframe : smallint\n---\nweight : decimal(6,2)"

    @schema
    class Value(dj.Manual):
        definition = """
        id : int
        ---
        inside = null : longblob  # packed
        small = null : blob
        outside = null : blob@main
        folded = null : blob@cold  # elsewhere
        """

    @schema
    class File(dj.Manual):
        definition = """
        id : int
        ---
        inside = null : attach
        outside = null : attach@main
        referred = null : filepath@staged
        """

    Scan.insert1({"subject": "a", "scan": 4_000_000_000, "tag": uuid.UUID(int=5), "gain": 0.5, "good": False,
                  "at": dt.datetime(2024, 5, 6, 7, 8, 9)})
    Scan.Frame.insert1({"subject": "a", "scan": 4_000_000_000, "frame": 3, "weight": "1.25"})
    values = [v for v in BLOBS if v is not None]
    Value.insert([{"id": i, "inside": v, "small": [i], "outside": v, "folded": v} for i, v in enumerate(values)])
    Value.insert1({"id": 99})
    contents = {"plain.txt": b"content", "no_suffix": b"", "two.tar.gz": bytes(range(256)) * 50, "ü .bin": b"\0"}
    for i, (name, content) in enumerate(contents.items()):
        stage = pathlib.Path(dj.config["stores"]["staged"]["stage"]) / "day 1" / name
        stage.parent.mkdir(parents=True, exist_ok=True)
        stage.write_bytes(content)
        File.insert1({"id": i, "inside": local(name, content), "outside": local(name, content), "referred": stage})
    File.insert1({"id": 99})

    def attached(path):
        path = pathlib.Path(path)
        return {"t": "attached", "name": path.name, "hex": path.read_bytes().hex()}

    out = {table.table_name: [{k: note(v) for k, v in row.items()} for row in table.fetch(as_dict=True, order_by="KEY")]
           for table in (Subject(), Scan(), Scan.Frame(), Value())}
    out["file"] = []
    for row in File.fetch("KEY", order_by="KEY"):
        folder = pathlib.Path("downloads") / str(row["id"])
        folder.mkdir(parents=True)
        inside = (File & row).fetch1("inside", download_path=str(folder / "in")) if (folder / "in").mkdir() is None else None
        outside = (File & row).fetch1("outside", download_path=str(folder / "out")) if (folder / "out").mkdir() is None else None
        referred = (File & row).fetch1("referred")
        out["file"].append({"id": note(row["id"]), "inside": attached(inside) if inside else note(None),
                            "outside": attached(outside) if outside else note(None),
                            "referred": {"t": "file", "hex": pathlib.Path(referred).read_bytes().hex()} if referred else note(None)})
    print(json.dumps(out))


if __name__ == "__main__":
    main()
