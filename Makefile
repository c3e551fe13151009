# A thin face over meson, for hands that type make. What is built is decided in meson.build, what is
# tested in tools/run-tests.
#
#   make           build/creel and libcreel      make check    every test there is
#   make install   PREFIX=/usr/local DESTDIR=    make demo     creel at work
#   make fuzz      TIME=600 (seconds)            make bench    side by side with other runtimes
#   make attack    TIME=600 (seconds a race)     make vm        every job of tests/vm
#   make sweep     faults everywhere, for hours  make soak      COUNT=10000 (containers)
#   make format    every C file                  make coverage  writes docs/coverage.md
#   make clean
#
# check and demo install what they lack, when root asks (tools/install-packages).
PREFIX ?= /usr/local
DESTDIR ?=
TIME ?= 600
COUNT ?= 10000
BUILD := build

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet products

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || ! echo "no meson: as root, run tools/install-packages build"
	@meson setup --prefix "$(PREFIX)" $(MESON_OPTIONS) $(BUILD)

check:
	@tools/install-packages build check $(if $(CI),ci vm)
	@tools/run-tests $(if $(CI),--ci)

vm: all
	@tools/run-tests --all vm

demo:
	@tools/install-packages build demo
	@$(MAKE) --no-print-directory all
	@tools/demo

# Builds only when there is no program yet: `make && sudo make install` compiles nothing as root.
install: $(BUILD)/creel
	@meson introspect --buildoptions $(BUILD) | grep -q '"name": "prefix", "value": "$(PREFIX)"' || \
		meson configure -Dprefix="$(PREFIX)" $(BUILD)
	@DESTDIR="$(DESTDIR)" meson install --no-rebuild --strip -C $(BUILD)

$(BUILD)/creel:
	@$(MAKE) --no-print-directory all

bench: all
	@tools/install-packages build bench
	@bench/bench

attack: all
	@tools/install-packages build check
	@ATTACK_TIME=$(TIME) tools/run-tests build attack

fuzz:
	@tools/run-tests --fuzz $(TIME) fuzz

sweep:
	@CREEL_SWEEP=all tools/run-tests build sweep

coverage:
	@tools/install-packages build check coverage
	@tools/coverage

soak:
	@CREEL_SOAK=$(COUNT) tools/run-tests build soak

format:
	@tools/format

clean:
	rm -rf $(BUILD)

.PHONY: all check vm demo install bench attack fuzz sweep soak coverage format clean
