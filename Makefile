# The whole interface of this repository. `make` lists it.
#
# demo and check set up what they need on a bare Debian 12 with rustup, gcc and make: as root they install missing
# packages, otherwise they print the one command that does.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.NOTPARALLEL:

# One folder for everything Cargo builds here, so that packages share what they have in common.
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
export LC_ALL := C
export PATH := $(PATH):$(HOME)/.cargo/bin

HOST := x86_64-unknown-linux-gnu
LINUX := x86_64-unknown-linux-gnu armv7-unknown-linux-gnueabihf aarch64-unknown-linux-gnu
BARE := armv7a-none-eabi thumbv7em-none-eabihf
# For make dist.
TARGET ?= $(HOST)
PROFILE ?=
# yes: dist-all fails where linked text is more than 2 % above ports/packaging/sizes.txt. write: it writes that file.
SIZE_GATE ?= yes
# What clear H.264 and AAC on demand needs and no more; proven on the target for which size matters most.
VOD := armv7-unknown-linux-gnueabihf

# What may be missing from the tree. A step whose subject is missing fails unless it is listed here; then the step
# says so, and the last lines of make check say so again.
ABSENT_OK ?=
export ABSENT_OK

VERSION := $(shell awk -F'"' '/^version = / { print $$2; exit }' Cargo.toml)
archive = dist/smoothcore-$(VERSION)-$(1)/lib/libsmoothcore.a

# The features that can be left out.
FEATURES_OF_CORE := live text protection codecs init details capabilities tracks planner

# Steps that look at archives build them first, except in make check, which has just done so.
ARCHIVES := $(if $(CHECKING),,dist-all)

# The steps of make check, cheapest first. Each is a target of its own. Those joined by + run at the same time: one of
# them waits for the clock or keeps one core busy. What goes by the wall clock and must not stall runs alone.
CHECK_ORDER := fmt lint+dist-all doc test header-check+audit ports tools-check oracles sim differential fuzz \
    control+plays abi ctest codecs+protected scripted foreign on-air bare test-armv7+slice-aarch64 coverage
CHECK := $(subst +, ,$(CHECK_ORDER))

.PHONY: help demo check soak tools dist bench header clean setup $(CHECK) test-aarch64 abi-update setup-demo setup-check

help:
	@echo "SmoothCore $(VERSION)"
	@echo
	@echo "  make demo             plays a stream on this machine: no device, no cross tools"
	@echo "  make check            every proof, on x86-64, armv7, aarch64 and without an operating system"
	@echo "  make tools            builds bin/smoothcore, the command for workstations"
	@echo "  make dist TARGET=T    builds dist/smoothcore-VERSION-T.tar.gz: what firmware takes; with PROFILE=vod the small one"
	@echo "  make bench            measures time, memory and size against other players"
	@echo "  make soak             plays for hours under faults and watches memory"
	@echo "  make header           writes include/smoothcore.h from src/capi"
	@echo "  make setup            installs what check needs, or says how"
	@echo "  make clean            removes everything built"
	@echo
	@echo "  T is one of: $(LINUX) $(BARE)"
	@echo "  steps of check, each a target: $(CHECK)"
	@echo "  after a wanted change of the C boundary: make header abi-update"

setup: setup-check

setup-demo:
	@sh tests/steps/setup.sh demo

setup-check:
	@sh tests/steps/setup.sh check

demo: tools
	@$(MAKE) --no-print-directory dist TARGET=$(HOST)
	@sh examples/c/demo.sh dist/smoothcore-$(VERSION)-$(HOST)

tools: setup-demo
	@sh tests/steps/present.sh ports/host && cargo build --release --locked --manifest-path ports/host/Cargo.toml \
	    && mkdir -p bin && cp "$(CARGO_TARGET_DIR)/release/smoothcore" bin/smoothcore && echo "bin/smoothcore"

# Everything is built once, and panics name their line without it: no debug information, nothing incremental.
check: export CARGO_PROFILE_DEV_DEBUG := 0
check: export CARGO_PROFILE_TEST_DEBUG := 0
check: export CARGO_INCREMENTAL := 0
check: setup-check
	@MAKE="$(MAKE)" sh tests/steps/check.sh $(CHECK_ORDER)

soak: $(ARCHIVES) tools
	@sh tests/steps/present.sh tests/soak.sh && sh tests/soak.sh

bench: tools
	@sh tests/steps/present.sh tests/peers/bench.sh && sh tests/peers/bench.sh

clean:
	rm -rf bin dist "$(CARGO_TARGET_DIR)"

# --- the C boundary ---------------------------------------------------------------------------------------------------

header:
	@cargo run --quiet --locked --manifest-path tests/header/Cargo.toml -- write

header-check:
	@cargo run --quiet --locked --manifest-path tests/header/Cargo.toml -- check
	@sh tests/header/compile.sh

dist:
	@sh ports/packaging/dist.sh $(TARGET) $(PROFILE)

abi-update:
	@sh tests/abi/abi.sh update

# --- the steps of make check ------------------------------------------------------------------------------------------

fmt:
	@sh tests/steps/rust.sh fmt

lint:
	@sh tests/steps/rust.sh lint

doc:
	@RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps --features capi

# Without the C boundary the same tests run in coverage.
test:
	cargo test --locked --quiet --features capi
	cargo test --locked --quiet --no-default-features --features whole --lib
	cargo test --locked --quiet --no-default-features --test features
	@for f in $(FEATURES_OF_CORE) http1 local; do \
	    cargo check --locked --quiet --no-default-features --features rt,$$f || exit 1; done
	cargo check --locked --quiet --no-default-features --features rt,http1

ports:
	@sh tests/steps/rust.sh ports
	@sh ports/posix/test/run.sh

# Every example, port and HTTP seam on real media: what comes out is compared byte for byte.
plays: $(ARCHIVES) tools
	@$(foreach t,$(LINUX),sh ports/posix/test/play.sh $(t) $(call archive,$(t)) bin/smoothcore &&) true
	@sh ports/ureq/c/test.sh $(call archive,$(HOST))

codecs: tools
	@sh tests/peers/codecs.sh

# Test content encrypted in every way, played with its keys; the clear-key port from C.
protected: $(ARCHIVES) tools
	@sh tests/protected/run.sh bin/smoothcore $(call archive,$(HOST))
	@sh ports/clearkey/c/test.sh

coverage:
	@sh tests/steps/coverage.sh

tools-check:
	@sh tests/steps/present.sh ports/host && sh tests/tools/run.sh

oracles:
	@sh tests/steps/rust.sh oracles

# Whole presentations in virtual time; a slice of what make soak does.
sim:
	@sh tests/sim/run.sh slice

# A slice of what make soak does.
fuzz:
	@sh tests/fuzz/run.sh 20000

# What others read in generated manifests and fragments; make soak compares more of them.
differential:
	@sh tests/differential/run.sh 300

dist-all:
	@for t in $(LINUX) $(BARE); do SIZE_GATE=$(SIZE_GATE) sh ports/packaging/dist.sh $$t || exit 1; done
	@SIZE_GATE=$(SIZE_GATE) sh ports/packaging/dist.sh $(VOD) vod

audit: $(ARCHIVES)
	@$(foreach t,$(LINUX) $(BARE),sh tests/audit/audit.sh $(t) $(call archive,$(t)) include/smoothcore.h &&) true
	@sh tests/audit/audit.sh $(VOD) $(call archive,$(VOD)-vod) include/smoothcore.h

control:
	@for t in $(LINUX); do sh tests/audit/control.sh $$t || exit 1; done

abi: $(ARCHIVES)
	@sh tests/abi/abi.sh check dist

ctest: $(ARCHIVES)
	@sh tests/steps/present.sh tests/c/run.sh; case $$? in 3) exit 0 ;; 0) ;; *) exit 1 ;; esac; \
	$(foreach t,$(LINUX),sh tests/c/run.sh $(t) $(call archive,$(t)) include/smoothcore.h &&) true

scripted: $(ARCHIVES)
	@sh tests/scripted/run.sh $(LINUX)

foreign: $(ARCHIVES)
	@sh tests/peers/foreign.sh

# In real time: an encoder, our origin, our player; FFmpeg's live directory; GStreamer. make soak takes ten minutes.
on-air: $(ARCHIVES) tools
	@sh tests/live/run.sh 25 bin/smoothcore

bare: $(ARCHIVES)
	@for t in $(BARE); do \
	    cargo build --locked --quiet --target $$t --no-default-features && \
	    cargo build --locked --quiet --target $$t --no-default-features --features http1,local,whole || exit 1; \
	    echo "bare: the core builds for $$t"; done
	@$(foreach t,$(BARE),sh tests/bare/run.sh $(t) $(call archive,$(t)) &&) true

# Under emulation a part of the random driver's seeds has to do.
test-armv7 test-aarch64 slice-aarch64: export CHAOS_SEEDS := 1200..1280

test-armv7:
	CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=arm-linux-gnueabihf-gcc \
	CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER="qemu-arm -L /usr/arm-linux-gnueabihf" \
	    cargo test --locked --quiet --features capi --target armv7-unknown-linux-gnueabihf

test-aarch64:
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
	    cargo test --locked --quiet --features capi --target aarch64-unknown-linux-gnu $(SUITES)

# 64 bits of this machine and 32 bits of armv7 have run every test by then: here what depends on the architecture itself, and
# every kind of session once. make soak runs the rest, too.
slice-aarch64:
	@$(MAKE) --no-print-directory test-aarch64 SUITES="--lib --test manifest --test mp4"
	@$(MAKE) --no-print-directory test-aarch64 SUITES="--test session -- modes:: contract:: faults:: live::follow:: protection:: \
	    switching::"
