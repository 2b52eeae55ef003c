# Everything a colleague or a newcomer needs: each target does its own set-up and can be run again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := deploy/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help dashboards dashboards-preview demo test test-again chaos lint bench bench-vsphere docs wheel-check packages-demo packages-test packages-bench vcsim clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: packages-demo $(VENV)/.demo ## run the exporter on an embedded estate and print the address of its page
	$(BIN)/hypervisor-exporter demo

test: packages-test $(VENV)/.dev $(VENV)/.logins vcsim ## run every test, with real back ends: libvirtd with QEMU, Prometheus
	@rm -f .pytest_cache/all-ran
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

test-again: ## run what failed once more, alone: what fails again is broken, what does not is to be mended as unsteady
	@test -f .pytest_cache/all-ran || { echo "the run before did not come to its end" >&2; exit 1; }
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures=none

chaos: packages-test $(VENV)/.dev ## run the tests of misbehaving targets at full length, with 200 random fault scripts
	CHAOS_SEEDS=200 CHAOS_SECONDS=300 $(BIN)/python -m pytest --timeout=3600 tests/chaos

fuzz-wsman: $(VENV)/.dev ## throw bytes at what reads the answers of Hyper-V hosts; FUZZ_SECONDS=60
	$(BIN)/pip install --quiet atheris || true
	$(BIN)/python -m tests.fuzz.wsman

lint: packages-demo $(VENV)/.dev ## check style, types and the boundaries between the parts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: packages-bench $(VENV)/.dev ## measure what scrapes, pages, estates and libvirt cost; BENCH_FLAGS=--full for large ones
	$(BIN)/python -m tests.bench $(BENCH_FLAGS)
	$(BIN)/python -m tests.bench.libvirt_cost

bench-vsphere: vcsim ## measure what watching vSphere costs, beside two other exporters; BENCH_FLAGS=--quick, --alone, --strict
	$(BIN)/python -m tests.bench.vsphere $(BENCH_FLAGS)

dashboards: packages-demo $(VENV)/.dev ## write dashboards and rules anew
	$(BIN)/python -m dashboards.generate

dashboards-preview: packages-test $(VENV)/.dev ## draw every dashboard over simulated fleets, to look at: build/dashboards-preview/
	$(BIN)/python -m tests.preview

bench-hyperv: $(VENV)/.dev ## measure what reading the answers of Hyper-V hosts costs; BENCH_FLAGS=--strict
	$(BIN)/pip install --quiet lxml
	$(BIN)/python -m tests.bench.hyperv $(BENCH_FLAGS)

docs: packages-demo $(VENV)/.dev ## write the generated pages anew: docs/metrics.md, docs/config.schema.json
	$(BIN)/hypervisor-exporter metrics --markdown > docs/metrics.md
	$(BIN)/python -m exporter.config.editor > docs/config.schema.json

wheel-check: packages-demo $(VENV)/.dev ## build the wheel and try its commands in empty environments, also with the system's own Python
	PIP_CONSTRAINT=$(CONSTRAINTS) deploy/try-wheel $(BIN)/python $(wildcard /usr/bin/python3)

clean: ## remove the environment and what tools left behind
	rm -rf $(VENV) build dist .coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

vcsim: $(VENV)/.dev
	@tests/backends/vcsim/build $(BIN)/python

packages-demo:
	@deploy/install-packages demo

packages-test:
	@deploy/install-packages demo test

# The other exporter is wanted as a program: where its package is new here, the service that came with it is stopped.
packages-bench:
	@known=$$(command -v prometheus-libvirt-exporter); deploy/install-packages demo bench || exit 1; \
	if [ -z "$$known" ] && [ -d /run/systemd/system ]; then \
		$$([ "$$(id -u)" = 0 ] || echo sudo) systemctl disable --quiet --now prometheus-libvirt-exporter; \
	fi

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml $(CONSTRAINTS)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable ".[libvirt]"
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --group dev
	touch $@

$(VENV)/.logins: $(VENV)/.dev | packages-test
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --group logins
	touch $@
