"""Trains the dictionary that stored documents are compressed with, on all that a day and the tests write.

    python tools/compression_dictionary.py dispatcher/store/documents-2.dict

A dictionary is part of the stored form for ever: a better one is a new file, and a number of its own.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import zstandard

BYTES = 8_192
LEVEL = 1
SAMPLES = 12_000
WRITERS = (  # made-up patients, all of them
    ("-m", "dispatcher", "demo"),
    ("-m", "pytest", "-q", "tests/service", "tests/store"),
)
# Each process of a writer imports this before anything else.
COLLECT = """
import os, dispatcher.store.compression as compression
compress, out = compression.compress, open(f"{os.environ['SAMPLES_DIR']}/{os.getpid()}", "a", buffering=1)
def collecting(plain):
    if len(plain) >= compression.LEAST_BYTES:
        out.write(plain.hex() + "\\n")
    return compress(plain)
compression.compress = collecting
"""


def main(target: Path) -> None:
    """Collect, train, write."""
    with tempfile.TemporaryDirectory() as folder:
        hook, samples = Path(folder, "hook"), Path(folder, "samples")
        hook.mkdir()
        samples.mkdir()
        (hook / "sitecustomize.py").write_text(COLLECT, encoding="utf-8")
        path = os.pathsep.join([str(hook), str(Path.cwd())])
        environment = os.environ | {"PYTHONPATH": path, "SAMPLES_DIR": str(samples)}
        for words in WRITERS:
            subprocess.run(
                [sys.executable, "-P", *words], env=environment, check=False
            )  # a test may fail of being watched
        lines = sorted({line for file in samples.iterdir() for line in file.read_text("utf-8").split()})
    documents = [bytes.fromhex(each) for each in lines]
    random.Random(1).shuffle(documents)
    trained = zstandard.train_dictionary(BYTES, documents[:SAMPLES], level=LEVEL)
    target.write_bytes(trained.as_bytes())
    print(f"{target}: {len(trained.as_bytes()):,} bytes, of {len(documents):,} documents")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
