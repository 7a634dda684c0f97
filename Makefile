# Two commands: `make demo` runs the main job on synthetic data, `make test` runs every check that CI runs.
# Needs Rust, Python 3, make and a C compiler. CMake comes from PyPI if it is missing. With nasm installed the JPEG
# decoder is built with its SIMD code: the same pixels, two to three times faster.

PYTHON ?= python3
VENV := .venv
ONNXRUNTIME := 1.31.1
CMAKE := 4.3.4
UV := 0.13.9
# How long `make fuzz` runs, and on which inputs: the same each time, unless another number is given.
SECONDS ?= 60
SEED ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# CMake 4 asks old projects to say that they mean it.
export CMAKE_POLICY_VERSION_MINIMUM := 3.5

.PHONY: demo test fuzz lint lint-python python reference notebooks bench clean

demo: $(VENV)/ready
	cargo run --quiet --locked -- demo --out demo

test: $(VENV)/tests-ready lint lint-python
	cargo test --workspace --locked --quiet
	$(MAKE) --no-print-directory python
	$(VENV)/bin/python -m pytest
	$(MAKE) --no-print-directory fuzz

# Damaged and hostile files of every kind that is read, for SECONDS in all; see fuzz/README.md.
fuzz: $(VENV)/ready
	cargo build --workspace --bin fuzz --features motionmill-fuzz/libfuzzer --locked --quiet
	SEED=$(SEED) fuzz/run.sh $(SECONDS)

# The Python package in its place in the tree: `PYTHONPATH=python python` imports it. It is what the wheel holds, built once
# with everything else.
python: $(VENV)/ready
	cargo build --workspace --locked --quiet
	ln -sf ../../target/debug/lib_native.so python/motionmill/_native.abi3.so

lint: $(VENV)/ready
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

lint-python: $(VENV)/tests-ready
	$(VENV)/bin/ruff check --quiet python networks models benches notebooks/execute.py
	$(VENV)/bin/mypy

# Writes the committed references (commands, plan keys, tables) and the generated Python modules anew; `make test` compares
# them.
reference: python $(VENV)/tests-ready
	MOTIONMILL_WRITE_REFERENCE=1 cargo test --workspace --locked --quiet reference
	MOTIONMILL_WRITE_REFERENCE=1 $(VENV)/bin/python -m pytest python/tests/test_reference.py

# Runs the notebooks and writes their outputs anew; `make test` compares them.
notebooks: python $(VENV)/tests-ready
	PYTHONPATH=python $(VENV)/bin/python notebooks/execute.py

bench: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check numpy opencv-python-headless pandas pyarrow scipy scikit-learn pycocotools hotcoco
	$(VENV)/bin/python benches/run.py

$(VENV)/ready: Makefile
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check onnxruntime==$(ONNXRUNTIME)
	command -v cmake >/dev/null || $(VENV)/bin/pip install --quiet --disable-pip-version-check cmake==$(CMAKE)
	@command -v nasm >/dev/null || echo "note: nasm is not installed; JPEG decoding will be slower (same pixels)"
	touch $@

# PyTorch is among them, some gigabytes; the demo does without. uv unpacks while it downloads and can leave parts out, which
# takes half the disk space that pip needs.
$(VENV)/tests-ready: $(VENV)/ready python/tests/requirements.txt python/tests/excludes.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV)
	$(VENV)/bin/uv pip install --quiet --no-cache --python $(VENV)/bin/python \
		--requirements python/tests/requirements.txt --excludes python/tests/excludes.txt
	touch $@

clean:
	rm -rf demo $(VENV)
	cargo clean
