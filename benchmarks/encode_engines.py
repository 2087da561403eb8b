"""Models and engines in; titles a second, one query's milliseconds, load, memory and agreement out, as a table.

    python benchmarks/encode_engines.py [--models minilm e5] [--titles 512] [--threads 2] [--batch-tokens 512]

Each row runs in a process of its own, so that loads and memory are those of a fresh server. The export (ONNX) and the
unpacking (e5) happen before, once. Agreement is the largest difference of any number from torch's vectors. Titles are
invented, half Chinese and half English, 5 to 40 word pieces; the best of three passes counts, queries by median.

Measured 2026-11-23 on 2 shared cores (AVX-512), seed 7, batches of 512 word pieces; the table is in RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mercer.encode import TOLERANCE, EncodeSettings, load

SEED = 7
ENGLISH = "red blue summer cotton dress women men running shoes waterproof kitchen steel bottle 500ml lamp desk"
CHINESE = "红色 蓝色 夏季 纯棉 连衣裙 女装 男士 跑步鞋 防水 厨房 不锈钢 保温杯 500ml 台灯 书桌 新款 包邮"
QUERIES = ("red summer dress", "红色连衣裙 夏季", "waterproof running shoes for men", "不锈钢保温杯")


def titles(count: int) -> list[str]:
    rng = random.Random(SEED)
    made = []
    for at in range(count):
        words = rng.choices((CHINESE if at % 2 else ENGLISH).split(), k=rng.randint(3, 20))
        made.append(("" if at % 2 else " ").join(words))
    return made


def row(model: str, engine: str, options: argparse.Namespace, vectors: Path) -> dict[str, float]:
    """One row, in this process."""
    began = time.perf_counter()
    settings = EncodeSettings(source=model, engine=engine, threads=options.threads, batch_tokens=options.batch_tokens)
    encoder = load(settings=settings)
    loaded = time.perf_counter() - began
    single = []
    for at in range(60):
        began = time.perf_counter()
        encoder([QUERIES[at % len(QUERIES)]], side="query")
        single.append(time.perf_counter() - began)
    texts, passes = titles(options.titles), []
    for _ in range(3):
        began = time.perf_counter()
        found = encoder(texts)
        passes.append(time.perf_counter() - began)
    np.save(vectors, found)
    return {
        "load_s": loaded,
        "titles_s": len(texts) / min(passes),
        "query_ms": 1000 * float(np.median(single[10:])),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["minilm", "e5"])
    parser.add_argument("--titles", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-tokens", type=int, default=EncodeSettings().batch_tokens)
    parser.add_argument("--row", nargs=3, metavar=("MODEL", "ENGINE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        model, engine, file = options.row
        print(json.dumps(row(model, engine, options, Path(file))))
        return
    print(
        f"{options.titles} titles, {options.threads} threads, batches of {options.batch_tokens} pieces, seed {SEED}\n"
    )
    print("| engine | model | titles/s | to torch | one query, ms | load, s | memory, MB | agreement |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            load(model, engine="onnx")
            truth: np.ndarray | None = None
            base = 1.0
            for engine in ("torch", "onnx"):
                file = Path(folder) / f"{model}-{engine}.npy"
                rest = [
                    "--titles",
                    options.titles,
                    "--threads",
                    options.threads,
                    "--batch-tokens",
                    options.batch_tokens,
                ]
                command = [sys.executable, __file__, *map(str, rest), "--row", model, engine, str(file)]
                seen = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                vectors = np.load(file)
                truth, base = (vectors, seen["titles_s"]) if truth is None else (truth, base)
                apart = float(np.abs(vectors - truth).max())
                print(
                    f"| {engine} | {model} | {seen['titles_s']:.0f} | {seen['titles_s'] / base:.2f} | "
                    f"{seen['query_ms']:.1f} | {seen['load_s']:.1f} | {seen['rss_mb']:.0f} | {apart:.1e} |",
                    flush=True,
                )
                if apart > TOLERANCE:
                    sys.exit(f"engines differ by {apart:.1e}, more than {TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
