#!/usr/bin/env python3
"""What another client, obstore, makes of the same server, for the table beside oas_bench_peers --store s3. Lines of JSON,
with the names of docs/benchmarks.md.

    BENCH_S3=http://key:secret@host:port/bucket python3 bench/s3_clients.py [--concurrency 64] [--repeats 5] [--quick]

Needs Python with the package obstore. What it writes lies under bench-clients-… and is removed.
"""
import argparse
import asyncio
import importlib.metadata
import json
import os
import re
import secrets
import statistics
import time

import obstore
from obstore.store import S3Store


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    scheme, user, password, host, bucket = re.fullmatch(r"(https?)://([^:]+):([^@]*)@([^/]+)/(.+)",
                                                        os.environ["BENCH_S3"]).groups()
    prefix = "bench-clients-" + secrets.token_hex(4)
    store = S3Store(bucket, prefix=prefix, endpoint=f"{scheme}://{host}", access_key_id=user, secret_access_key=password,
                    region="us-east-1", virtual_hosted_style_request=False, client_options={"allow_http": True})
    by = "obstore " + importlib.metadata.version("obstore")

    def tell(workload, op, unit, amount, body, before=lambda: None):
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

    def small(workload, unit, count, size):
        data, turn = [os.urandom(size) for _ in range(count)], iter(range(1000))
        folder = workload

        def fresh():
            nonlocal folder
            folder = f"{workload}/{next(turn)}"

        async def put(i):
            await obstore.put_async(store, f"{folder}/{i}.bin", data[i])

        async def get(i):
            await (await obstore.get_async(store, f"{folder}/{i}.bin")).bytes_async()
        tell(workload, "insert", unit, count, many(count, put), fresh)
        tell(workload, "fetch", unit, count, many(count, get))
        return lambda: [f"{folder}/{i}.bin" for i in range(count)], many(count, put)

    try:
        keys, put = small("stored_blob_small", "rows/s", 50 if options.quick else 500, 10240)
        tell("npy_small", "delete", "rows/s", len(keys()), lambda: obstore.delete(store, keys()), put)
        small("folder_many", "files/s", 200 if options.quick else 2000, 4096)
        size = (8 << 20) if options.quick else (256 << 20)
        data = os.urandom(size)
        tell("npy_large", "insert", "MB/s", size / 1e6, lambda: obstore.put(store, "large", data))
        tell("npy_large", "fetch_load", "MB/s", size / 1e6, lambda: obstore.get(store, "large").bytes())
        tell("npy_large", "slice", "ms", 1, lambda: obstore.get_range(store, "large", start=128, length=size // 100))
    finally:
        left = [entry["path"] for page in obstore.list(store) for entry in page]
        for i in range(0, len(left), 1000):
            obstore.delete(store, left[i:i + 1000])


if __name__ == "__main__":
    main()
