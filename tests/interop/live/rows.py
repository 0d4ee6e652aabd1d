#!/usr/bin/env python3
"""The same rows: what DataJoint for Python writes is read here, and the reverse.

    rows.py SIDE postgresql|mariadb|mysql      exit 0: all as expected; 1: differences were printed; 77: skipped
"""
import sys

from beside import Beside, Refused, attached, difference, dj, local, note, np

CASES = {"<blob>": [1, [1, 2.5, None, "ü", {"a": np.arange(6).reshape(2, 3)}]]}


def main():
    problems = []
    with Beside(*sys.argv[1:]) as both:
        schema = dj.Schema("theirs")
        for type_, values in CASES.items():
            table = schema(type("Value", (dj.Manual,), {"definition": f"id : int32\n---\nv = null : {type_}"}))()
            table.insert({"id": i, "v": v} for i, v in enumerate(values))
            for i, row in enumerate(both.ours.fetch("theirs", "value")):
                problems.append(difference({"id": note(i), "v": note(values[i])}, row))
            both.ours.declare("ours", **{"class": "Value", "definition": f"id : int32\n---\nv = null : {type_}"})
            both.ours.insert("ours", "value", rows=[{"id": note(i), "v": note(v)} for i, v in enumerate(values)])
            for i, row in enumerate(dj.Schema("ours").get_table("value").to_dicts()):
                problems.append(difference({"id": note(i), "v": note(values[i])}, {n: note(v) for n, v in row.items()}))
    problems = [p for p in problems if p]
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
