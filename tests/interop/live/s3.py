#!/usr/bin/env python3
"""Objects in S3 and the clients that others use, boto3 and s3fs: what we write they read, whole and under the keys that
they list, and the reverse, also in parts; and content that another client removed is written again, whatever had been
seen before.

    s3.py SIDE postgresql      exit 0: all as expected; 1: differences were printed; 77: skipped
"""
import hashlib
import sys

from beside import Beside, note, np
from boto3.s3.transfer import TransferConfig
from cases import TREE

problems = []


def expect(what, wanted, found):
    if wanted != found:
        problems.append(f"{what}: wanted {str(wanted)[:200]}, found {str(found)[:200]}")


def keys(both, store):
    """Of one store as boto3 lists them, without the place."""
    place = f"{both.s3.place}/{store}/"
    pages = both.s3.client().get_paginator("list_objects_v2").paginate(Bucket=both.s3.bucket, Prefix=place)
    return {entry["Key"][len(place):] for page in pages for entry in page.get("Contents", [])}


def bytes_of(both, store, path):
    """As both clients read it."""
    key = f"{both.s3.place}/{store}/{path}"
    data = both.s3.client().get_object(Bucket=both.s3.bucket, Key=key)["Body"].read()
    expect(f"{path} by s3fs", hashlib.md5(data).hexdigest(),
           hashlib.md5(both.s3.files().cat_file(f"{both.s3.bucket}/{key}")).hexdigest())
    return data


def what_we_write(both):
    both.ours.declare("lab", **{"class": "Mine"},
                      definition="id : int32\n---\nh : <hash@>\nn : <npy@cold>\no : <object@>\nf : <object@parted>")
    array, big = np.arange(1000.0), np.random.default_rng(1).bytes(40 << 20)  # in parts
    both.ours.insert("lab", "mine", rows=[{
        "id": note(1), "h": note(b"\0\xff hashed"), "n": note(array), "o": {"t": "file", "ext": ".bin", "hex": big.hex()},
        "f": {"t": "folder", "ext": ".zarr", "files": [[p, TREE[p].hex()] for p in sorted(TREE)]}}])
    row, = both.ours.fetch("lab", "mine")
    expect("the big object", hashlib.md5(big).hexdigest(),
           hashlib.md5(bytes_of(both, "main", row["o"]["at"]["path"])).hexdigest())
    expect("the array's bytes", array.tobytes(), bytes_of(both, "cold", row["n"]["at"]["path"])[-array.nbytes:])
    top = row["f"]["at"]["path"]
    expect("the folder's files", TREE, {p: bytes_of(both, "parted", f"{top}/{p}") for p in TREE})
    hashed = {path for path in keys(both, "main") if path.startswith("_hash/")}
    expect("hashed objects", [b"\0\xff hashed"], [bytes_of(both, "main", path) for path in hashed])
    return hashed.pop()


def what_they_write(both):
    big, s3 = np.random.default_rng(2).bytes(20 << 20), both.s3
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    local = both.folder / "big"
    local.write_bytes(big)
    s3.client().upload_file(str(local), s3.bucket, f"{s3.place}/main/in/boto é+%.bin", Config=parts)
    s3.files().pipe_file(f"{s3.bucket}/{s3.place}/main/in/s3fs & so on.bin", b"piped")
    both.ours.declare("lab", **{"class": "Found"}, definition="id : int32\n---\nf : <filepath@main>")
    wanted = {"in/boto é+%.bin": big, "in/s3fs & so on.bin": b"piped"}
    both.ours.insert("lab", "found", rows=[{"id": note(i), "f": note(path)} for i, path in enumerate(wanted)])
    for row in both.ours.fetch("lab", "found"):
        path = row["f"]["at"]["path"]
        expect(path, hashlib.md5(wanted[path]).hexdigest(), hashlib.md5(bytes.fromhex(row["f"]["hex"])).hexdigest())


def removed_by_others(both, path):
    """The same session has written, listed and read this content. Then it goes, and a second row refers to it."""
    both.ours.audit(deep=True)
    both.s3.client().delete_object(Bucket=both.s3.bucket, Key=f"{both.s3.place}/main/{path}")
    row, = both.ours.fetch("lab", "mine", attributes=["id"])
    both.ours.declare("lab", **{"class": "Again"}, definition="id : int32\n---\nh : <hash@>")
    both.ours.insert("lab", "again", rows=[{"id": note(1), "h": note(b"\0\xff hashed")}])
    expect("content that was removed meanwhile", [{"id": note(1), "h": note(b"\0\xff hashed")}],
           both.ours.fetch("lab", "again"))
    expect("its object", b"\0\xff hashed", bytes_of(both, "main", path))


def main():
    with Beside(*sys.argv[1:3], in_s3=True) as both:
        path = what_we_write(both)
        what_they_write(both)
        removed_by_others(both, path)
        for table in "mine", "found", "again":
            both.ours.remove("lab", table)
        both.ours.collect()
        audit = both.ours.audit(deep=True, grace=0)
        expect("what the audit says in the end", ([], []), (audit["faults"], audit["leaks"]))
        uploads = both.s3.client().list_multipart_uploads(Bucket=both.s3.bucket, Prefix=both.s3.place)
        expect("uploads that go on", [], uploads.get("Uploads", []))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
