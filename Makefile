# The two commands for a newcomer are make demo and make test. They need Go, gcc
# and make. make parity needs the real months and installs the real MLflow and
# XGBoost in a virtual environment outside the tree.

MONTHS ?= ../shared/data
WIRE   ?= ../shared/reference/mlflow-wire
ADDR   ?= 127.0.0.1:5000
CHECK  ?=
PYTHON ?= python3
CACHE  ?= $(HOME)/.cache/taximeter
VENV   ?= $(CACHE)/parity-1
RUNS   ?= 5
ONLY   ?=
BIN    := build/taximeter
export CGO_ENABLED = 1

.PHONY: build demo test soak parity vet clean bench-data bench-models bench-pipeline bench-tracking bench-engine months
build: $(BIN)

# Go knows best what is out of date.
.PHONY: $(BIN)
$(BIN):
	@mkdir -p build
	go build -buildvcs=auto -o $(BIN) ./cmd/taximeter

demo: build
	@MONTHS='$(MONTHS)' ADDR='$(ADDR)' CHECK='$(CHECK)' scripts/demo.sh $(BIN)

test: vet
	go test -race -timeout 40m ./...

# The engine's crash proof whole: a kill at every transition and at 1,000 random
# instants, of which make test runs a few; and the tracking server killed 200
# times in a storm of batches. Five minutes on two cores.
soak:
	go vet -tags soak ./engine/... ./registry/...
	go test -tags soak -count=1 -timeout 30m -v -run Acknowledged ./engine/history ./registry/mlflow

vet:
	go vet ./...
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not gofmt'ed: $$files"; exit 1; fi

# What needs the real months, outside programs, or another machine than this.
parity: months $(VENV)/ready $(CACHE)/xgboost3-1/ready $(CACHE)/mlflow2-1/ready $(CACHE)/java-1/classpath
	go vet -tags parity ./...
	@scripts/install.sh chromium chromium fonts-dejavu-core || { \
		echo 'make parity: pages are tested in a browser: install chromium'; exit 1; }
	@scripts/install.sh qemu-aarch64-static qemu-user-static || { \
		echo 'make parity: arm64 is emulated: install qemu-user-static'; exit 1; }
	TAXIMETER_MONTHS='$(abspath $(MONTHS))' TAXIMETER_WIRE='$(abspath $(WIRE))' TAXIMETER_PYTHON='$(VENV)/bin/python' TAXIMETER_PYTHON_XGBOOST3='$(CACHE)/xgboost3-1/bin/python' TAXIMETER_PYTHON_MLFLOW2='$(CACHE)/mlflow2-1/bin/python' TAXIMETER_JAVA_CLASSPATH='$(CACHE)/java-1/classpath' \
		go test -tags parity -count=1 -timeout 40m -v -run 'Real|Original|Searched|Parity' ./models ./models/gbt ./registry/mlflow ./registry/mlflowstore ./cmd/taximeter
	go test -tags browser -count=1 -v ./serve/ui

months:
	@test -f '$(MONTHS)/green_tripdata_2021-01.parquet' || { \
		echo "no green_tripdata_2021-01.parquet in MONTHS=$(MONTHS): give a folder with TLC's green months"; \
		echo "2021-01, 2021-02, 2023-01 and 2023-02 (https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page)"; exit 1; }

# The benchmarks install what they compare with and take turns with it: RUNS
# times each. Let the machine be otherwise idle.
bench-models: months $(CACHE)/original-1/ready
	go test -c -tags bench -o build/bench/models.test ./models
	'$(CACHE)/original-1/bin/python' scripts/bench/models.py build/bench/models.test '$(MONTHS)' $(RUNS) '$(ONLY)'

bench-data: build months $(CACHE)/today-1/ready
	go test -c -tags bench -o build/bench/features.test ./features
	'$(CACHE)/today-1/bin/python' scripts/bench/data.py $(BIN) build/bench/features.test '$(MONTHS)' $(RUNS)

bench-tracking: build $(VENV)/ready
	for program in floor large; do go build -o build/bench/tracking_$$program scripts/bench/tracking_$$program.go || exit 1; done
	'$(VENV)/bin/python' scripts/bench/tracking.py $(BIN) build/bench/tracking_floor build/bench/tracking_large '$(VENV)/bin/python' $(RUNS)

bench-engine: build $(CACHE)/today-1/ready
	go build -o build/bench/hello ./cmd/hello
	go test -c -o build/bench/history.test ./engine/history
	cd scripts/bench/engines && go build -o ../../../build/bench/engines .
	'$(CACHE)/today-1/bin/python' scripts/bench/engine.py $(BIN) build/bench/hello build/bench/history.test build/bench/engines $(RUNS) '$(ONLY)'

bench-pipeline: build months $(CACHE)/original-1/ready $(CACHE)/today-1/ready
	'$(CACHE)/original-1/bin/python' scripts/bench/pipeline.py $(BIN) '$(MONTHS)' \
		'$(CACHE)/original-1/bin/python' '$(CACHE)/today-1/bin/python' $(RUNS)

# MLflow's Java client, and where its jars are.
JAVA_CLIENT := cmd/taximeter/testdata/java/pom.xml
$(CACHE)/java-1/classpath: $(JAVA_CLIENT)
	@scripts/install.sh javac default-jdk-headless && scripts/install.sh mvn maven || { \
		echo "make parity: MLflow's Java client comes from Maven: install maven and a JDK of at least 11"; exit 1; }
	@mkdir -p '$(@D)'
	scripts/again.sh mvn -q -B -f $(JAVA_CLIENT) dependency:build-classpath -Dmdep.outputFile='$(abspath $@)'
	@touch '$@'

# A virtual environment, brought up to its list of packages when that changes.
define venv
$(1)/ready: $(2) $(wildcard $(2:.txt=-py*.lock) $(2:.txt=-after.txt))
	scripts/venv.sh '$(PYTHON)' '$(1)' $(2)
endef
$(eval $(call venv,$(VENV),scripts/requirements-parity.txt))
$(eval $(call venv,$(CACHE)/xgboost3-1,scripts/requirements-xgboost3.txt))
$(eval $(call venv,$(CACHE)/mlflow2-1,scripts/requirements-mlflow2.txt))
$(eval $(call venv,$(CACHE)/original-1,scripts/bench/requirements-original.txt))
$(eval $(call venv,$(CACHE)/today-1,scripts/bench/requirements-today.txt))

clean:
	rm -rf build
