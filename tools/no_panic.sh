#!/usr/bin/env bash
# Whether the optimised codec, or what reads endpoint names, can panic: links both for a Cortex-M4 and looks for what
# a panic would need. Ends with 77 where the target or llvm-nm is missing:
#     rustup target add thumbv7em-none-eabihf && rustup component add llvm-tools
set -euo pipefail
cd "$(dirname "$0")/no_panic"
target=thumbv7em-none-eabihf
nm=$(find "$(rustc --print sysroot)" -name llvm-nm | head -n 1)
if [ -z "$nm" ] || ! [ -d "$(rustc --print target-libdir --target $target)" ]; then
    echo "llvm-nm or the target $target is missing" >&2
    exit 77
fi

# The symbols of a build that belong to a panic.
panics() {
    cargo build --quiet --target $target --target-dir "${CARGO_TARGET_DIR:-target}" "$@"
    local profile=release
    [[ "$*" = *small* ]] && profile=small
    "$nm" --demangle "${CARGO_TARGET_DIR:-target}/$target/$profile/no_panic" | grep -iE 'panic|unwind|_fail' | grep -v no_panic || true
}

for profile in release small; do
    found=$(panics --profile $profile)
    if [ -n "$found" ]; then
        printf 'profile %s: it can panic\n%s\n' $profile "$found" >&2
        exit 1
    fi
    # The check itself.
    if [ -z "$(panics --profile $profile --features control)" ]; then
        echo "profile $profile: a panic is not found" >&2
        exit 1
    fi
done
echo "coap-codec and endpoint-name for $target: no panic in parsing and writing, at opt-level 3 and z"
