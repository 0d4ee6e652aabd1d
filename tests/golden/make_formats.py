#!/usr/bin/env python3
"""Makes golden cases of blobs and .npy files with the reference: python3 make_formats.py FOLDER [SEED]

Needs datajoint 2.3.5 and numpy 2. Writes FOLDER/blobs and FOLDER/npy in the layout that README.md describes: the
reference packs, and what it reads back is `value`. SEED adds random values to the fixed ones.
"""
import base64
import datetime as dt
import decimal
import hashlib
import io
import json
import pathlib
import random
import struct
import sys
import uuid
import warnings
import zlib

warnings.simplefilter("ignore")
import numpy as np
from datajoint import blob as dj

sys.set_int_max_str_digits(0)


def bits(number):
    return struct.pack(">d", number).hex()


def note(v):
    """A value in the notation of README.md."""
    if isinstance(v, dj.MatCell):
        return {"t": "matcell", "shape": list(v.shape), "v": [note(e) for e in v.flatten()]}
    if isinstance(v, dj.MatStruct):
        rows = [[note(e) for e in rec] for rec in v.flatten()]
        return {"t": "matstruct", "shape": list(v.shape), "fields": list(v.dtype.names), "v": rows}
    if isinstance(v, np.ma.MaskedArray):
        v = v.filled()
    if isinstance(v, np.ndarray):
        v = np.asarray(v)
        shape = {"shape": list(v.shape)}
        if v.dtype.names is not None:
            fields = [[name, note(np.asarray(v[name]))] for name in v.dtype.names]
            return {"t": "recarray", **shape, "fields": fields}
        if v.dtype == object:
            return {"t": "array", "dtype": "object", **shape, "v": [note(e) for e in v.flatten()]}
        if v.dtype.kind == "U":
            texts = [str(e) for e in v.flatten()]
            return {"t": "array", "dtype": "unicode", "itemchars": v.dtype.itemsize // 4, **shape, "v": texts}
        v = v.astype(v.dtype.newbyteorder("<"))
        name = str(v.dtype) if v.dtype.kind in "SV" else v.dtype.name
        return {"t": "array", "dtype": name, **shape, "b64": base64.b64encode(v.tobytes()).decode()}
    if isinstance(v, np.str_):
        return {"t": "str", "v": str(v)}
    if isinstance(v, (bytes, bytearray)):
        return {"t": "bytes", "hex": bytes(v).hex()}
    if isinstance(v, memoryview):
        return {"t": "bytes", "hex": bytes(v).hex()}
    if isinstance(v, np.generic):
        return {**note(np.array(v)), "np_scalar": True}
    simple = {
        type(None): lambda: {"t": "none"},
        bool: lambda: {"t": "bool", "v": v},
        int: lambda: {"t": "int", "v": str(v)},
        float: lambda: {"t": "float", "bits": bits(v), "repr": repr(v)},
        complex: lambda: {"t": "complex", "re": bits(v.real), "im": bits(v.imag), "repr": repr(v)},
        str: lambda: {"t": "str", "v": v},
        decimal.Decimal: lambda: {"t": "decimal", "v": str(v)},
        uuid.UUID: lambda: {"t": "uuid", "v": str(v)},
        dt.date: lambda: {"t": "date", "v": v.isoformat()},
        dt.time: lambda: {"t": "time", "v": v.isoformat()},
        dt.datetime: lambda: {"t": "datetime", "v": v.isoformat(timespec="microseconds")},
        list: lambda: {"t": "list", "v": [note(e) for e in v]},
        tuple: lambda: {"t": "tuple", "v": [note(e) for e in v]},
        set: lambda: {"t": "set", "v": [note(e) for e in v]},
        frozenset: lambda: {"t": "set", "v": [note(e) for e in v]},
        dict: lambda: {"t": "dict", "v": [[note(k), note(e)] for k, e in v.items()]},
    }
    make = simple.get(type(v))
    return make() if make else {"t": "other", "type": type(v).__name__, "repr": repr(v)[:80]}


class Folder:
    def __init__(self, path):
        self.path = path
        self.lines = []
        path.mkdir(parents=True, exist_ok=True)

    def add(self, name, case, data=None, suffix=".bin"):
        if data is not None:
            (self.path / (name + suffix)).write_bytes(data)
            case = {**case, "file": name + suffix, "sha256": hashlib.sha256(data).hexdigest(), "n_bytes": len(data)}
        self.lines.append(json.dumps({"name": name, **case}))

    def close(self):
        (self.path / "index.jsonl").write_text("\n".join(self.lines) + "\n")


class Blobs(Folder):
    def about(self, data):
        plain, compressed = data, data.startswith(b"ZL123\0")
        about = {"compressed": compressed}
        if compressed:
            try:
                plain = zlib.decompress(data[14:])
            except zlib.error:
                plain = b""
            about |= {"uncompressed_size": len(plain), "uncompressed_sha256": hashlib.sha256(plain).hexdigest()}
        return {"protocol": plain[:3].decode("latin1") if plain[3:4] == b"\0" else None, **about}

    def read(self, data):
        try:
            return {"value": note(dj.unpack(data)), "ref_unpack": "ok"}
        except Exception as e:
            error = f"{type(e).__name__}: {e}"
            return {"value": None, "value_error": error, "ref_unpack": "error: " + error}

    def pack(self, name, value, compress=True):
        try:
            data = dj.pack(value, compress=compress)
        except Exception as e:
            return self.add(name, {"kind": "pack_error", "what": name, "error": f"{type(e).__name__}: {e}"[:200]})
        case = {"kind": "pack", **self.about(data), "compress_requested": compress, **self.read(data)}
        source = note(value)
        if source != case["value"]:
            case["source"] = source
        self.add(name, case, data)

    def raw(self, name, data, lengths=64):
        dj.use_32bit_dims = lengths == 32
        self.add(name, {"kind": "raw", **self.about(data), **self.read(data)}, data)
        dj.use_32bit_dims = False


def objects(values, shape=None):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array if shape is None else array.reshape(shape)


def cell(values, shape, order="F"):
    return objects(values).reshape(shape, order=order).view(dj.MatCell)


def structure(shape, fields):
    rows = list(zip(*fields.values()))
    data = np.empty(len(rows), dtype=[(name, object) for name in fields])
    data[:] = rows
    return data.reshape(shape).view(dj.MatStruct)


def scalars(b):
    for n in (0, -128, 255, -255, -256, 65535, -32769, 2**31, -(2**31) - 1, 2**63 - 2, -(2**64), 10**400, -(10**400)):
        b.pack(f"int_{n if abs(n) < 10**20 else 'large' + str(n)[:1]}", n)
    b.pack("int_4301_digits", 10**4300)
    b.pack("int_longest", 2 ** (65535 * 8 - 1) - 1)
    b.pack("int_longest_neg", -(2 ** (65535 * 8 - 1)) + 1)
    b.pack("int_too_long", 2 ** (65535 * 8))
    for name, v in {"0": 0.0, "third": 1 / 3, "1e16": 1e16, "1e-5": 1e-5, "1e22": 1e22, "denormal": 2.2e-310}.items():
        b.pack("float_" + name, v)
    for name, payload in {"quiet": 0x7FF8000000000123, "negative": 0xFFF8000000000000, "signal": 0x7FF0000000000001}.items():
        b.pack("float_nan_" + name, struct.unpack("<d", struct.pack("<Q", payload))[0])
    for i, z in enumerate((complex(0.5, 1e300), complex(-0.0, 0.0), complex(0.0, -0.0), complex(float("inf"), 1),
                           complex(float("nan"), float("-inf")), complex(1e16, 1e-7), 0j)):
        b.pack(f"complex_{i}", z)
    b.pack("text_4_bytes", "𝄞\U0010ffff")
    b.pack("text_newlines", "a\r\n\t\x7f\x00\x1b")
    b.pack("text_only_nul", "\0")
    b.pack("text_surrogate", "\ud800")
    b.pack("bytes_high", bytes([255, 0, 128]))
    for i, d in enumerate(("0", "-0", "1E+10", "1E-10", "123.4500", "Infinity", "sNaN", "-NaN123", "0E+3", "1E+999999",
                           "0.0000001", "9" * 40)):
        b.pack(f"decimal_{i}", decimal.Decimal(d))
    b.pack("date_first", dt.date.min)
    b.pack("date_1969", dt.date(1969, 12, 31))
    b.pack("time_midnight", dt.time(0, 0))
    b.pack("time_one_us", dt.time(0, 0, 0, 1))
    b.pack("datetime_before_epoch", dt.datetime(1969, 12, 31, 23, 59, 59, 999999))
    b.pack("datetime_zone", dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc))
    b.pack("uuid_nil", uuid.UUID(int=0))
    b.pack("np_str", np.str_("abc"))
    b.pack("np_true", np.bool_(True))
    b.pack("true", True)
    for name in "int8 int16 int64 uint8 uint16 uint64 float32 float64 complex64 complex128".split():
        b.pack("scalar_" + name, np.dtype(name).type(100))
    b.pack("scalar_f16", np.float16(1))
    b.pack("scalar_longdouble", np.longdouble(1))
    b.pack("scalar_clongdouble", np.clongdouble(1))
    b.pack("scalar_nat", np.datetime64("NaT"))
    b.pack("scalar_void", np.zeros(1, [("a", "i4")])[0])


def containers(b):
    b.pack("tuple_empty", ())
    b.pack("tuple_nested", (1, (2, (3, ()))))
    b.pack("list_mixed", [None, True, -5, 2.5, 1j, "é", b"\0", decimal.Decimal("1.10"), dt.date(2000, 2, 29),
                          uuid.UUID(int=7), np.arange(3), np.float32(2), {"k": [1]}, (1,), {2}, np.datetime64(3, "us")])
    b.pack("set_mixed", {1, "a", 2.5, None, (1, 2), "bb", "ccc"})
    b.pack("set_in_set", {frozenset({1, 2}), frozenset()})
    b.pack("frozenset_many", frozenset(range(0, 100, 7)))
    b.pack("dict_any_keys", {None: 1, True: 2, 2.5: 3, (1, "x"): 4, b"b": 5, decimal.Decimal("1.0"): 6, dt.date.min: 7})
    b.pack("dict_nan_key", {float("nan"): 1, float("nan"): 2})
    b.pack("dict_frozenset_key", {frozenset({1}): "x"})
    b.pack("dict_long", {f"key {i}": i for i in range(300)})
    b.pack("dict_of_arrays", {"a": np.arange(6).reshape(2, 3), "b": np.zeros(0), "c": np.array("x")})
    deep = 1
    for i in range(100):
        deep = [deep] if i % 2 else {"d": deep}
    b.pack("nest_100", deep)
    b.pack("bytes_in_list", [bytearray(b"ab"), np.bytes_(b"cd")])
    b.pack("ellipsis", ...)
    b.pack("duration", dt.timedelta(1))
    b.pack("generator", iter([1]))
    b.pack("list_of_bad", [np.float16(1)])


def arrays(b):
    names = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128".split()
    for name in names:
        rng = np.random.default_rng(len(name))
        a = (rng.integers(0, 100, 24) - (0 if name[0] in "ub" else 50)).astype(name)
        b.pack(f"a_{name}_1d", a)
        b.pack(f"a_{name}_2d", a.reshape(4, 6))
        b.pack(f"a_{name}_3d_fortran", np.asfortranarray(a.reshape(2, 3, 4)))
        b.pack(f"a_{name}_0d", np.array(a[1]))
        b.pack(f"a_{name}_empty", np.zeros((2, 0, 3), name))
        b.pack(f"a_{name}_big_endian", a.astype(np.dtype(name).newbyteorder(">")))
        b.pack(f"a_{name}_strided", a[::-2])
    b.pack("a_one_by_n", np.arange(5.0).reshape(1, 5))
    b.pack("a_n_by_one", np.arange(5.0).reshape(5, 1))
    b.pack("a_64d", np.zeros((1,) * 63 + (2,), np.int8))
    b.pack("a_extremes_i64", np.array([-(2**63), 2**63 - 1]))
    b.pack("a_nan_payload", np.array([0x7FF8000000000123, 0xFFF0000000000001], "u8").view("f8"))
    b.pack("a_f32_special", np.array([np.nan, -np.inf, -0.0, 1e-45], "f4"))
    for name, z in {"inf_imag": [complex(1, np.inf), complex(2, 3)], "nan_imag": [complex(1, np.nan)],
                    "zeros": [complex(-0.0, 0.0), complex(0.0, -0.0), complex(-0.0, -0.0)],
                    "inf_real": [complex(np.inf, 1), complex(-np.inf, -1)]}.items():
        b.pack("z128_" + name, np.array(z))
        b.pack("z64_" + name, np.array(z, "c8"))
        b.pack("z128_2d_" + name, np.array([z, z]))
    for unit in "Y M W D h m s ms us ns ps fs as".split():
        b.pack("time_" + unit, np.array([0, 5, -7, np.iinfo("i8").min, np.iinfo("i8").max]).view(f"M8[{unit}]"))
        b.pack("time_0d_" + unit, np.datetime64(3, unit))
    b.pack("time_2d", np.arange(6).view("M8[ns]").reshape(2, 3))
    b.pack("time_big_endian", np.arange(3).astype(">M8[ns]"))
    for bad in ("f2", "g", "G", "S2", "S5", "m8[ns]", "M8", "M8[10ms]", "V4", "m8"):
        b.pack("refused_" + bad, np.zeros(2, bad))
    b.pack("refused_strings", np.array(["a"], dtype=np.dtypes.StringDType()))
    b.pack("refused_field", np.zeros(1, [("a", "S4")]))
    b.pack("refused_no_fields", np.zeros(2, []))
    b.pack("chars_one", np.array([b"x"], "S1"))
    b.pack("chars_0d", np.array(b"x", "S1"))
    b.pack("chars_empty", np.zeros(0, "S1"))
    b.pack("chars_nul", np.array([b"a", b"", b"b"], "S1"))
    b.pack("chars_ends_in_nul", np.array([b"a", b"b", b""], "S1"))
    b.pack("chars_1_by_n", np.array([[b"a", b"b", b"c"]], "S1"))
    b.pack("chars_2d", np.array([[b"a", b"b", b"c"], [b"d", b"e", b"f"]], "S1"))
    b.pack("chars_column", np.array([[b"a"], [b"b"]], "S1"))
    b.pack("chars_high", np.array([b"\xe9", b"a"], "S1"))
    b.pack("u_3d", np.array([[["a", "ü"], ["☃", ""]]]))
    b.pack("u_empty", np.zeros((0, 2), "U3"))
    b.pack("u_zero_width", np.array(["", ""]))
    b.pack("u_nul_inside", np.array(["a\0b", "c"]))
    b.pack("u_emoji", np.array(["😀", "x"]))
    b.pack("u_big_endian", np.array(["ab"], ">U2"))
    b.pack("o_mixed", objects([1, "a", None, [1, 2], {"k": 2}, np.arange(2), 2.5]))
    b.pack("o_2d", objects([1, "a", None, 4, 5, 6], (2, 3)))
    b.pack("o_empty", np.empty((0, 3), object))
    b.pack("o_0d_none", np.array(None))
    b.pack("o_equal_arrays", objects([np.arange(3), np.arange(3)]))
    b.pack("o_one_list", objects([[5]]))
    b.pack("o_nested", objects([objects([1, "x"]), objects([None])]))
    b.pack("o_scalars", objects([np.int8(3), np.array(4.0), np.datetime64(1, "D")]))


def structured(b):
    b.pack("r_all", np.zeros(2, [(c, c) for c in "? i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 c8 c16 M8[us] O U3 S1".split()]))
    b.pack("r_nested", np.array([((1, 2.5), 3)], [("in", [("a", "i4"), ("b", "f8")]), ("c", "u1")]))
    b.pack("r_nested_twice", np.zeros((2, 2), [("x", [("y", [("z", "f4")])])]))
    b.pack("r_fortran", np.asfortranarray(np.arange(6).view([("n", "i8")]).reshape(2, 3)))
    b.pack("r_unicode_names", np.zeros(1, [("größe", "f8"), ("x y", "i4"), ("", "u1")]))
    b.pack("r_sub_all", np.arange(12.0).view([("a", "f8", (3,))]))
    b.pack("r_sub_first", np.arange(9).view("i8").reshape(3, 3).view([("a", "i8", (2,)), ("n", "i8")]).reshape(3))
    b.pack("r_sub_square", np.zeros(3, [("a", "f8", (3,)), ("n", "i4")]))
    b.pack("r_sub_2d", np.zeros((2, 2), [("n", "i4"), ("a", "f8", (2, 2))]))
    b.pack("r_view", np.zeros(2, [("a", "i4"), ("b", "f8")])[["b"]])
    b.pack("r_rec", np.rec.array([(1, "a"), (2, "b")], names="n,s"))
    b.pack("r_0d_nested", np.array((1, (2.0,)), [("n", "i4"), ("in", [("x", "f8")])]))
    b.pack("r_big_endian", np.zeros(1, [("a", ">i4")]))
    b.pack("r_in_dict", {"r": np.zeros(1, [("a", "i4")])})
    b.pack("c_mixed", cell([np.arange(2.0), "x", None, {"a": 1}], (2, 2)))
    b.pack("c_numbers", cell([np.ones((1, 1)), np.ones((2, 2), "i4"), np.zeros((0, 0))], (1, 3)))
    b.pack("c_in_c", cell([cell([np.ones(1)], (1, 1)), cell([], (0,))], (2, 1)))
    b.pack("c_3d", cell(list(range(12)), (2, 3, 2)))
    b.pack("c_0_by_3", np.empty((0, 3), object).view(dj.MatCell))
    b.pack("s_mixed", structure((2, 1), {"a": [1.5, "x"], "b": [np.arange(3), None]}))
    b.pack("s_2d", structure((2, 2), {"a": list(range(4)), "b": list("wxyz")}))
    b.pack("s_arrays", structure((1, 1), {"a": [np.ones((1, 1))], "b": [cell([np.zeros(2)], (1, 1))]}))
    b.pack("s_nested", structure((1, 1), {"s": [structure((1, 2), {"x": [np.ones(1), np.zeros(1)]})]}))
    b.pack("s_empty", np.empty((0, 0), [("a", object)]).view(dj.MatStruct))
    b.pack("s_0d", np.array((1, 2), [("a", object), ("b", object)]).view(dj.MatStruct))


def compression(b):
    rng = np.random.default_rng(5)
    for size in (940, 987, 988, 989, 1100, 5000, 9000, 40000):
        b.pack(f"zip_text_{size}", "q" * size)
        b.pack(f"zip_noise_{size}", rng.integers(0, 256, size, dtype="u1").tobytes())
    b.pack("zip_uniform_floats", rng.random(5000))
    b.pack("zip_normal_f32", rng.standard_normal(5000).astype("f4"))
    b.pack("zip_small_ints", rng.integers(0, 50, (60, 70)))
    b.pack("zip_half_noise", np.concatenate([rng.random(3000), np.zeros(3000)]))
    b.pack("zip_not", np.zeros(3000), compress=False)
    b.pack("zip_images", [rng.integers(0, 4, (50, 50), dtype="u1") for _ in range(5)])
    plain = dj.pack([1, "two", np.arange(300)], compress=False)
    for level in (0, 1, 6, 9):
        b.raw(f"level_{level}", b"ZL123\0" + struct.pack("<Q", len(plain)) + zlib.compress(plain, level))
    whole = b"ZL123\0" + struct.pack("<Q", len(plain)) + zlib.compress(plain)
    b.raw("zip_trailing", whole + b"more")
    b.raw("zip_cut", whole[:-5])
    b.raw("zip_cut_prefix", whole[:10])
    b.raw("zip_size_small", whole[:6] + struct.pack("<Q", len(plain) - 1) + whole[14:])
    b.raw("zip_size_huge", whole[:6] + struct.pack("<Q", 2**60) + whole[14:])
    b.raw("zip_checksum", whole[:-1] + bytes([whole[-1] ^ 1]))
    b.raw("zip_twice", b"ZL123\0" + struct.pack("<Q", len(whole)) + zlib.compress(whole))
    b.raw("zip_of_junk", b"ZL123\0" + struct.pack("<Q", 4) + zlib.compress(b"junk"))
    b.raw("zip_empty", b"ZL123\0" + struct.pack("<Q", 0) + zlib.compress(b""))


def by_hand(b):
    u8, u4, u2 = (lambda *n: struct.pack(f"<{len(n)}Q", *n)), (lambda *n: struct.pack(f"<{len(n)}I", *n)), (
        lambda n: struct.pack("<H", n))
    item = lambda data: u8(len(data)) + data
    one = b"\x0a" + u2(1) + b"\x01"
    dj0, mym = b"dj0\0", b"mYm\0"
    array = lambda shape, dtype, is_complex, data: b"A" + u8(len(shape), *shape) + u4(dtype, is_complex) + data
    for dtype in (0, 1, 2, 16, 17, 65549):
        b.raw(f"element_{dtype}", mym + array((1,), dtype, 0, bytes(8)))
    for dtype, code in {3: "?", 8: "b", 9: "B", 10: "h", 11: "H", 12: "i", 13: "I", 14: "q", 15: "Q"}.items():
        data = struct.pack(f"<2{code}", 0, 1) + struct.pack(f"<2{code}", 1, 1)
        b.raw(f"complex_of_{dtype}", mym + array((1, 2), dtype, 1, data))
    b.raw("complex_flag_2", mym + array((1, 1), 6, 2, bytes(16)))
    b.raw("complex_char", mym + array((1, 2), 4, 1, b"a\0b\0"))
    b.raw("bool_bytes", mym + array((3,), 3, 0, b"\0\2\xff"))
    b.raw("char_3d", mym + array((1, 2, 2), 4, 0, b"a\0b\0c\0d\0"))
    b.raw("char_one", mym + array((1, 1), 4, 0, b"a\0"))
    b.raw("char_0d", mym + array((), 4, 0, b"a\0"))
    b.raw("char_1_by_0", mym + array((1, 0), 4, 0, b""))
    b.raw("char_beyond_ascii", mym + array((1, 2), 4, 0, b"a\0\x03\x26"))
    b.raw("cell_0_by_0", mym + b"C" + u8(2, 0, 0))
    b.raw("cell_1_by_0", mym + b"C" + u8(2, 1, 0))
    b.raw("struct_0_by_1", mym + b"S" + u8(2, 0, 1) + u4(2) + b"a\0bc\0")
    b.raw("struct_1_by_2", mym + b"S" + u8(2, 1, 2) + u4(1) + b"a\0" + item(one) + item(array((1, 1), 6, 0, bytes(8))))
    b.raw("sparse", mym + b"P" + u8(2, 3, 3))
    b.raw("record_of_list", dj0 + b"F" + u4(1) + b"a\0" + b"\x02" + u8(0))
    b.raw("record_same_name_twice", dj0 + b"F" + u4(2) + b"a\0a\0" + array((1,), 8, 0, b"\1") * 2)
    b.raw("record_shapes_differ", dj0 + b"F" + u4(2) + b"a\0b\0" + array((1,), 8, 0, b"\1") + array((2,), 8, 0, b"\1\2"))
    b.raw("dict_same_key_twice", dj0 + b"\4" + u8(2) + 2 * (item(b"\5" + item(b"k")) + item(one)))
    b.raw("dict_list_key", dj0 + b"\4" + u8(1) + item(b"\2" + u8(0)) + item(one))
    b.raw("set_same_twice", dj0 + b"\3" + u8(2) + 2 * item(one))
    b.raw("set_of_lists", dj0 + b"\3" + u8(1) + item(b"\2" + u8(0)))
    b.raw("int_minus_one_long", dj0 + b"\x0a" + u2(20) + b"\xff" * 20)
    b.raw("int_short", dj0 + b"\x0a" + u2(4) + b"\1\2")
    for i, text in enumerate(("1e5", "+5", " 7 ", "1_000", "inf", "nan", "-snan12", "007.50", "1E-8", "12E3", ".5", "5.", "")):
        b.raw(f"decimal_text_{i}", dj0 + b"d" + item(text.encode()))
    b.raw("decimal_bad", dj0 + b"d" + item(b"five"))
    date = lambda d, t: dj0 + b"t" + struct.pack("<iq", d, t)
    b.raw("date_feb_30", date(20240230, -1))
    b.raw("date_year_0", date(101, -1))
    b.raw("date_minus_2", date(-2, -1))
    b.raw("time_25h", date(-1, 25 * 10**10))
    b.raw("time_60s", date(-1, 60 * 10**6))
    b.raw("time_100h", date(-1, 100 * 10**10))
    b.raw("uuid_short", dj0 + b"u" + bytes(15))
    b.raw("trailing", dj0 + one + b"x")
    b.raw("trailing_in_list", dj0 + b"\2" + u8(1) + item(one + b"x"))
    b.raw("no_value", dj0)
    b.raw("short_header", b"dj0")
    b.raw("other_header", b"dj1\0" + one)
    b.raw("header_case", b"MYM\0" + one)
    b.raw("count_huge", dj0 + b"\2" + u8(2**62))
    b.raw("text_huge", dj0 + b"\5" + u8(2**63) + b"a")
    b.raw("text_surrogate_bytes", dj0 + b"\5" + item(b"\xed\xa0\x80"))
    b.raw("text_overlong", dj0 + b"\5" + item(b"\xc0\x80"))
    b.raw("shape_huge", mym + array((2**60,), 6, 0, b""))
    b.raw("shape_overflow", mym + array((2**32, 2**32), 6, 0, b""))
    b.raw("shape_65d", mym + array((1,) * 65, 8, 0, b"\1"))
    b.raw("object_codes_in_mym", mym + b"\4" + u8(1) + item(b"\5" + item(b"k")) + item(b"\xff"))
    short = lambda shape, dtype, data: b"A" + u4(len(shape), *shape, dtype, 0) + data
    element = lambda data: u4(len(data)) + data
    b.raw("short_lengths_array", mym + short((2, 2), 6, struct.pack("<4d", 1, 2, 3, 4)), 32)
    b.raw("short_lengths_empty", mym + short((0, 0), 6, b""), 32)
    b.raw("short_lengths_text", mym + short((1, 2), 4, b"a\0b\0"), 32)
    b.raw("short_lengths_cell", mym + b"C" + u4(2, 1, 2) + element(short((1, 1), 8, b"\5")) + element(short((0, 0), 6, b"")), 32)
    b.raw("short_lengths_struct", mym + b"S" + u4(2, 1, 1, 2) + b"a\0b\0" + 2 * element(short((1, 1), 9, b"\7")), 32)


def random_value(r, depth=0):
    array_types = "? i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 c8 c16 M8[s] U4 O".split()
    pick = r.randrange(10 if depth > 4 else 17)
    if pick == 0:
        return r.choice([None, True, False])
    if pick == 1:
        return r.randrange(-(2 ** r.randrange(1, 300)), 2 ** r.randrange(1, 300))
    if pick == 2:
        return struct.unpack("<d", r.randbytes(8))[0]
    if pick == 3:
        return complex(r.uniform(-9, 9), r.uniform(-9, 9))
    if pick == 4:
        return "".join(chr(r.choice([r.randrange(1, 128), r.randrange(0xA0, 0xD800), r.randrange(0x10000, 0x110000)]))
                       for _ in range(r.randrange(12)))
    if pick == 5:
        return r.randbytes(r.randrange(40))
    if pick == 6:
        return decimal.Decimal(r.randrange(-(10**12), 10**12)).scaleb(r.randrange(-20, 20))
    if pick == 7:
        return dt.datetime.min + dt.timedelta(microseconds=r.randrange(315537897600 * 10**6))
    if pick == 8:
        return r.choice([dt.date.fromordinal(r.randrange(1, 3652059)), dt.time(r.randrange(24), r.randrange(60), 1, 2)])
    if pick == 9:
        return uuid.UUID(bytes=r.randbytes(16))
    inner = lambda: random_value(r, depth + 1)
    shape = tuple(r.randrange(5) for _ in range(r.randrange(4)))
    size = int(np.prod(shape))
    if pick == 10:
        return [inner() for _ in range(r.randrange(5))]
    if pick == 11:
        return tuple(inner() for _ in range(r.randrange(5)))
    if pick == 12:
        return {r.choice(["key", 5, b"b", None, 2.5, (1, 2)]): inner() for _ in range(r.randrange(5))}
    if pick == 13:
        return cell([inner() for _ in range(size)], shape)
    if pick == 14 and size:
        return structure(shape or (1,), {"a": [inner() for _ in range(size)], "ü": [inner() for _ in range(size)]})

    def array(kind):
        if kind == "O":
            return objects([inner() for _ in range(size)], shape)
        if kind == "U4":
            return np.array([r.choice(["", "a", "ü☃", "abcd"]) for _ in range(size)], "U4").reshape(shape)
        dtype = np.dtype(kind)
        if dtype.kind in "fc":
            return np.array([r.uniform(-5, 5) for _ in range(size)], dtype).reshape(shape)
        if dtype.kind == "b":
            return np.array([r.random() < 0.5 for _ in range(size)], dtype).reshape(shape)
        return np.frombuffer(r.randbytes(size * dtype.itemsize), dtype).reshape(shape)

    if pick == 15:
        kinds = {name: r.choice(array_types[:-1]) for name in "xyz"[: r.randrange(1, 4)]}
        record = np.zeros(shape, [(name, kind) for name, kind in kinds.items()])
        for name, kind in kinds.items():
            record[name] = array(kind)
        return record
    return array(r.choice(array_types))


class Npy(Folder):
    def load(self, data):
        try:
            return np.load(io.BytesIO(data), allow_pickle=False), "ok"
        except Exception as e:
            return None, f"error: {type(e).__name__}: {e}"[:120]

    def about(self, array, order):
        plain = np.ascontiguousarray(array).reshape(array.shape)
        plain = plain.astype(plain.dtype.newbyteorder("<")).tobytes() if plain.dtype.itemsize else b""
        return {"dtype_str": str(array.dtype), "shape": list(array.shape), "itemsize": array.dtype.itemsize,
                "fortran_order": order, "data_sha256": hashlib.sha256(plain).hexdigest(), "data_nbytes": len(plain),
                "data_hex": plain.hex()}

    def save(self, name, array, version=None):
        out = io.BytesIO()
        try:
            if version:
                np.lib.format.write_array(out, array, version=version, allow_pickle=False)
            else:
                np.save(out, array, allow_pickle=False)
        except ValueError:
            return  # what numpy does not write
        data = out.getvalue()
        length = struct.unpack("<H", data[8:10])[0] + 10 if data[6] == 1 else struct.unpack("<I", data[8:12])[0] + 12
        read, how = self.load(data)
        case = {"numpy_load": how, "how": "numpy.lib.format.write_array" if version else "numpy.save",
                "version": [data[6], data[7]], "header_len": length,
                "descr": str(np.lib.format.dtype_to_descr(array.dtype)),
                **self.about(array, array.flags.f_contiguous and not array.flags.c_contiguous),
                "codec_metadata": {"dtype": str(array.dtype), "shape": list(array.shape)}}
        self.add(name, case, data, ".npy")

    def hand(self, name, header, data=np.arange(3.0).tobytes(), version=1, pad=True):
        front = b"\x93NUMPY" + bytes([version, 0])
        text = header.encode("latin1" if version < 3 else "utf8")
        if pad:
            text += b" " * (-(len(front) + (2 if version == 1 else 4) + len(text) + 1) % 64) + b"\n"
        whole = front + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data
        self.bytes(name, whole)

    def bytes(self, name, whole):
        read, how = self.load(whole)
        case = {"how": "hand-made", "version": list(whole[6:8])}
        if how == "ok":
            case |= {"descr": str(np.lib.format.dtype_to_descr(read.dtype)), **self.about(read, bool(read.flags.fnc))}
        self.add(name, {**case, "numpy_load": how}, whole, ".npy")


def npy(n):
    kinds = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16 M8[Y] M8[as] M8[25s] M8 m8[ns] m8 S1 S7 U1 U9 V3 g G".split()
    for kind in kinds:
        a = np.arange(12).astype(kind) if kind[0] not in "VMm" else np.arange(12).astype("i8" if kind[0] in "Mm" else "S3").view(kind)
        n.save(f"n_{kind}", a)
        n.save(f"n_{kind}_f", np.asfortranarray(a.reshape(3, 4)))
        n.save(f"n_{kind}_be", a.astype(a.dtype.newbyteorder(">")).reshape(2, 6))
        n.save(f"n_{kind}_0d", a[3].reshape(()))
        n.save(f"n_{kind}_empty", a[:0].reshape(0, 4))
        n.save(f"n_{kind}_v3", a, (3, 0))
    n.save("zero_width_s", np.zeros(3, "S0"))
    n.save("zero_width_u", np.zeros(3, "U0"))
    n.save("zero_width_v", np.zeros(3, "V0"))
    n.save("many_rows", np.zeros((10**6, 0), "i4"))
    n.save("long_dims", np.zeros((0, 10**12), "i1"))
    n.save("d64", np.zeros((1,) * 64, "i1"))
    n.save("f_3d_strided", np.asfortranarray(np.arange(60.0).reshape(3, 4, 5))[:, ::2])
    n.save("f_empty", np.asfortranarray(np.zeros((3, 0))))
    n.save("unicode_astral", np.array(["😀", "\U0010ffff"]))
    records = {
        "two": [("a", "<f8"), ("b", "<i4")], "bools": [("t", "?"), ("u", "u1")], "mixed_order": [("a", ">i2"), ("b", "<i2")],
        "sub": [("a", "f4", (2, 3)), ("n", "i1")], "sub_scalar": [("a", "f4", (1,))], "nested": [("in", [("x", "f8"), ("y", "u2")]), ("z", "S3")],
        "text": [("s", "U3"), ("r", "S5"), ("v", "V2")], "times": [("t", "M8[ms]"), ("d", "m8[h]")], "quote": [("it's", "i1"), ('"', "i1")],
        "backslash": [("a\\b", "i1"), ("n\n", "i1"), ("\x01", "i1")], "latin1": [("größe", "f4")], "greek": [("σ", "f4")],
        "not_printed": [("\xa0", "i1"), ("\u200b", "i1"), ("\u2028", "i1"), ("\ue000", "i1"), ("\xad", "i1")], "astral": [("😀", "i1"), ("\U000e0001", "i1")],
        "bare": [("", "i1"), ("b", "i2")], "complex": [("z", "c8"), ("w", "c16")], "half": [("h", "f2")], "deep": [("a", [("b", [("c", [("d", "i2", (2,))])])])],
        "both_quotes": [("a'b\"c", "i1")], "titles": [(("title", "name"), "i4"), ("b", "i2")], "long": [("g", "g")],
    }
    for name, fields in records.items():
        a = np.zeros(3, fields)
        n.save("rec_" + name, a)
        n.save("rec_" + name + "_aligned", np.zeros((2, 2), np.dtype(fields, align=True)))
    n.save("rec_offsets", np.zeros(2, {"names": ["a", "b"], "formats": ["i2", "f8"], "offsets": [4, 16], "itemsize": 32}))
    n.save("rec_overlap", np.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2], "itemsize": 8}))
    n.save("rec_backwards", np.zeros(2, {"names": ["b", "a"], "formats": ["i4", "i2"], "offsets": [4, 0], "itemsize": 8}))
    n.save("rec_fortran", np.asfortranarray(np.arange(6).view([("n", "i8")]).reshape(2, 3)))
    n.save("rec_300_fields", np.zeros(1, [(f"field number {i}", "f8") for i in range(300)]))
    n.save("rec_4000_fields", np.zeros(1, [(f"field number {i}", "f8") for i in range(4000)]))
    n.save("rec_no_fields", np.zeros(2, []))
    shape = "'fortran_order': False, 'shape': (3,)"
    n.hand("order", "{'shape': (3,), 'fortran_order': False, 'descr': '<f8'}")
    n.hand("newlines", "{'descr': '<f8',\n 'fortran_order': False,\n\t'shape': (3,), }\n")
    n.hand("long_int", "{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }")
    for i, descr in enumerate(("d", "f8", "float", "float64", "=f8", "double", "<d", "q", "l", "int", "Q", "uint", "int_", "<M8[us]",
                               "datetime64[us]", "M8[us]", "m8[s]", "i8", "V8", "S8", "a8", "U2", "c8", "F", "complex64", "timedelta64[ns]", "2i4",
                               ">q", "longlong", "ulong", "P", "intp", "uintp", "cfloat")):
        n.hand(f"descr_{i}", f"{{'descr': '{descr}', {shape}}}")
    for i, descr in enumerate(("?", "b", "B", "int8", "uint8", "c", "bool_", "byte", "ubyte", "bool8", "S1", "S", "b1", "i1", "|i1", "<u1", "bytes", "V1")):
        n.hand(f"descr_small_{i}", f"{{'descr': '{descr}', {shape}}}", b"\1\0\2")
    for i, descr in enumerate(("h", "e", "half", "short", "ushort", "int16", "uint16", "float16", "<H")):
        n.hand(f"descr_2_{i}", f"{{'descr': '{descr}', {shape}}}", bytes(range(6)))
    for i, descr in enumerate(("i", "f", "single", "intc", "uintc", "I", "float32", "<w", "U1", "U", "str")):
        n.hand(f"descr_4_{i}", f"{{'descr': '{descr}', {shape}}}", bytes(3) + b"A" * 9)
    n.hand("no_header", "")
    n.hand("no_dict", "3")
    n.hand("no_shape", "{'descr': '<f8', 'fortran_order': False}")
    n.hand("extra_key", "{'descr': '<f8', 'x': 1, " + shape + "}")
    n.hand("fortran_1", "{'descr': '<f8', 'fortran_order': 1, 'shape': (3,)}")
    n.hand("fortran_true", "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3)}")
    n.hand("shape_list", "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}")
    n.hand("shape_text", "{'descr': '<f8', 'fortran_order': False, 'shape': ('3',)}")
    n.hand("shape_float", "{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}")
    n.hand("shape_huge", "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,)}")
    n.hand("shape_overflow", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}")
    n.hand("shape_beyond_64", "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}")
    n.hand("shape_65", "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 65 + ")}")
    n.hand("object", "{'descr': '|O', " + shape + "}")
    n.hand("object_field", "{'descr': [('a', '|O')], " + shape + "}")
    n.hand("descr_bad", "{'descr': '<z8', " + shape + "}")
    n.hand("descr_unit", "{'descr': '<M8[xs]', " + shape + "}")
    n.hand("descr_number", "{'descr': 8, " + shape + "}")
    n.hand("descr_dict", "{'descr': {'names': ['a'], 'formats': ['<f8']}, " + shape + "}")
    n.hand("descr_same_names", "{'descr': [('a', '<f4'), ('a', '<f4')], " + shape + "}")
    n.hand("descr_tuple", "{'descr': ('<f4', (2,)), " + shape + "}")
    n.hand("bools", "{'descr': '|b1', " + shape + "}", b"\0\2\xff")
    n.hand("trailing", "{'descr': '<f8', " + shape + "}", np.arange(5.0).tobytes())
    n.hand("short", "{'descr': '<f8', " + shape + "}", bytes(23))
    n.hand("utf8_v3", "{'descr': [('σ', '<f8')], " + shape + "}", version=3)
    n.hand("v2", "{'descr': '<f8', " + shape + "}", version=2)
    n.hand("v4", "{'descr': '<f8', " + shape + "}", version=4)
    n.hand("v0", "{'descr': '<f8', " + shape + "}", version=0)
    n.hand("call", "{'descr': __import__('os').name, " + shape + "}")
    n.hand("sum", "{'descr': '<f8', 'fortran_order': False, 'shape': (1+2,)}")
    n.hand("deep", "(" * 500 + ")" * 500)
    n.hand("unclosed", "{'descr': '<f8', ")
    n.bytes("nothing", b"\x93NUMPY\1\0")
    n.bytes("cut_length", b"\x93NUMPY\1\0\x76")
    n.bytes("cut_header", b"\x93NUMPY\1\0\x76\0{'descr'")
    n.bytes("zip", b"PK\3\4" + bytes(20))


def main():
    folder = pathlib.Path(sys.argv[1])
    blobs, files = Blobs(folder / "blobs"), Npy(folder / "npy")
    for make in (scalars, containers, arrays, structured, compression, by_hand):
        make(blobs)
    npy(files)
    if len(sys.argv) > 2:
        r = random.Random(sys.argv[2])
        for i in range(300):
            blobs.pack(f"random_{i}", random_value(r), r.random() < 0.8)
    blobs.close()
    files.close()


if __name__ == "__main__":
    main()
