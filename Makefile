# Every line hands over to `python3 -m devstack`, which first makes .venv complete.
# Choose an interpreter with PYTHON=, e.g. `make run PYTHON=python3.13`.
PYTHON ?= python3
SUITE ?= booking

.DEFAULT_GOAL := help
.PHONY: help run test proof bench lighthouse screenshots mutate check format functions openapi journeys states lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST))

run: ## everything from nothing: engines, demo clinics, web, worker, beat (PORT=8000; AT="2027-10-31 08:10": at that moment)
	@$(PYTHON) -m devstack run $(if $(AT),--at="$(AT)")

test: ## every test on engines of its own (ARGS="-k held" goes to pytest; AT="2027-10-31 00:10": at that moment)
	@$(PYTHON) -m devstack test $(if $(AT),--at="$(AT)") $(ARGS)

proof: ## load and faults, judged from outside (ARGS="stampede --crowd 100"; all: 10 minutes)
	@$(PYTHON) -m devstack proof $(ARGS)

bench: ## how fast, next to what the database alone could do (SUITE=pages: what a page costs)
	@$(PYTHON) -m devstack bench $(SUITE) $(ARGS)

lighthouse: ## how fast and light the public pages of a running `make run` are on a phone (PORT=8000)
	@$(PYTHON) -m devstack lighthouse $(ARGS)

screenshots: ## pictures of the main pages for docs/screenshots/, from a running `make run` (PORT=8000)
	@$(PYTHON) -m devstack screenshots $(ARGS)

mutate: ## breaks the code in one place at a time: do tests notice? (ARGS=sql; all: an hour)
	@$(PYTHON) -m devstack mutate $(ARGS)

check: ## format, lint, types, contracts, migrations, templates, schema, deployment
	@$(PYTHON) -m devstack check

format: ## puts code and templates into the form that `make check` requires
	@$(PYTHON) -m devstack format

openapi: ## write docs/openapi.yaml again
	@$(PYTHON) -m devstack openapi

journeys: ## write the walks in CONTRIBUTING.md again
	@$(PYTHON) -m devstack journeys

functions: ## write migrations for functions of the database that changed in */sql
	@$(PYTHON) -m devstack functions

states: ## write docs/states.md again
	@$(PYTHON) -m devstack states

lock: ## write the lock files again (ARGS=--upgrade takes newer releases)
	@$(PYTHON) -m devstack lock $(ARGS)

clean: ## remove caches and the data of `make run`
	@$(PYTHON) -m devstack clean
