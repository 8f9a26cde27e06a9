# retake: `make run` brings up the whole system on this machine, `make test` runs all its tests.
# Both do the set-up they still need. `make help` lists everything.

PYTHON ?= python3
BIN := .venv/bin
ifneq ($(shell command -v $(PYTHON) >/dev/null 2>&1 && echo found),found)
$(error $(PYTHON) was not found; install Python 3.11 or newer with its venv module, or name one: make PYTHON=/path/to/python3)
endif
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
.DEFAULT_GOAL := help
.PHONY: help setup run stop status logs test test-unit lint fmt types generate verify doctor faults bench bench-render images chart e2e-cluster clean lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo "  Settings for make run: RETAKE_PORT RETAKE_DATA RETAKE_PASSWORD RETAKE_WORKERS (docs/configuration.md)"

setup: ## Install what is still missing into .venv (run and test do this themselves)
	@$(PYTHON) local/bootstrap.py

run: setup ## Bring up the whole system here and print its URL and password; Ctrl-C stops it
	@exec python -m retake_local run

stop: setup ## Stop what make run started
	@python -m retake_local stop

status: setup ## Say which parts run, and where
	@python -m retake_local status

logs: setup ## Show what all parts log; the story of one job: make logs JOB=its-id
	@python -m retake_local logs "$(JOB)"

test: setup ## Run all the tests on real Postgres, NATS and S3 (under 10 minutes)
	@python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not faults and not bench"

test-unit: setup ## Run only the tests that need no server (seconds)
	@python -m pytest tests/unit

PAGES := services/api/web
BIOME := node_modules/@biomejs/biome/bin/biome
lint: setup ## Check style, import contracts and the wire schema
	@ruff check . && ruff format --check . && lint-imports && buf lint proto && buf format --diff --exit-code proto
	@cd $(PAGES) && node $(BIOME) check --error-on-warnings

fmt: setup ## Format the code
	@ruff check --fix --exit-zero --quiet . && ruff format . && buf format --write proto
	@cd $(PAGES) && node $(BIOME) check --write

types: setup ## Check types (mypy strict, and those of the pages)
	@mypy
	@cd $(PAGES) && node node_modules/typescript/bin/tsc

generate: setup ## Write the generated files anew: wire code, docs tables
	@python local/generate.py

verify: setup ## Prove that generated files are current and the wire schema only grows
	@python local/generate.py --check && buf breaking proto --against proto/released.json

doctor: setup ## Audit the running system; DOCTOR="audit --json --at-rest --deep --repair"
	@python -m retake_local doctor $(DOCTOR)

faults: setup ## Long seeded fault campaigns
	@python -m pytest -m faults --timeout 0 -s

bench: setup ## Measure, as ratios within one run
	@python -m pytest -m bench --timeout 0 -s bench

bench-render: setup ## Measure what takes cost in CPU, and how good and how large they are
	@python -m pytest -m bench --timeout 0 -s bench/test_render_*.py

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' core/retake/__init__.py)
TAG ?= $(VERSION)
BUILDER = $(shell docker info >/dev/null 2>&1 && echo docker || command -v buildah)
images: ## Build the container images (needs docker or buildah); REGISTRY= TAG= BASE= a Python image, IMAGES="api worker janitor dev"
	@builder="$(BUILDER)"; \
	test -n "$$builder" || { echo "images: there is no docker that answers, and no buildah; install one of them (Debian: apt install buildah)."; exit 1; }; \
	for name in $(or $(IMAGES),api worker janitor dev); do \
		folder=services/$$name; test $$name != dev || folder=local; \
		$$builder build $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
			--build-arg REVISION=$$(git rev-parse HEAD) -t $(if $(REGISTRY),$(REGISTRY)/)retake-$$name:$(TAG) -f $$folder/Dockerfile . || exit 1; \
	done

chart: setup ## Check the Helm chart with both majors of helm, against every Kubernetes it is for
	@python -m pytest tests/chart

e2e-cluster: setup ## Try the chart on the cluster of KUBECONFIG, in a namespace of its own; SET="image.registry=... image.tag=..."
	@SET="$(SET)" PYTHONPATH=tests python -m e2e.cluster

clean: ## Remove what set-up and tests made (the data in .run stays)
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . '(' -name __pycache__ -o -name node_modules ')' -type d -prune -exec rm -rf {} +

# Compile the locks anew. UPGRADE=--upgrade takes the newest releases the ranges admit.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(UPGRADE) \
	$(foreach name,core api worker janitor client local,--no-emit-package retake-$(name))
lock: setup
	@echo 'uv' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(UPGRADE) - -o requirements/setup.txt
	@for name in api worker janitor; do $(COMPILE) services/$$name/pyproject.toml -o requirements/$$name.txt || exit 1; done
	@$(COMPILE) client/pyproject.toml -o requirements/client.txt
	@$(COMPILE) core/pyproject.toml --group local/pyproject.toml:servers -o requirements/servers.txt
	@$(COMPILE) --group pyproject.toml:node -o requirements/node.txt
	@$(COMPILE) local/pyproject.toml client/pyproject.toml --group local/pyproject.toml:servers --group pyproject.toml:dev -o requirements/dev.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-deps $(UPGRADE) --group pyproject.toml:chart -o requirements/chart.txt
