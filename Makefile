# The commands of the project; `make help` lists them. Each is one plain command, written out in the README for
# people without make.
.DEFAULT_GOAL := help
.PHONY: help install install-spark build load replay explain test test-engines test-all lint lock sample example clean notify nightly verify

PYTHON ?= python3
# The engine: duckdb, postgres or spark. Spark has an environment of its own.
TARGET ?= duckdb
ENVIRONMENT := $(if $(filter spark,$(TARGET)),.venv-spark,.venv)
BIN := $(ENVIRONMENT)/bin
# Files of tests run side by side, for half of a build is Python, which keeps one core busy; in their order, for the longest come first.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

help:  ## What there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

install: .venv/installed  ## The virtual environment with the locked requirements

.venv/installed: requirements.lock
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Stratum needs Python 3.11 or later"'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	touch $@

install-spark: .venv-spark/installed  ## The virtual environment of the target spark

.venv-spark/installed: requirements-spark.lock
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.lock
	touch $@

profiles.yml:
	cp profiles.example.yml profiles.yml

build: $(ENVIRONMENT)/installed profiles.yml $(if $(filter-out duckdb,$(TARGET)),load)  ## The whole job on the raw data (default: the sample), with a summary; RAW=folder is another; TARGET=postgres loads it first
	$(if $(filter-out duckdb,$(TARGET)),STRATUM_RAW_DATA= ,$(if $(RAW),STRATUM_RAW_DATA=$(RAW) ))$(BIN)/dbt --quiet build --target $(TARGET) --exclude-resource-type unit_test
	@$(BIN)/python -m tools.summary --target $(TARGET)

load: $(ENVIRONMENT)/installed  ## A raw folder into a server: make load TARGET=postgres RAW=sample_data
	$(BIN)/python -m tools.loader --target $(TARGET) $(if $(RAW),--raw $(RAW))

replay: .venv/installed profiles.yml  ## History month by month: make replay FROM=2025-01 TO=2026-06
	$(BIN)/python -m tools.replay --from $(FROM) --to $(TO)

explain: $(ENVIRONMENT)/installed  ## The story of one customer: make explain CUSTOMER=erp_north:C00148 TYPE=sales_performance [AS_OF=2026-06-30]
	@$(BIN)/python -m tools.explain --target $(TARGET) --customer $(CUSTOMER) --type $(TYPE) $(if $(AS_OF),--as-of $(AS_OF))

notify: .venv/installed  ## Post the notices of completed builds to STRATUM_WEBHOOK_URL
	@$(BIN)/python -m tools.notify

nightly: .venv/installed profiles.yml  ## The night, on a copy that is then published: docs/running_every_night.md
	@$(BIN)/python -m tools.nightly

verify: $(ENVIRONMENT)/installed profiles.yml  ## Hold the recorded history against its seals: make verify, or make verify HEAD=<a head that was kept>
	$(BIN)/dbt --quiet run-operation verify_seals --target $(TARGET) $(if $(HEAD),--args '{head: "$(HEAD)"}')

lint: .venv/installed profiles.yml  ## SQL style, YAML keys, parsing without warnings
	$(BIN)/python -m tools.check_yaml
	$(BIN)/dbt --quiet --warn-error-options '{"error": "all"}' parse --no-partial-parse
	$(BIN)/sqlfluff lint --processes 2 models tests snapshots analyses

test: lint  ## Proof: lint, then every test on DuckDB
	$(PYTEST) --ignore python_tests/engines

test-engines: .venv/installed  ## Proof that every engine says the same; those that can be installed
	$(PYTEST) python_tests/engines

test-all: lint  ## Proof on every engine: lint, then every test
	$(PYTEST)

lock: requirements.in requirements-spark.in requirements.overrides  ## Make the locks anew (needs uv)
	for name in requirements requirements-spark; do \
		uv pip compile $$name.in --override requirements.overrides --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o $$name.lock; \
	done

sample: .venv/installed  ## Make the committed sample data anew
	rm -rf sample_data/erp sample_data/crm sample_data/tpl
	$(BIN)/python -m tools.generate --out sample_data

example: .venv/installed profiles.yml  ## Map and build public data: make example NAME=adventureworks DATA=path/to/adventureworks
	$(BIN)/python -m tools.run_example $(NAME) --data $(DATA)

clean:  ## Remove what a build leaves (not the virtual environment)
	rm -rf target logs build warehouse/*.duckdb warehouse/*.wal warehouse/*.nightly
