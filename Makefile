# Every target sets up what it needs: `make demo` and `make test` each work first in a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo demo-aws demo-tencent serve package package-tencent tools test lint bench bench-smoke \
	load soak mutants mutation fuzz
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 17

setup: $(READY)  ## make .venv from the hashed requirements (quick when nothing changed)

$(READY): devkit/requirements.txt pyproject.toml devkit/pyproject.toml
	@echo "Setting up .venv (once; half a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "kycourier needs Python 3.10 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r devkit/requirements.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . -e devkit
	@touch $@

demo: $(READY)  ## watch orders run through the real functions and the emulator
	@$(BIN)/kycourier demo

demo-aws: package  ## the same with the built packages, in an AWS on loopback
	@$(BIN)/kycourier demo --aws

demo-tencent: package-tencent  ## the same on Tencent Cloud: deployed, then run as SCF does
	@$(BIN)/kycourier demo --tencent

serve: $(READY)  ## local gateway, queue and timers on 127.0.0.1
	@$(BIN)/kycourier serve

package: $(READY)  ## dist/*.zip for AWS Lambda, without Docker; BOTO3=pinned adds boto3
	@$(BIN)/python -m kycourier_devkit.package $(if $(BOTO3),--boto3 $(BOTO3))

package-tencent: $(READY)  ## dist/scf-*.zip for Tencent SCF, without Docker
	@$(BIN)/python -m kycourier_devkit.package tencent

lint: $(READY)  ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY)  ## fuzz the parsers, guided by coverage; SECONDS=60 in all
	@PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(or $(SECONDS),60)

tools: $(READY)  ## SAM, moto, Redis, fuzzers for the tests (two minutes, once)
	@$(BIN)/python -m kycourier_devkit.tool_envs

bench: $(READY)  ## measure all goals beside the naive peer (20 minutes); ONLY=G5,G6
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY),--keep bench/results.json)

bench-smoke: $(READY)  ## the same in a minute, to check that it works
	@$(BIN)/python -m bench --smoke

load: $(READY)  ## collect 105 000 orders with serve and eight workers (20 minutes)
	@$(BIN)/python -m bench.load --keep bench/load.json

soak: $(READY)  ## the simulation, seed after seed: SEEDS=200000; stop and go on
	@PYTHONPATH=tests $(BIN)/python -m simulation.soak $(or $(SEEDS),20000)

test: lint tools  ## everything that proves it; STRICT=1 lets nothing be skipped
	$(BIN)/pytest $(if $(STRICT),--no-skips)
	$(BIN)/python tests/support/other_pythons.py $(if $(STRICT),--strict)

mutants: tools  ## plant bugs, show which test catches each; ONLY=name WHY=1
	@PYTHONPATH=tests $(BIN)/python -m mutants $(if $(ONLY),--only '$(ONLY)') $(if $(WHY),--why)

mutation: $(READY)  ## make every small change of the core; tests notice each
	@PYTHONPATH=tests $(BIN)/python -m mutation $(MODULES)
