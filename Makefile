# `make demo` and `make test` work from a fresh clone: they set up .venv by themselves with any Python >= 3.11.

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
DEMO := $(addprefix examples/, astronaut.jpg chelsea.jpg coffee.jpg pan.mp4)

.DELETE_ON_ERROR:
.PHONY: demo test lint docs site styles clean

demo: .venv/core
	$(BIN)/sakuga $(DEMO) -o demo --overwrite
	@echo "The stylised examples are in $(CURDIR)/demo:" && ls demo

# One process for each core, each with one thread: torch's threads would wait for one another
test: .venv/all
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

lint: .venv/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The pages in build/docs, every link checked
docs: .venv/core
	@$(PIP) install -c constraints.txt -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# The page that needs no server, in build/site: make site [STYLES="FILE ..."]; npm brings ONNX Runtime for browsers
site: .venv/core site/node_modules/.package-lock.json
	$(BIN)/python site/build.py $(if $(STYLES),--styles $(STYLES))

site/node_modules/.package-lock.json: site/package-lock.json
	@command -v npm >/dev/null || { echo "The page needs npm (of Node.js), which brings ONNX Runtime for browsers: install it." >&2; exit 2; }
	npm ci --prefix site --ignore-scripts --no-audit --no-fund
	@touch $@

# The commands that made the embedded styles (docs/styles.md): make styles DATA=FOLDER [STYLES="shinkai cel"]
styles: .venv/all
	@test -n "$(DATA)" || { echo "Name the data: make styles DATA=FOLDER [STYLES='shinkai cel']" >&2; exit 2; }
	$(BIN)/sakuga download alexnet
	SAKUGA=$(BIN)/sakuga benchmarks/train_styles.sh $(DATA) $(STYLES)

clean:
	rm -rf .venv demo build dist site/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Both in the same environment: `all` adds to `core`. The constraints choose the versions, torch's too.
.venv/core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing sakuga into .venv ..."
	@$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/all: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing sakuga with torch and the tools of its tests into .venv; the first time takes minutes ..."
	@$(PIP) install -c constraints.txt -e ".[train,serve,openvino,dev]"
	@touch $@ .venv/core

$(BIN)/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then \
			echo "Setting up .venv with $$($$python --version) ..."; \
			$$python -m venv .venv && exit; \
			rm -rf .venv; \
		fi; \
	done; \
	echo "No Python >= 3.11 that can make virtual environments was found: install one (with its venv module)." >&2; \
	exit 1
