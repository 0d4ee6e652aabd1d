"""The reference beside bench/formats.cpp, which starts this: packs and unpacks the same dict with datajoint.blob and
prints a line of JSON for each operation. usage: formats_reference.py REPEATS"""
import base64
import json
import statistics
import sys
import time
import warnings

warnings.simplefilter("ignore")
import datajoint
from datajoint import blob

MASK = (1 << 64) - 1


def splitmix(seed, n):
    z = (seed + (n + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def small(i):
    word = splitmix(1, i)
    return [word % 100000, (word >> 11) * 2.0**-53, f"text {word % 10000}", word % 2 == 0, None][i % 5]


def seconds(f):
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


def main():
    value = {f"group {g}": {f"name {i}": small(50 * g + i) for i in range(50)} for g in range(20)}
    plain, packed = blob.pack(value, compress=False), blob.pack(value)
    assert blob.unpack(plain) == blob.unpack(packed) == value
    operations = {
        "pack": (lambda: blob.pack(value, compress=False), plain),
        "unpack": (lambda: blob.unpack(plain), plain),
        "pack_compressed": (lambda: blob.pack(value), packed),
        "unpack_compressed": (lambda: blob.unpack(packed), packed),
    }
    for op, (run, data) in operations.items():
        run()
        median = statistics.median(seconds(run) for _ in range(int(sys.argv[1])))
        line = {"op": op, "ms": median * 1e3, "blob": base64.b64encode(data).decode(), "version": datajoint.__version__}
        print(json.dumps(line), flush=True)


main()
