#!/bin/sh
# Makes sure that what a target of the Makefile needs is there: Debian packages, the Rust toolchain, its targets.
#   setup.sh demo|check
# Root installs missing packages; anyone else gets the one command to run. Does nothing, and needs no network, when
# everything is there.
set -eu
what=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

packages="gcc libc6-dev make ca-certificates"
# One more witness of a few steps, which say so where it is missing.
optional=
targets=
if [ "$what" = check ]; then
    packages="$packages curl ffmpeg g++ nginx-light nodejs npm qemu-user qemu-system-arm
        gcc-arm-linux-gnueabihf g++-arm-linux-gnueabihf libc6-dev-armhf-cross
        gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross
        gcc-arm-none-eabi libnewlib-arm-none-eabi"
    optional="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-base-apps
        gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav"
    targets="armv7-unknown-linux-gnueabihf aarch64-unknown-linux-gnu armv7a-none-eabi thumbv7em-none-eabihf"
fi

if command -v dpkg-query >/dev/null; then
    missing=
    for p in $packages; do
        case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true) in
            "install ok installed") ;;
            *)
                # Another nginx, say, does as well.
                [ "$p" = nginx-light ] && command -v nginx >/dev/null && continue
                # Node from elsewhere brings npm along.
                [ "$p" = nodejs ] && command -v node >/dev/null && continue
                [ "$p" = npm ] && command -v npm >/dev/null && continue
                missing="$missing $p" ;;
        esac
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            echo "setup: installing$missing"
            export DEBIAN_FRONTEND=noninteractive
            apt-get -o DPkg::Lock::Timeout=300 update -qq
            apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
        else
            echo "setup: packages are missing. Run this once, then again what you ran:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
            exit 1
        fi
    fi
    wanted=
    for p in $optional; do
        case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true) in
            "install ok installed") ;;
            *) wanted="$wanted $p" ;;
        esac
    done
    if [ -n "$wanted" ] && [ "$(id -u)" = 0 ]; then
        echo "setup: installing$wanted"
        export DEBIAN_FRONTEND=noninteractive
        { apt-get -o DPkg::Lock::Timeout=300 update -qq &&
            apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $wanted >/dev/null; } ||
            echo "setup: without$wanted: the steps that would ask them say so"
    fi
else
    echo "setup: no Debian; these packages or their like are needed: "$packages >&2
fi

command -v rustup >/dev/null || {
    echo "setup: rustup is missing: see https://rustup.rs" >&2
    exit 1
}
channel=$(awk -F'"' '/^channel/ { print $2 }' rust-toolchain.toml)
if ! RUSTUP_AUTO_INSTALL=0 rustup run "$channel" rustc --version >/dev/null 2>&1; then
    echo "setup: installing Rust $channel"
    rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy || {
        echo "setup: Rust $channel could not be fetched; without network, link another toolchain under that name:" >&2
        echo "    rustup toolchain link $channel DIR" >&2
        exit 1
    }
fi
if [ "$what" = check ]; then
    for c in rustfmt clippy rust-src llvm-tools; do
        rustup component list --toolchain "$channel" --installed | grep -q "^$c" ||
            rustup component add --toolchain "$channel" $c ||
            echo "setup: without $c: the steps that need it say so" >&2
    done
fi
for t in $targets; do
    rustup target list --toolchain "$channel" --installed | grep -q -x "$t" || {
        echo "setup: adding the Rust target $t"
        rustup target add --toolchain "$channel" "$t" || {
            echo "setup: the Rust target $t could not be fetched: run 'rustup target add $t' where there is a network" >&2
            exit 1
        }
    }
done
echo "setup: ready for make $what"
