# The two commands for a newcomer are make demo and make test. They need Go, gcc
# and make. make parity needs the real months and installs the real MLflow and
# XGBoost in a virtual environment outside the tree.

MONTHS ?= ../shared/data
ADDR   ?= 127.0.0.1:5000
CHECK  ?=
PYTHON ?= python3
VENV   ?= $(HOME)/.cache/taximeter/parity-1
BIN    := build/taximeter
export CGO_ENABLED = 1

.PHONY: build demo test parity vet clean
build: $(BIN)

# Go knows best what is out of date.
.PHONY: $(BIN)
$(BIN):
	@mkdir -p build
	go build -buildvcs=auto -o $(BIN) ./cmd/taximeter

demo: build
	@MONTHS='$(MONTHS)' ADDR='$(ADDR)' CHECK='$(CHECK)' scripts/demo.sh $(BIN)

test: vet
	go test -race -timeout 20m ./...

vet:
	go vet ./...
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not gofmt'ed: $$files"; exit 1; fi

# What needs the real months or outside programs.
parity: $(VENV)/ready
	@test -f '$(MONTHS)/green_tripdata_2021-01.parquet' || { \
		echo "make parity: no green_tripdata_2021-01.parquet in MONTHS=$(MONTHS): give a folder with TLC's green months"; \
		echo "2021-01, 2021-02, 2023-01 and 2023-02 (https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page)"; exit 1; }
	go vet -tags parity ./...
	TAXIMETER_MONTHS='$(abspath $(MONTHS))' TAXIMETER_PYTHON='$(VENV)/bin/python' \
		go test -tags parity -count=1 -timeout 25m -v -run 'Real|Original|Searched|Parity' ./models/... ./registry/mlflow ./cmd/taximeter

	@command -v chromium >/dev/null || { \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } || { \
		echo 'make parity: the page is tested in a browser: install chromium'; exit 1; }
	go test -tags browser -count=1 -v ./serve/ui

$(VENV)/ready: scripts/requirements-parity.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 10), sys.version' || { \
		echo 'make parity: needs Python 3.10 or newer with venv; PYTHON=... names one'; exit 1; }
	$(PYTHON) -m venv '$(VENV)'
	'$(VENV)/bin/pip' install --quiet --disable-pip-version-check -r scripts/requirements-parity.txt
	touch $@

clean:
	rm -rf build
