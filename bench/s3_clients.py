#!/usr/bin/env python3
"""What other clients, obstore and rclone, make of the same server, for the table beside oas_bench_peers --store s3. Lines
of JSON, with the names of docs/benchmarks.md.

    BENCH_S3=http://key:secret@host:port/bucket python3 bench/s3_clients.py [--concurrency 64] [--repeats 5] [--quick] [--clients obstore]

Needs Python with the package obstore; rclone where it is installed. What it writes lies under bench-clients-… and is
removed. rclone copies between the bucket and a folder (in BENCH_DIR), its start included; it sends small files
asking for nothing before or after.
"""
import argparse
import asyncio
import importlib.metadata
import json
import os
import re
import secrets
import shutil
import statistics
import subprocess
import tempfile
import time

import obstore
from obstore.store import S3Store


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--clients", nargs="+", choices=["obstore", "rclone"], default=["obstore", "rclone"])
    options = parser.parse_args()
    scheme, user, password, host, bucket = re.fullmatch(r"(https?)://([^:]+):([^@]*)@([^/]+)/(.+)",
                                                        os.environ["BENCH_S3"]).groups()
    prefix = "bench-clients-" + secrets.token_hex(4)
    store = S3Store(bucket, prefix=prefix, endpoint=f"{scheme}://{host}", access_key_id=user, secret_access_key=password,
                    region="us-east-1", virtual_hosted_style_request=False, client_options={"allow_http": True})
    by = "obstore " + importlib.metadata.version("obstore")

    def tell(workload, op, unit, amount, body, before=lambda: None, by=by):
        seconds = []
        for _ in range(options.repeats):
            before()
            start = time.perf_counter()
            body()
            seconds.append(time.perf_counter() - start)
        value = statistics.median(seconds)
        value = value * 1000 if unit == "ms" else amount / value
        print(json.dumps({"workload": workload, "op": op, "unit": unit, "value": round(value, 3), "by": by}), flush=True)

    def many(count, one):
        async def all_of_them():
            gate = asyncio.Semaphore(options.concurrency)

            async def gated(i):
                async with gate:
                    await one(i)
            await asyncio.gather(*(gated(i) for i in range(count)))
        return lambda: asyncio.run(all_of_them())

    def small(workload, unit, count, size, name="{}.bin"):
        data, turn, keys = [os.urandom(size) for _ in range(count)], iter(range(1000)), []

        def fresh():
            folder = f"{workload}/{next(turn)}/"
            keys[:] = [folder + name.format(i) for i in range(count)]

        async def put(i):
            await obstore.put_async(store, keys[i], data[i])

        async def get(i):
            await (await obstore.get_async(store, keys[i])).bytes_async()
        tell(workload, "insert", unit, count, many(count, put), fresh)
        tell(workload, "fetch", unit, count, many(count, get))
        tell(workload, "delete", unit, count, lambda: obstore.delete(store, keys), many(count, put))

    def with_rclone():
        version = subprocess.run(["rclone", "version"], capture_output=True, text=True).stdout.split()[1]
        remote = f":s3:{bucket}/{prefix}/rclone"
        command = ["rclone", "copy", "--config", os.devnull, "--s3-provider", "Other", "--s3-endpoint", f"{scheme}://{host}",
                   "--s3-region", "us-east-1", "--s3-no-check-bucket", "--s3-no-head", "--no-traverse", "--no-check-dest",
                   "--transfers", str(options.concurrency), "--checkers", str(options.concurrency), "--s3-chunk-size", "16M",
                   "--s3-upload-concurrency", "8", "--multi-thread-streams", "8", "--s3-disable-checksum"]
        environment = {key: value for key, value in os.environ.items() if key != "AWS_CA_BUNDLE"}  # it takes none
        environment |= {"RCLONE_S3_ACCESS_KEY_ID": user, "RCLONE_S3_SECRET_ACCESS_KEY": password}
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as work:
            for workload, unit, count, size in (("stored_blob_small", "rows/s", 500, 10240),
                                                ("folder_many", "files/s", 2000, 4096),
                                                ("npy_huge", "MB/s", 1, 1 << 30)):
                if options.quick:
                    count, size = -(-count // 10), min(size, 1 << 25)
                source, target = os.path.join(work, "from"), os.path.join(work, "to")
                os.mkdir(source)
                for i in range(count):
                    with open(os.path.join(source, f"{i}.bin"), "wb") as file:
                        file.write(os.urandom(size))
                amount = count if count > 1 else size / 1e6
                for op, here, there in ("insert", source, f"{remote}/{workload}"), ("fetch", f"{remote}/{workload}", target):
                    tell(workload, op, unit, amount, lambda: subprocess.run([*command, here, there], env=environment, check=True),
                         lambda: shutil.rmtree(target, ignore_errors=True), "rclone " + version)
                shutil.rmtree(source)
                shutil.rmtree(target)

    def with_obstore():
        small("stored_blob_small", "rows/s", 50 if options.quick else 500, 10240)
        small("npy_small", "rows/s", 50 if options.quick else 1000, 10240, "id={}/data.npy")
        small("folder_many", "files/s", 200 if options.quick else 2000, 4096)
        for workload, size in ("npy_large", 256 << 20), ("npy_huge", 1 << 30):
            data = os.urandom(size >> 5 if options.quick else size)
            amount = len(data) / 1e6
            tell(workload, "insert", "MB/s", amount, lambda: obstore.put(store, "large", data))
            tell(workload, "fetch_load", "MB/s", amount, lambda: obstore.get(store, "large").bytes())
            tell(workload, "slice", "ms", 1, lambda: obstore.get_range(store, "large", start=128, length=len(data) // 100))

    try:
        if "obstore" in options.clients:
            with_obstore()
        if "rclone" in options.clients and shutil.which("rclone"):
            with_rclone()
    finally:
        left = [entry["path"] for page in obstore.list(store) for entry in page]
        for i in range(0, len(left), 1000):
            obstore.delete(store, left[i:i + 1000])


if __name__ == "__main__":
    main()
