#!/bin/sh
# Writes what an archive is made of as CycloneDX 1.5 JSON: this crate, the crates it links, and the language's own library.
#   sbom.sh TARGET [PROFILE]
# Nothing in it depends on time or place. Checksums are those of the lock file.
set -eu
export LC_ALL=C
TARGET=$1 profile=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
. "$here/features.sh"
version=$(awk -F'"' '/^version = / { print $2; exit }' Cargo.toml)
rust=$(awk -F'"' '/^channel/ { print $2 }' rust-toolchain.toml)
cargo tree --quiet --locked -e normal --prefix none --no-default-features --features "$features" --target "$TARGET" \
    -f '{p}|{l}' | sed 's/ (\*)//; s/ (proc-macro)//' | sort -u |
    awk -v version="$version" -v rust="$rust" -v target="$TARGET" -v features="$features" '
    function component(name, version, licence, purl, sum) {
        return sprintf("    {\n      \"type\": \"library\",\n      \"bom-ref\": \"%s\",\n      \"name\": \"%s\",\n      \"version\": \"%s\",\n" \
            "      \"licenses\": [{ \"expression\": \"%s\" }],\n      \"purl\": \"%s\"%s\n    }", purl, name, version, licence, purl,
            sum == "" ? "" : sprintf(",\n      \"hashes\": [{ \"alg\": \"SHA-256\", \"content\": \"%s\" }]", sum))
    }
    FILENAME == "Cargo.lock" {
        if ($1 == "name") name = $3
        if ($1 == "version") number = $3
        if ($1 == "checksum") { gsub(/"/, "", name); gsub(/"/, "", number); gsub(/"/, "", $3); sums[name " " number] = $3 }
        next
    }
    {
        split($0, half, "|")
        split(half[1], word, " ")
        sub(/^v/, "", word[2])
        gsub(/\//, " OR ", half[2])
        if (word[1] == "smoothcore") next
        refs[++count] = "pkg:cargo/" word[1] "@" word[2]
        parts[count] = component(word[1], word[2], half[2], refs[count], sums[word[1] " " word[2]])
    }
    END {
        self = "pkg:cargo/smoothcore@" version
        refs[++count] = "pkg:generic/rust-core@" rust
        parts[count] = component("rust-core", rust, "MIT OR Apache-2.0", refs[count], "")
        printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \"metadata\": {\n    \"component\": {\n"
        printf "      \"type\": \"library\",\n      \"bom-ref\": \"%s\",\n      \"name\": \"smoothcore\",\n      \"version\": \"%s\",\n", self, version
        printf "      \"licenses\": [{ \"expression\": \"MIT OR Apache-2.0\" }],\n      \"purl\": \"%s\",\n      \"properties\": [\n", self
        printf "        { \"name\": \"smoothcore:target\", \"value\": \"%s\" },\n", target
        printf "        { \"name\": \"smoothcore:features\", \"value\": \"%s\" }\n      ]\n    }\n  },\n  \"components\": [\n", features
        for (n = 1; n <= count; n++) printf "%s%s\n", parts[n], (n < count ? "," : "")
        printf "  ],\n  \"dependencies\": [\n    {\n      \"ref\": \"%s\",\n      \"dependsOn\": [", self
        for (n = 1; n <= count; n++) printf "%s\"%s\"", (n > 1 ? ", " : ""), refs[n]
        print "]\n    }\n  ]\n}"
    }' Cargo.lock -
