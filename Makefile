# Two commands: `make demo` runs the main job on synthetic data, `make test` runs every check that CI runs.
# Needs Rust, Python 3, make and a C compiler. CMake comes from PyPI if it is missing. With nasm installed the JPEG
# decoder is built with its SIMD code: the same pixels, two to three times faster.

PYTHON ?= python3
VENV := .venv
ONNXRUNTIME := 1.31.1
CMAKE := 4.3.4
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# CMake 4 asks old projects to say that they mean it.
export CMAKE_POLICY_VERSION_MINIMUM := 3.5

.PHONY: demo test lint reference bench clean

demo: $(VENV)/ready
	cargo run --quiet --locked -- demo --out demo

test: $(VENV)/ready lint
	cargo test --workspace --locked --quiet

lint: $(VENV)/ready
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

# Writes the committed references (commands, plan keys, tables) anew; `make test` compares them.
reference: $(VENV)/ready
	MOTIONMILL_WRITE_REFERENCE=1 cargo test --package motionmill-tests --locked --quiet reference

bench: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check numpy opencv-python-headless pandas scipy scikit-learn
	$(VENV)/bin/python benches/run.py

$(VENV)/ready: Makefile
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check onnxruntime==$(ONNXRUNTIME)
	command -v cmake >/dev/null || $(VENV)/bin/pip install --quiet --disable-pip-version-check cmake==$(CMAKE)
	@command -v nasm >/dev/null || echo "note: nasm is not installed; JPEG decoding will be slower (same pixels)"
	touch $@

clean:
	rm -rf demo $(VENV)
	cargo clean
