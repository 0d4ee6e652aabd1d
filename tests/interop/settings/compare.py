#!/usr/bin/env python3
"""Reads the same settings with DataJoint for Python 2.3.5 and with `oas config show --json`, and compares.

    compare.py PROGRAM     exit 0: as expected; 1: differences were printed; 77: DataJoint for Python 2.3.5 is not here

A case says where the two are meant to differ; why is in docs/compatibility.md under "Settings".
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import reference as which

which.need()
from datajoint import settings as reference

REFUSED = "refused"


class Case:
    """`file`: datajoint.json, an object or a text. `differs`: key → (what it has, what we have). `both_refuse`: neither
    takes it. `we_refuse`, `it_refuses`: only one does. `store`: compare this entry, key by key."""

    def __init__(self, what, file=None, env=None, secrets=None, differs=None, store=None, both_refuse=False,
                 we_refuse=False, it_refuses=False, keys=()):
        self.what, self.file, self.env, self.secrets = what, file, env or {}, secrets or {}
        self.differs, self.store, self.keys = differs or {}, store, keys
        self.it_refuses, self.we_refuse = it_refuses or both_refuse, we_refuse or both_refuse


def file_store(**more):
    return {"stores": {"m": {"protocol": "file", "location": "/data", **more}}}


def s3_store(**more):
    return {"stores": {"m": {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "l", **more}}}


CASES = [
    Case("nested keys", {"database": {"host": "h", "user": "u", "port": 3310}, "jobs": {"stale_timeout": 5}}),
    Case("dotted keys", {"database.host": "h", "database.user": "u", "jobs.stale_timeout": 5, "safemode": False}),
    Case("both", {"database.host": "h", "database": {"user": "u"}}),
    Case("numbers as texts", {"database": {"host": "h", "port": "3310"}, "jobs": {"default_priority": " 7 "}}),
    Case("truth as texts and numbers", {"safemode": "no", "jobs": {"auto_refresh": 0, "keep_completed": "y"}}),
    Case("whole floats", {"display": {"limit": 5.0, "show_tuple_count": 1.0}}),
    Case("words", {"loglevel": "DEBUG", "display": {"diagram_direction": "TB", "diagram_theme": "dark"},
                   "jobs": {"version_method": "git"}}),
    Case("an object", {"provenance": {"capture": True, "source": {"system": "x", "n": [1, None]}}}),
    *[Case("wrong: " + json.dumps(wrong), wrong, both_refuse=True) for wrong in [
        {"loglevel": "debug"}, {"loglevel": 10}, {"safemode": "maybe"}, {"safemode": 2}, {"database": {"port": "x"}},
        {"database": {"port": 1.5}}, {"database": {"host": 5}}, {"database": {"backend": "oracle"}},
        {"display": {"diagram_direction": "BT"}}, {"jobs": {"stale_timeout": -1}}, {"jobs": {"default_priority": 256}},
        {"jobs": {"version_method": "svn"}}, {"provenance": {"source": [1]}}, {"database": {"use_tls": "maybe"}}]],
    Case("no JSON", "{", both_refuse=True),
    Case("no object", "[1]", both_refuse=True),
    Case("unknown keys pass there", {"databse": {"host": "h"}, "safemode": False}, we_refuse=True),
    Case("unknown keys of a group pass there", {"database": {"hots": "h"}}, we_refuse=True),
    Case("a key that comes twice", '{"loglevel": "INFO", "loglevel": "DEBUG"}', we_refuse=True),
    Case("NaN passes there", '{"provenance": {"source": {"n": NaN}}}', we_refuse=True),

    Case("E variables win", {"database": {"host": "f", "port": 1, "user": "f"}, "loglevel": "ERROR"},
         env={"DJ_HOST": "e", "DJ_PORT": "2", "DJ_USER": "e", "DJ_LOG_LEVEL": "DEBUG", "DJ_CREATE_TABLES": "no",
              "DJ_DATABASE_PREFIX": "p_", "DJ_BACKEND": "postgresql", "DJ_DATABASE_NAME": "n",
              "DJ_DIAGRAM_DIRECTION": "TB", "DJ_DIAGRAM_THEME": "light"}),
    Case("variables without a file", env={
        "DJ_HOST": "e", "DJ_SAFEMODE": "off", "DJ_USE_TLS": "true", "DJ_RECONNECT": "0", "DJ_DOWNLOAD_PATH": "/d",
        "DJ_QUERY_CACHE": "/q", "DJ_JOBS_AUTO_REFRESH": "f", "DJ_JOBS_KEEP_COMPLETED": "true",
        "DJ_JOBS_STALE_TIMEOUT": "60", "DJ_JOBS_DEFAULT_PRIORITY": "7", "DJ_JOBS_VERSION_METHOD": "none",
        "DJ_JOBS_ADD_JOB_METADATA": "true", "DJ_JOBS_ALLOW_NEW_PK_FIELDS_IN_COMPUTED_TABLES": "yes",
        "DJ_PROVENANCE_CAPTURE": "true", "DJ_PROVENANCE_SOURCE": '{"a": 1}'}),
    Case("the other variables lose there [34]", {"safemode": True, "download_path": "/f", "jobs": {"stale_timeout": 1}},
         env={"DJ_SAFEMODE": "false", "DJ_DOWNLOAD_PATH": "/e", "DJ_JOBS_STALE_TIMEOUT": "2"},
         differs={"safemode": (True, False), "download_path": ("/f", "/e"), "jobs.stale_timeout": (1, 2)}),
    Case("the port of a backend in the file [35]", {"database": {"host": "h", "backend": "postgresql"}},
         keys=["database.port"], differs={"database.port": (3306, 5432)}),
    Case("the port of a backend in the environment", env={"DJ_HOST": "h", "DJ_BACKEND": "postgresql"},
         keys=["database.port"]),
    Case("plain variables [36]", {"database": {"host": "h"}}, env={"WIDTH": "33", "CHARSET": "latin1"},
         keys=["display.width", "connection.charset"],
         differs={"display.width": (33, None), "connection.charset": ("latin1", None)}),
    Case("a plain variable breaks it [36]", {"database": {"host": "h"}}, env={"LIMIT": "wide"}, it_refuses=True),
    Case("a wrong variable", env={"DJ_HOST": "h", "DJ_PORT": "many"}, both_refuse=True),
    Case("an empty variable", env={"DJ_HOST": "h", "DJ_PORT": ""}, it_refuses=True),
    Case("the file is left out", {"database": {"host": "f"}}, env={"DJ_IGNORE_CONFIG_FILE": "true", "DJ_USER": "u"},
         secrets={"database.password": "p"}, keys=["database.user"]),
    Case("a flag that is none", env={"DJ_IGNORE_CONFIG_FILE": "of course"}, both_refuse=True),

    Case("a file store", file_store(), store="m"),
    Case("a file store with all", file_store(subfolding=[2, 3], partition_pattern="{a}/{b}", token_length=12,
                                             hash_prefix="h", schema_prefix="s", filepath_prefix="f", stage="/x"),
         store="m"),
    Case("an s3 store", s3_store(), store="m"),
    Case("an s3 store with all", s3_store(access_key="k", secret_key="s", secure=False, proxy_server="p"), store="m"),
    Case("a gcs store", {"stores": {"m": {"protocol": "gcs", "bucket": "b", "location": "", "project": "p"}}}, store="m"),
    Case("an azure store", {"stores": {"m": {"protocol": "azure", "container": "c", "location": "l",
                                             "account_name": "n"}}}, store="m"),
    Case("dotted keys of a store", {"stores.m.protocol": "file", "stores.m.location": "/data"}, store="m"),
    Case("a dotted default is lost there [77]", {"stores.default": "m", **file_store()}, keys=["stores.default"],
         differs={"stores.default": (None, "m")}),
    Case("a nested default", {"stores": {"default": "m", "filepath_default": "m",
                                         "m": {"protocol": "file", "location": "/data"}}},
         keys=["stores.default", "stores.filepath_default"]),
    Case("an empty prefix", file_store(hash_prefix=""), store="m"),
    Case("capitals of a protocol", file_store(protocol="FILE"), store="m", differs={"protocol": ("FILE", "file")}),
    *[Case("wrong store: " + json.dumps(wrong), {"stores": {"m": wrong}}, store="m", both_refuse=True) for wrong in [
        {"protocol": "file"}, {"protocol": "file", "location": "/d", "bucket": "b"}, {"location": "/d"},
        {"protocol": "s3", "bucket": "b", "location": ""}, {"protocol": "s3", "endpoint": "e", "location": ""},
        {"protocol": "gcs", "location": ""}, {"protocol": "azure", "bucket": "b", "location": ""},
        {"protocol": "file", "location": "/d", "hash_prefix": "a", "schema_prefix": "/a/"},
        {"protocol": "file", "location": "/d", "hash_prefix": "a/b", "schema_prefix": "a"},
        {"protocol": "file", "location": "/d", "filepath_prefix": "_schema/in"},
        {"protocol": "file", "location": "/d", "hash_prefix": "/", "schema_prefix": "/"}]],
    Case("a protocol that nobody knows is found out at its use", {"stores": {"m": {"protocol": "ftp"}}}, store="m",
         it_refuses=True),
    Case("fields of a wrong type are found out at their use", file_store(token_length="long"), we_refuse=True),
    Case("prefixes that leave the store pass there", file_store(hash_prefix="../x"), we_refuse=True),

    Case("DJ_STORES replaces", file_store(), env={"DJ_STORES": '{"n": {"protocol": "file", "location": "/n"}}'},
         store="n"),
    Case("DJ_STORES is no object", env={"DJ_STORES": "[1]"}, both_refuse=True),
    Case("DJ_STORES is no JSON", env={"DJ_STORES": "{"}, both_refuse=True),
    Case("secrets", {"database": {"host": "h"}}, secrets={"database.user": " me\n", "database.password": "p"},
         keys=["database.user", "database.password"]),
    Case("the file before secrets", {"database": {"host": "h", "user": "f"}}, secrets={"database.user": "s"}),
    Case("a null of the file before secrets", {"database": {"host": "h", "user": None}}, secrets={"database.user": "s"},
         keys=["database.user"]),
    Case("secrets of a store", s3_store(access_key="k"), secrets={"stores.m.secret_key": "s", "stores.m.a.b": "x"},
         store="m"),
    Case("secrets fill DJ_STORES", {}, env={"DJ_STORES": '{"m": {"protocol": "gcs", "bucket": "b", "location": ""}}'},
         secrets={"stores.m.token": "t", "stores.m.bucket": "other"}, store="m"),
    Case("a store of secrets alone", {}, secrets={"stores.m.protocol": "file", "stores.m.location": "/s"}, store="m"),
]


def plain(value):
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    return str(value) if isinstance(value, os.PathLike) else value


def of_reference(case, folder):
    """Its config, or REFUSED: a broken file is a warning there, after which it goes on with what it has."""
    os.chdir(folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = reference._create_config()
            if case.store:
                config.get_store_spec(case.store)
        except Exception:  # of pydantic, ValueError, DataJointError
            return REFUSED
    return REFUSED if any("Failed to load" in str(w.message) for w in caught) else config


def of_ours(program, folder, env):
    done = subprocess.run([program, "--folder", folder, "config", "show", "--json"], capture_output=True, text=True,
                          env=env)
    if done.returncode == 2 and json.loads(done.stderr)["error"] in ("usage", "syntax"):
        return REFUSED
    assert done.returncode == 0, done.stderr
    return {line["setting"]: line for line in map(json.loads, done.stdout.splitlines())}


def same(theirs, ours):
    """`ours` is a text as `config show` prints it."""
    if ours == "(secret)":
        return theirs is not None
    if theirs is None:
        return ours is None
    return ours == (theirs if isinstance(theirs, str) else json.dumps(theirs))


def problems(case, program, folder):
    if case.file is not None:
        with open(os.path.join(folder, "datajoint.json"), "w") as out:
            out.write(case.file if isinstance(case.file, str) else json.dumps(case.file))
    for name, text in case.secrets.items():
        os.makedirs(os.path.join(folder, ".secrets"), exist_ok=True)
        with open(os.path.join(folder, ".secrets", name), "w") as out:
            out.write(text)
    before = dict(os.environ)
    os.environ.update(case.env)
    try:
        theirs = of_reference(case, folder)
        ours = of_ours(program, folder, dict(os.environ))
    finally:
        os.environ.clear()
        os.environ.update(before)
    for who, is_refused, should in [("DataJoint for Python", theirs == REFUSED, case.it_refuses),
                                    ("oas", ours == REFUSED, case.we_refuse)]:
        if is_refused != should:
            yield f"{who} {'refused it' if is_refused else 'took it'}"
            return
    if REFUSED in (theirs, ours):
        return
    if case.store:
        spec = theirs.get_store_spec(case.store)
        for key, value in spec.items():
            if key in ("stage", "subfolding", "partition_pattern", "filepath_prefix") and value is None:
                continue
            it_has, we_have = case.differs.get(key, (value, value))
            shown = ours.get(f"stores.{case.store}.{key}", {}).get("value")
            # What was said is shown as it was said; what it means is for the stores' own tests.
            if plain(value) != it_has or not (same(we_have, shown) or key == "protocol"):
                yield f"stores.{case.store}.{key}: there {value!r}, here {shown!r}"
        return
    keys = {key for key, line in ours.items() if line["source"] != "default" and not key.startswith("stores.")}
    for key in sorted(keys | set(case.keys)):
        if key.startswith("stores."):
            value = theirs.stores.get(key.removeprefix("stores."))
        else:
            value = theirs
            for part in key.split("."):
                value = plain(getattr(value, part))
        it_has, we_have = case.differs.get(key, (value, value))
        shown = ours.get(key, {}).get("value")
        if value != it_has or not same(we_have, shown):
            yield f"{key}: there {value!r}, here {shown!r}"


def main():
    program = os.path.realpath(sys.argv[1])
    found = 0
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="oas-settings-") as folder:
            os.mkdir(os.path.join(folder, ".git"))  # the search ends here
            for problem in problems(case, program, os.path.realpath(folder)):
                found += 1
                print(f"{case.what}: {problem}")
            os.chdir("/")
    print(f"{len(CASES)} cases, {found} problems")
    return 1 if found else 0


sys.exit(main())
