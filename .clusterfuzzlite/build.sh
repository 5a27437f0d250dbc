#!/usr/bin/env bash
# Builds every fuzz target, each with its seeds: called in the container of the Dockerfile beside it.
set -euo pipefail
cd "$SRC/project/fuzz"
cargo fuzz build -O --debug-assertions
for source in fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    (cd "seeds/$target" && zip -q -r "$OUT/${target}_seed_corpus.zip" .)
    printf '[libfuzzer]\nmax_len = 1280\ntimeout = 10\n' >"$OUT/$target.options"
done
