#!/usr/bin/env python3
"""Who may include whom. Reads every #include of the tree against the tables below, prints the lines that break them.

    check_layers.py [ROOT]       exit 0: all is well; 1: the offending lines were printed
    check_layers.py --self-test  plants one violation of each kind in a temporary tree and sees that each is found
"""
import os
import re
import sys
import tempfile

# A room may include itself, the rooms named here, and what those may include of core.
ROOMS = {
    "core": [],
    "config": ["core", "store"],
    "format": ["core"],
    "store": ["core"],
    "db": ["core"],
    "codec": ["core", "format", "store"],
    "schema": ["core", "db", "codec"],
    "query": ["core", "db", "schema"],
    "engine": ["core", "config", "format", "store", "db", "codec", "schema", "query"],
}
# The public headers of each room; every other one is the engine's.
HEADERS = {
    "core": ["bytes", "error", "array", "value", "ref", "scalar"],
    "config": ["config"],
    "store": ["store"],
    "db": ["db"],
    "codec": ["codec"],
    "schema": ["attribute", "definition", "definition_basics", "definition_default", "definition_parser",
               "definition_type", "heading"],
    "query": ["condition"],
}
ROOM_OF_HEADER = {header: room for room, headers in HEADERS.items() for header in headers}
# Third parties: a pattern of include names, and who may use them (a room, a file of one, or another folder).
THIRD_PARTIES = [
    (r"fmt/", ["core", "config", "format", "store", "db", "codec", "schema", "query", "engine", "cli", "bench"]),
    (r"nlohmann/", ["core", "config", "format", "store", "db", "codec", "schema", "query", "engine", "cli"]),
    (r"openssl/", ["core", "store"]),
    (r"zlib\.h", ["format"]),
    (r"sqlite3\.h", ["db/drivers/sqlite.cpp", "bench"]),
    (r"curl/", ["store/transfer.cpp", "store/transfer.hpp", "bench"]),
    (r"pugixml\.hpp", ["store/s3_xml.cpp"]),
    (r"libpq-fe\.h", ["db/drivers/postgres.cpp", "db/postgres_link.hpp", "bench"]),
    (r"mysql\.h", ["db/mysql_link.hpp"]),
    (r"xtensor/|xtl/", ["include/oas/xtensor.hpp", "examples", "bench"]),
    (r"CLI/", ["cli"]),
    (r"pybind11/|nanobind/|Python\.h", ["python"]),
    # The operating system: where processes, threads and local files are. Not in format, schema, query: they are pure.
    (r"(sys|netinet|arpa|linux)/|(unistd|fcntl|dirent|poll|signal|spawn|netdb|termios|pwd|string|limits|stdlib|stdio|time)\.h",
     ["core", "config", "store", "db/drivers", "db/postgres_link.cpp", "db/mysql_link.cpp", "codec", "engine", "cli", "bench"]),
]
OUTSIDE = ["cli", "python", "bench", "examples"]  # see only include/oas, and their own folder
LIMIT = 250  # lines of a public header

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def visible(room):
    seen, todo = set(), [room]
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo += ROOMS[room]
    return seen


def third_party(name):
    for pattern, users in THIRD_PARTIES:
        if re.match(pattern, name):
            return users
    return None


def third_party_problem(path, room, name):
    users = third_party(name)
    if users is None:
        return "an unknown third party: if it is welcome, tools/check_layers.py and docs/dependencies.md must say so"
    here = path.removeprefix("src/")
    if any(here == user or here.startswith(user + "/") or room == user for user in users):
        return None
    return "only for " + ", ".join(users)


def problem(root, path, quoted, name):
    """Why the file at `path` may not include `name`, or None."""
    parts = path.split("/")
    if name.startswith("oas/"):
        if not os.path.exists(os.path.join(root, "include", name)):
            return "there is no such public header"
        if parts[0] == "src" and name == "oas/oas.hpp":
            return "the header of everything is for users"
        owner = ROOM_OF_HEADER.get(name[4:].removesuffix(".hpp"), "engine")
        if parts[0] == "src" and owner not in visible(parts[1]):
            return f"this public header belongs to {owner}, which {parts[1]} may not use"
        return None
    if parts[:2] == ["include", "oas"]:
        if quoted:
            return "a public header includes only public headers, as <oas/…>"
        return third_party_problem(path, None, name) if re.search(r"[./]", name) else None
    target = name.split("/")
    if parts[0] == "src":
        room = parts[1]
        if target[0] in ROOMS and len(target) > 1:
            if not os.path.exists(os.path.join(root, "src", name)):
                return "there is no such header"
            if target[0] not in visible(room):
                return f"{room} may not use {target[0]}"
            if target[0] != room and "drivers" in target:
                return "a driver is private to its room"
            return None
        if quoted:
            return 'the headers of a room are included as "<room>/x.hpp"'
    elif quoted:
        own = os.path.join(root, os.path.dirname(path), name)
        top = os.path.join(root, parts[0], name)
        if target[0] in ROOMS and os.path.exists(os.path.join(root, "src", name)):
            return "only include/oas is for the outside"
        return None if os.path.exists(own) or os.path.exists(top) else third_party_problem(path, parts[0], name)
    if not re.search(r"[./]", name):
        return None  # the standard library
    return third_party_problem(path, parts[1] if parts[0] == "src" else parts[0], name)


def check(root):
    found = []
    for top in ["include/oas", "src", *OUTSIDE]:
        for folder, _, files in sorted(os.walk(os.path.join(root, top))):
            for file in sorted(files):
                if not file.endswith((".cpp", ".hpp", ".h", ".ipp")):
                    continue
                path = os.path.relpath(os.path.join(folder, file), root).replace(os.sep, "/")
                if top == "src" and path.split("/")[1] not in ROOMS:
                    found.append(f"{path}:1: no room: src/ has {', '.join(ROOMS)}")
                    continue
                with open(os.path.join(root, path), encoding="utf-8") as lines:
                    number = 0
                    for number, line in enumerate(lines, 1):
                        match = INCLUDE.match(line)
                        why = match and problem(root, path, match[1] == '"', match[2])
                        if why:
                            found.append(f"{path}:{number}: {line.strip()}: {why}")
                    if top == "include/oas" and number >= LIMIT:
                        found.append(f"{path}:{number}: a public header stays under {LIMIT} lines")
    return found


def self_test():
    good = {
        "include/oas/bytes.hpp": "#include <vector>\n",
        "include/oas/store.hpp": "#include <oas/bytes.hpp>\n",
        "include/oas/query.hpp": "#include <oas/store.hpp>\n",
        "include/oas/xtensor.hpp": "#include <xtensor/xadapt.hpp>\n",
        "src/core/hash.hpp": "#include <oas/bytes.hpp>\n",
        "src/core/hash.cpp": '#include "core/hash.hpp"\n#include <openssl/evp.h>\n#include <fmt/format.h>\n',
        "src/store/store.cpp": '#include <oas/store.hpp>\n#include "core/hash.hpp"\n#include <sys/stat.h>\n',
        "src/store/drivers/file.hpp": "",
        "src/codec/codec.cpp": '#include <oas/store.hpp>\n#include "core/hash.hpp"\n',
        "src/db/drivers/sqlite.cpp": "#include <sqlite3.h>\n",
        "cli/main.cpp": '#include <CLI/CLI.hpp>\n#include <oas/query.hpp>\n#include "verbs.hpp"\n',
        "cli/verbs.hpp": "",
    }
    bad = [
        ("src/format/blob.cpp", '#include "store/path.hpp"', {"src/store/path.hpp": ""}),
        ("src/core/hash.cpp", '#include "hash.hpp"', {}),
        ("src/store/path.cpp", "#include <oas/query.hpp>", {}),
        ("src/engine/insert.cpp", '#include "store/drivers/file.hpp"', {}),
        ("src/engine/insert.cpp", "#include <sqlite3.h>", {}),
        ("src/db/transaction.cpp", "#include <sqlite3.h>", {}),
        ("src/store/store.cpp", "#include <zlib.h>", {}),
        ("src/core/x.cpp", "#include <boost/any.hpp>", {}),
        ("src/query/render.cpp", "#include <unistd.h>", {}),
        ("src/engine/session.cpp", "#include <oas/oas.hpp>", {"include/oas/oas.hpp": ""}),
        ("src/attic/x.cpp", "", {}),
        ("include/oas/value.hpp", "#include <nlohmann/json.hpp>", {}),
        ("include/oas/value.hpp", '#include "core/hash.hpp"', {}),
        ("include/oas/value.hpp", "// line\n" * LIMIT, {}),
        ("cli/main.cpp", '#include "core/hash.hpp"', {}),
        ("examples/a.cpp", "#include <fmt/format.h>", {}),
    ]
    failures = []

    def found(files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                    out.write(text)
            return check(root)

    if found(good):
        failures.append(f"a good tree: {found(good)}")
    for path, text, more in bad:
        lines = found({**good, **more, path: text})
        if len(lines) != 1 or not lines[0].startswith(path + ":"):
            failures.append(f"planted in {path}: {text.splitlines()[:1]}: {lines}")
    return failures


def main(arguments):
    if arguments == ["--self-test"]:
        lines = self_test()
    else:
        lines = check(arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    print("\n".join(lines) if lines else "ok")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
