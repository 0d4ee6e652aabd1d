#!/usr/bin/env python3
"""Whatever ends tools/with_servers, its servers end too."""
import os
import signal
import subprocess
import sys
import time

PATIENCE = 60  # seconds


def gone(path, folder):
    """The server has let go of its port file, and the folder is removed if the keeper lived."""
    end = time.monotonic() + PATIENCE
    while os.path.exists(path) or (folder and os.path.exists(folder)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def start(tool, *command):
    """The tool, running, and where its server keeps the file that is there while it runs."""
    script = 'echo "$OAS_TEST_POSTGRES"; exec "$@"'
    process = subprocess.Popen([tool, "--only", "postgres", "sh", "-c", script, "sh", *command], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    url = process.stdout.readline().strip()
    if not url:
        print("skipped: PostgreSQL is not installed")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    folder = url.split("?socket=")[1]
    running = os.path.join(folder, ".s.PGSQL." + url.split(":")[3].split("/")[0])
    if not os.path.exists(running):
        sys.exit(f"no server listens at {running}")
    return process, running, os.path.dirname(folder)


def main(tool):
    process, running, folder = start(tool, "sh", "-c", "exit 7")
    if process.wait(PATIENCE) != 7 or os.path.exists(folder):
        return "the command's status is not passed on, or the folder stays"

    process, running, folder = start(tool, "cat")  # cat ends with its input
    process.kill()
    if not gone(running, folder):
        return "the tool was killed, and the server lives on"
    process.communicate()

    process, running, folder = start(tool, "cat")
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
        keeper = next(int(child) for child in children.read().split() if open(f"/proc/{child}/cmdline").read().count(tool))
    os.kill(keeper, signal.SIGKILL)
    if not gone(running, None):
        return "the keeper was killed, and the server lives on"
    process.communicate()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
