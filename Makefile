# The newcomer's two commands are `make demo` and `make test`; both make .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test test-fast check format lock clean

demo: .venv/installed
	@$(BIN)/tunesmith demo

# Two tests at a time, each computing on one core: threads of both on both cores would wait for one another (steps took
# twenty times as long). Tests of one file stay together, because they share what takes long to make.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

test: test-fast
	$(PYTEST) -m slow

test-fast: .venv/installed
	$(PYTEST) -m "not slow"

# Format, lint, types (strict), and who may import whom.
check: .venv/installed .typing/tunesmith
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cd .typing && MYPYPATH=. ../$(BIN)/mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache -p tunesmith.core -p tunesmith.tui -p tunesmith.themes
	$(BIN)/lint-imports

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The import package is `tunesmith` while its folders stand at the top: a link lets the type checker see that.
.typing/tunesmith:
	mkdir -p .typing && ln -sfn .. .typing/tunesmith

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# Writes down what is installed now as the tested versions.
lock:
	{ grep '^#' requirements.lock; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf .venv .typing build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
