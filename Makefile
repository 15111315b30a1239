# Every target does its own set-up: it needs GNU make, Python 3.11 or later and PyPI. `make help` lists them.
#
#   PYTHON  the interpreter (python3)
#   VENV    where it is set up (.venv)
#   ARGS    more arguments for the command that a target runs

PYTHON ?= python3
VENV ?= .venv
SAM_VENV ?= .venv-sam
CLIENTS_VENV ?= .venv-clients
CHECKOV_VENV ?= .venv-checkov
BENCH_VENV ?= .venv-bench
OLDEST_VENV ?= .venv-oldest
OLDEST_PYTHON ?= python3.11
ARGS ?=

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

python := $(VENV)/bin/python
sam := $(abspath $(SAM_VENV)/bin/sam)
# A worker that has no more to do takes what another has not begun.
workers := --numprocesses auto --dist worksteal
# These keep their caches in the project. pip keeps its own where the user has it.
pip := -m pip install --quiet --disable-pip-version-check
export PIP_ROOT_USER_ACTION := ignore
export SAM_CLI_TELEMETRY := 0
# Where a machine says that Python writes no bytecode, each of the many processes of the tests would compile anew.
unexport PYTHONDONTWRITEBYTECODE
# EX_UNAVAILABLE: what a lane needs from outside cannot be had on this machine. The lane has said so, and passes.
or_unavailable = || { status=$$?; [ $$status = 69 ] && echo "$@: not run, see the line above"; }

# The tests that meet each of the dependencies, where a change of theirs would be seen; all of them with ARGS=tests.
oldest := $(addprefix tests/,$(addsuffix .py,handlers/test_authorizer cli/test_command_line \
	testing/test_testing_client cli/test_console api/test_todo_contract api/test_contract_errors \
	observability/test_request_ids openapi/test_documentation_pages http/test_events dynamodb/test_failures \
	schemas/test_fields http/test_strict_json local/test_wsgi schemas/test_marshmallow_import \
	observability/test_observation openapi/test_document lists/test_cursors dynamodb/test_dynamodb_client \
	schemas/test_item_schemas schemas/test_packaged_attributes observability/test_powertools writes/test_store testing/test_strict_moto \
	deploy/test_translated_template))

.PHONY: help serve test test-thorough coverage test-oldest fuzz mutants test-new test-real test-sam test-clients soak sam-local bench check format build clean
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(VENV)/.dev ## serve the Todo API on http://127.0.0.1:3000
	$(VENV)/bin/polymicro serve $(ARGS)

test: $(VENV)/.test ## run the tests in memory, but for those that are marked as thorough
	$(python) -m pytest $(workers) -m 'not thorough' $(ARGS)

test-thorough: $(VENV)/.test ## run in memory those that try very many cases of one thing, or start what takes long
	$(python) -m pytest $(workers) -m thorough $(ARGS)

coverage: $(VENV)/.test ## run all of both in memory, counting lines and branches, which takes twice as long
	$(python) -m pytest $(workers) --cov --cov-report=term $(ARGS)

test-real: $(VENV)/.test ## run the same tests on DynamoDB Local, Amazon's engine
	scripts/dynamodb-local run $(python) -m pytest $(workers) --engine local $(ARGS) $(or_unavailable)

test-sam: $(VENV)/.test $(SAM_VENV)/.sam $(CHECKOV_VENV)/.checkov ## run the whole application by SAM, in containers
	PYTHON=$(python) SAM=$(sam) CHECKOV=$(CHECKOV_VENV)/bin/checkov scripts/test-sam $(ARGS) $(or_unavailable)

test-clients: $(VENV)/.test $(CLIENTS_VENV)/.clients ## try the OpenAPI document with a browser, with clients made from it, and with Schemathesis
	PYTHON=$(python) CLIENTS=$(abspath $(CLIENTS_VENV)/bin) scripts/test-clients $(workers) $(ARGS) $(or_unavailable)

test-oldest: $(OLDEST_VENV)/.test ## run those tests that meet a dependency, on the oldest versions that pyproject.toml allows
	$(OLDEST_VENV)/bin/python -m pytest $(workers) $(if $(ARGS),$(ARGS),$(oldest))

fuzz: $(VENV)/.test ## try 20,000 inputs for each test of any event, path, body and cursor, or FUZZ_EXAMPLES
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),20000) $(python) -m pytest $(workers) tests/http/test_any_event.py $(ARGS)

mutants: $(VENV)/.test ## change permissions, planner, pagination, store and dispatch, and see which tests fail
	$(python) $(pip) 'mutmut>=3.8,<4'
	$(python) scripts/mutants $(ARGS)

test-new: $(VENV)/.test ## begin a project by `polymicro new` and follow all of its hints
	$(python) -m pytest -m new_project tests/new_project $(ARGS)

peers := $(patsubst benchmarks/environments/%.txt,$(BENCH_VENV)-%/.peer,$(wildcard benchmarks/environments/*.txt))
bench: $(VENV)/.dev $(peers) ## measure it next to its peers, and write docs/performance.md
	scripts/dynamodb-local run $(python) -m benchmarks --environments $(BENCH_VENV) $(ARGS) $(or_unavailable)

soak: $(VENV)/.test ## serve under load and faults, and judge what is stored at the end (ARGS="--requests 2000")
	$(python) -m soak $(ARGS) $(or_unavailable)

sam-local: $(VENV)/.dev $(SAM_VENV)/.sam ## serve the Todo API by sam local start-api on http://127.0.0.1:3000
	PYTHON=$(python) SAM=$(sam) scripts/dynamodb-local run scripts/sam-local $(ARGS)

check: $(VENV)/.test ## check format, lint, types, layers, security, and that template.yaml is what the classes say
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy
	$(VENV)/bin/lint-imports --no-logo --cache-dir .cache/imports
	$(python) -m bandit --quiet --configfile pyproject.toml --recursive polymicro_lambda handlers examples \
		2> >(grep -v 'nosec encountered' >&2) # of each other part of a line that has one
	$(python) scripts/audit
	$(VENV)/bin/polymicro template --check

format: $(VENV)/.test ## format the sources and mend what the linter can
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

build: $(VENV)/.dev ## build the wheel into dist/
	$(python) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## remove everything that the other targets made
	scripts/dynamodb-local stop
	rm -rf .venv .venv-* .cache .aws-sam dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

# --- set-up, once for each pyproject.toml ---

$(VENV)/.python:
	$$(scripts/python $(PYTHON)) -m venv $(VENV)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.python
	$(python) $(pip) --editable '.[dev]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.dev
	$(python) $(pip) --editable '.[dev,test]'
	@touch $@

$(OLDEST_VENV)/.test: pyproject.toml scripts/oldest
	$$(scripts/python $(OLDEST_PYTHON)) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/python scripts/oldest >$(OLDEST_VENV)/constraints.txt
	$(OLDEST_VENV)/bin/python $(pip) --constraint $(OLDEST_VENV)/constraints.txt --editable '.[dev,test]'
	@touch $@

# SAM and checkov pin what they need too tightly to share a virtual environment.
$(SAM_VENV)/.sam: Makefile
	$$(scripts/python $(PYTHON)) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/python $(pip) 'aws-sam-cli>=1.150,<2' setuptools
	@touch $@

# What makes clients, and what attacks, as others have them: of no concern to this library's own tests.
$(CLIENTS_VENV)/.clients: Makefile
	$$(scripts/python $(PYTHON)) -m venv $(CLIENTS_VENV)
	$(CLIENTS_VENV)/bin/python $(pip) 'openapi-python-client>=0.29,<0.30' 'schemathesis>=4.32,<5' 'ruff>=0.14' 'pandas>=3,<4'
	@touch $@

# Each peer of the benchmarks has what it needs and no more, in the same versions where two have the same.
$(BENCH_VENV)-%/.peer: benchmarks/environments/%.txt benchmarks/environments/pynamodb.txt benchmarks/constraints.txt
	[ -x $(@D)/bin/python ] || $$(scripts/python $(PYTHON)) -m venv $(@D)
	$(@D)/bin/python $(pip) --constraint benchmarks/constraints.txt --requirement $<
	@touch $@

$(BENCH_VENV)-polymicro/.peer: pyproject.toml $(shell find polymicro_lambda -name "*.py")

$(CHECKOV_VENV)/.checkov: Makefile
	$$(scripts/python $(PYTHON)) -m venv $(CHECKOV_VENV)
	$(CHECKOV_VENV)/bin/python $(pip) 'checkov>=3.2,<4'
	@touch $@

# --- what `sam build` calls: one target for each function of template.yaml ---

# The Python of the template's Runtime, which must be on this machine too: bytecode is of one version.
LAMBDA_PYTHON ?= 3.13
artifact := $(VENV)/bin/polymicro build --python $(LAMBDA_PYTHON) --architecture x86_64 --out "$(ARTIFACTS_DIR)"

.PHONY: build-TodoFunction build-AuthorizerFunction
build-TodoFunction: $(VENV)/.dev
	$(artifact) --handler handlers.todo.handler

build-AuthorizerFunction: $(VENV)/.dev
	$(artifact) --handler handlers.authorizer.handler --requirement 'pyjwt>=2.14'
