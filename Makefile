# What people type; CMake does the work (CMakePresets.json has the build folders).
#
#   make               the program, at build/ttt (needs the packages of scripts/install-deps)
#   make solve         sets the machine up, builds, solves the puzzles of examples/arc
#   make test          sets the machine up, builds, runs the quick tier of tests
#   make test-full     the same with sanitizers and both compilers on everything
#   make format        clang-format over all sources
#   make check-includes  who may include whom
#   make clean         removes the build folders

.PHONY: all solve test test-full format check-includes clean install-deps

all:
	@cmake --preset release >/dev/null
	@cmake --build build --target ttt

install-deps:
	@scripts/install-deps

solve: install-deps
	@$(MAKE) --no-print-directory all
	@scripts/solve-examples

test: install-deps
	@scripts/run-tests quick

test-full:
	@TTT_CLANG=1 scripts/install-deps
	@scripts/run-tests full

format:
	@find src include tests bench -name '*.[ch]' 2>/dev/null | xargs clang-format -i

check-includes:
	@scripts/check-includes

clean:
	rm -rf build build-debug build-asan build-clang
