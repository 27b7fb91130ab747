# Anonymous Certified Delivery. `make help` lists what there is.
#
# Everything sets up what is missing and says what it does: Debian packages with apt (as root or through sudo), Swift
# with swiftly where there is none. One debug build serves `demo` and `test`.

SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.local/share/swiftly/bin:/opt/swift/usr/bin
CCORE_BUILD := build/ccore
VENV := build/venv
# Other people's test vectors, by default beside the project. Named, they must be there: then tests fail without them.
# Nobody named them and they are not there: tests skip and say so.
ifneq ($(or $(ACD_VECTORS),$(wildcard ../shared/vectors)),)
export ACD_VECTORS := $(or $(ACD_VECTORS),$(abspath ../shared/vectors))
endif

.PHONY: help demo test delivery card card-mutants devices protocols without-ipsec-mb check soak bench model setup venv build ccore swift-test interop scenarios planted simulate clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

demo: build ## Run a whole purchase with real processes over TLS and show every message
	.build/debug/acd demo

test: build ccore swift-test interop scenarios ## Run all tests
	@echo "all tests passed"

setup: ## Install what is missing: Debian packages and Swift
	@scripts/setup.sh

build: setup ## Build acd and acd-kiosk (debug)
	swift build --product acd
	swift build --product acd-kiosk

venv: setup
	@scripts/venv.sh

ccore check: export ZCBOR := $(abspath $(VENV))/bin/zcbor
ccore: venv ## Build and test the C core without Swift: CMake, all vectors, sanitizers
	cmake -S CCore -B $(CCORE_BUILD) -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build $(CCORE_BUILD) -j2 >/dev/null
	cd $(CCORE_BUILD) && ctest --output-on-failure
	cmake -S CCore -B $(CCORE_BUILD)-san -DCMAKE_BUILD_TYPE=Debug \
	  -DCMAKE_C_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all" >/dev/null
	cmake --build $(CCORE_BUILD)-san -j2 >/dev/null
	cd $(CCORE_BUILD)-san && ctest --output-on-failure

swift-test: setup ## Run the Swift tests, those of the simulator by themselves
	python3 scripts/planted_bugs.py check
	swift test --skip SimulationTests
	swift test --skip-build --filter SimulationTests

interop: build venv card ## Let other people's programs read our messages and logs, and ours theirs: pycose, zcbor, Go's sumdb; and `card`
	scripts/interop.sh
	scripts/tlog.sh

card: setup ## Let other people's programs talk to the smart card: pcscd, opensc-tool, pyscard
	scripts/card.sh

delivery: build ## Buy a parcel with a card, collect it at a counter, prove it; then the twenty requirements with results
	swift build --build-tests
	scripts/delivery.sh

card-mutants: setup ## Break each check of the card once and see a test fail
	scripts/card_mutants.py

scenarios: build ## Type the commands as users do, let sales fail, flood them with repetitions, kill -9 them
	Tests/Scenarios/walkthrough.sh
	Tests/Scenarios/traces.sh
	Tests/Scenarios/cli.sh
	Tests/Scenarios/outcomes.sh
	Tests/Scenarios/joint.sh
	Tests/Scenarios/early.sh
	Tests/Scenarios/compact.sh
	Tests/Scenarios/negotiate.sh
	Tests/Scenarios/refund.sh
	Tests/Scenarios/banks.sh
	Tests/Scenarios/named.sh
	Tests/Scenarios/keep.sh
	Tests/Scenarios/repeated.sh
	Tests/Scenarios/announced.sh
	Tests/Scenarios/invoice.sh
	POINTS=0 Tests/Scenarios/card.sh
	Tests/Scenarios/delivery.sh
	Tests/Scenarios/counter.sh
	Tests/Scenarios/judge.sh
	Tests/Scenarios/witness.sh
	Tests/Scenarios/log.sh
	Tests/Scenarios/fin.sh
	Tests/Scenarios/monitor.sh
	Tests/Scenarios/certify.sh
	Tests/Scenarios/storm.sh
	Tests/Scenarios/kill.sh 12
	Tests/Scenarios/kill.sh 8 "" early
	Tests/Scenarios/kill.sh 8 "" repeated

protocols: build ## Type the line of every row of docs/PROTOCOLS.md and print the table with results
	Tests/Scenarios/protocols.sh

soak: build simulate ## More of the same: 300 MiB goods, 50 kill points for each victim, 100,000 simulated transactions
	Tests/Scenarios/cli.sh 300
	Tests/Scenarios/kill.sh 200
	Tests/Scenarios/card.sh

simulate: setup ## Simulate 100,000 transactions with faults, then with liars, and a crash at every boundary
	scripts/simulate.sh

planted: setup ## Plant more than a hundred bugs and let the simulator find them
	scripts/planted-bugs.sh

without-ipsec-mb: setup ## Build without the optional intel-ipsec-mb, and run the tests of goods
	ACD_WITHOUT_IPSEC_MB=1 swift test --filter 'GoodsFilesTests|GoodsTests|MultiBufferTests'

check: test ## Everything in `test`, then format lint, house rules and coverage
	swift format lint --strict --recursive --configuration .swift-format Sources Tests
	scripts/tidy.sh
	CCore/tests/coverage.sh $(CCORE_BUILD)-coverage

bench: setup ## Measure against bare crypto, age and minisign in the same run
	scripts/bench.sh

model: ## Check the Promela models of all protocols with spin, and that planted defects are found
	scripts/model.sh

devices: ## Run the C core's whole test suite on armhf, s390x and Cortex-M under qemu, and measure it
	scripts/devices.sh

clean: ## Remove what was built
	rm -rf .build build
