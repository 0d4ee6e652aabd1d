#!/usr/bin/env python3
"""Both at work on the same content at the same time. DataJoint for Python knows nothing of the ledger: it sees that an object
is there, does not upload it, and commits the row a moment later. No row of either loses its object.

    neighbours.py SIDE postgresql|mariadb|mysql      exit 0: all as expected; 1: differences were printed; 77: skipped
"""
import os
import random
import sys
import threading

from beside import Beside, Refused, dj, note
from datajoint import hash_registry

problems = []
CONTENTS = [bytes([n]) * 2000 for n in range(4)]


def expect_whole(both, when):
    audit = both.ours.audit(deep=True)
    problems.extend(f"{when}: {fault}" for fault in audit["faults"])
    return audit["leaks"]


def deleted_in_between(both, table):
    """We delete the last row that had the content, between its look and its commit."""
    both.ours.insert("lab", "shared", rows=[{"id": note(1), "content": note(CONTENTS[0])}])
    put_hash = hash_registry.put_hash

    def slow(*args, **more):
        metadata = put_hash(*args, **more)
        both.ours.remove("lab", "shared", where="id = 1")
        return metadata

    hash_registry.put_hash = slow
    table.insert1({"id": 2, "content": CONTENTS[0]})
    hash_registry.put_hash = put_hash
    if both.ours.fetch("lab", "shared", attributes=["id"]) != [{"id": note(2)}]:
        problems.append("the test did not delete in between")
    # Nobody can keep this one from dangling; the next look brings the object back.
    both.ours.collect()
    if (table & {"id": 2}).fetch1("content") != CONTENTS[0]:
        problems.append("its row has lost its content")
    expect_whole(both, "deleted in between")
    table.delete(prompt=False)


def at_once(both, table, rounds, seed):
    """Two of ours and it insert and delete the same contents."""

    def ours(number):
        r, side, rows = random.Random(f"{seed} {number}"), both.side(), []
        try:
            for i in range(rounds):
                if rows and r.random() < 0.5:
                    side.remove("lab", "shared", where=f"id = {rows.pop(r.randrange(len(rows)))}")
                else:
                    rows.append(number * 1000 + i)
                    side.insert("lab", "shared", rows=[{"id": note(rows[-1]), "content": note(r.choice(CONTENTS))}])
        except Refused as e:
            problems.append(f"ours {number}: {e}")
        side.close()

    workers = [threading.Thread(target=ours, args=(number,)) for number in (1, 2)]
    for worker in workers:
        worker.start()
    r, rows = random.Random(seed), []
    for i in range(rounds):
        if rows and r.random() < 0.5:
            (table & {"id": rows.pop(r.randrange(len(rows)))}).delete(prompt=False)
        else:
            rows.append(i)
            table.insert1({"id": i, "content": r.choice(CONTENTS)})
    for worker in workers:
        worker.join()
    both.ours.collect()
    expect_whole(both, "at once")
    here = {int(row["id"]["v"]): row["content"]["hex"] for row in both.ours.fetch("lab", "shared")}
    there = {row["id"]: bytes(row["content"]).hex() for row in table.to_dicts()}
    if here != there or not set(rows) <= set(here):
        problems.append(f"rows differ: {sorted(here)} here, {sorted(there)} there")


def leftovers(both, table):
    """What it left is found by our audit, and goes when it is old enough; what its collector would remove is the same."""
    left = expect_whole(both, "leftovers")
    table.delete_quick()
    left = expect_whole(both, "all rows deleted")
    orphans = dj.gc.GarbageCollector(dj.Schema("lab"), store="main").collect()["orphaned_hash_paths"]
    if not left or left != [f"main: {path}" for path in orphans]:
        problems.append(f"leaks {left}, orphans there {orphans}")
    both.ours.audit(repair=True)
    if both.ours.audit()["leaks"] != left:
        problems.append("young leftovers were removed")
    for path in orphans:
        os.utime(both.folder / "main" / path, (0, 0))
    both.ours.audit(repair=True)
    if both.ours.audit()["leaks"]:
        problems.append("old leftovers are still there")


def main():
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    with Beside(*sys.argv[1:3]) as both:
        @dj.Schema("lab")
        class Shared(dj.Manual):
            definition = "id : int32\n---\ncontent : <hash@main>"

        deleted_in_between(both, Shared())
        at_once(both, Shared(), 60, seed)
        leftovers(both, Shared())
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
