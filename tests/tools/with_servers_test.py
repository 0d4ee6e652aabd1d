#!/usr/bin/env python3
"""Whatever ends tools/with_servers, its servers end too."""
import os
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 60  # seconds


KINDS = {"postgres": "OAS_TEST_POSTGRES", "versitygw": "OAS_TEST_S3_VERSITYGW"}


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


def gone(port, folder):
    """Nobody listens any more, and the folder is removed if the keeper lived."""
    end = time.monotonic() + PATIENCE
    while listens(port) or (folder and os.path.exists(folder)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def start(tool, kind, *command):
    """The tool, running, the port of its server, and its folder. None: there is no such server."""
    script = f'echo "${KINDS[kind]}"; dirname "$OAS_TEST_TLS"; exec "$@"'
    process = subprocess.Popen([tool, "--only", kind, "sh", "-c", script, "sh", *command], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    url, folder = process.stdout.readline().strip(), process.stdout.readline().strip()
    if not url:
        process.communicate()
        return None
    port = int(url.split(":")[3].split("/")[0])
    if not listens(port):
        sys.exit(f"no {kind} listens at port {port}")
    return process, port, folder


def try_out(tool, kind):
    process, port, folder = start(tool, kind, "sh", "-c", "exit 7")
    if process.wait(PATIENCE) != 7 or not gone(port, folder):
        return "the command's status is not passed on, or the server or its folder stays"

    process, port, folder = start(tool, kind, "cat")  # cat ends with its input
    process.kill()
    if not gone(port, folder):
        return "the tool was killed, and the server lives on"
    process.communicate()

    process, port, folder = start(tool, kind, "cat")
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
        keeper = next(int(child) for child in children.read().split() if open(f"/proc/{child}/cmdline").read().count(tool))
    os.kill(keeper, signal.SIGKILL)
    if not gone(port, None):
        return "the keeper was killed, and the server lives on"
    process.communicate()
    return None


def main(tool):
    tried = 0
    for kind in KINDS:
        there = start(tool, kind, "true")
        if not there:
            print(f"left out: {kind} is not installed")
            if kind == "postgres" and os.environ.get("CI") == "true":
                return f"{kind} is missing"
            continue
        there[0].communicate()
        tried += 1
        if failure := try_out(tool, kind):
            return f"{kind}: {failure}"
    return 0 if tried else 77


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
