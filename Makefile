# Trestle's commands. `make` lists them; each works on a fresh clone.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# rustup's programs, in a shell that was open before rustup was installed.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# Queries are checked against the committed .sqlx, whatever database the environment names.
export SQLX_OFFLINE := true

BIN := $(or $(CARGO_TARGET_DIR),target)/release
TRESTLE := $(BIN)/trestle
# One profile for running and testing, so that a clone is built once.
CARGO_BUILD := cargo build --release --locked --workspace

data := $(if $(DATA),--data "$(DATA)")
up := $(if $(PORT),--port $(PORT)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(PRODUCTS),--products $(PRODUCTS)) \
	$(if $(filter-out 0 no,$(TLS)),--tls) $(if $(filter-out 0 no,$(DETACH)),--detach)

.PHONY: help
help: ## This list
	@echo "Trestle: a load-bearing shop on nginx, axum, Redis and MySQL."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make up takes DETACH=1 PORT=8080 REPLICAS=2 PRODUCTS=1000 TLS=1, and all take DATA=folder:"
	@echo "  make up DETACH=1 REPLICAS=4"

# --- Run --------------------------------------------------------------------------------------------------------

.PHONY: up
up: build ## Install what is missing, build, start the shop, fill it with data
	$(TRESTLE) up $(up) $(data)

.PHONY: down
down: ## Stop the shop; its data stays
	$(TRESTLE) down $(data)

.PHONY: status
status: ## What runs, where, and how much memory it takes
	$(TRESTLE) status $(data)

.PHONY: scale
scale: ## Run N replicas: make scale N=4
	$(TRESTLE) scale $(or $(N),$(error say how many: make scale N=4)) $(data)

.PHONY: logs
logs: ## The log lines of all tiers, as they come
	$(TRESTLE) logs -f $(data)

# --- Run in containers ------------------------------------------------------------------------------------------

# The images say of which commit they are: the last one that changed what is in them, so that others leave them cached.
COMPOSE := REVISION=$${REVISION:-$$(git log -1 --format=%h -- services infra/containers loadtest/src Cargo.lock 2>/dev/null)} docker compose

.PHONY: compose-build
compose-build: ## Build the container images
	@docker compose version >/dev/null || { echo "Docker with Compose v2 is needed: https://docs.docker.com/engine/install" >&2; exit 1; }
	$(COMPOSE) build

.PHONY: compose-up
compose-up: compose-build ## Start the shop in containers; settings are in .env.example
	$(COMPOSE) up --detach --wait
	@docker compose ps
	@echo "The shop: http://$$(docker compose port web 8080)"

.PHONY: compose-down
compose-down: ## Stop the containers; the data stays (docker compose down --volumes removes it)
	docker compose --profile '*' down

.PHONY: compose-scale
compose-scale: ## Run N replicas in containers: make compose-scale N=4
	docker compose up --detach --wait --no-build --no-recreate --no-deps \
		--scale api=$(or $(N),$(error say how many: make compose-scale N=4)) api

.PHONY: base-images
base-images: ## Where no registry can be reached: make base-images WITH=program
	$(or $(WITH),$(error name a program that makes images of these names: make base-images WITH=program)) $(BASE_IMAGES)

# What the Dockerfiles begin with, and what docker-compose.yml takes as it is and is tested here.
BASE_IMAGES = $(shell sed -n 's/^FROM \([^ ]*:[^ ]*\).*/\1/p' services/*/Dockerfile infra/containers/*/Dockerfile loadtest/Dockerfile | sort -u) \
	$(shell sed -n 's/^ *image: \(prom[^ ]*\)$$/\1/p' docker-compose.yml)

.PHONY: sbom
sbom: ## What is in the images, as CycloneDX: target/sbom/*.json
	$(CARGO_BUILD)
	$(BIN)/sbom --output target/sbom

# --- Load ---------------------------------------------------------------------------------------------------------

# A shop of its own for each of these, at a free port; its data is kept. What shows replicas has 2,000 products: with 100,000 the
# database takes more of two cores than the replicas do, and limits first. PRODUCTS=100000 shows that.
LOADTEST := $(BIN)/trestle-loadtest
LOAD_DATA = $(or $(DATA),.trestle-load/$(products))
STACK = --stack "$(TRESTLE) --data $(LOAD_DATA)"
loadtest: products = $(or $(PRODUCTS),100000)
scale-out autoscale chaos: products = $(or $(PRODUCTS),2000)
define with_shop
	@set -e; mkdir -p .trestle-load; trap '$(TRESTLE) down --data $(LOAD_DATA)' EXIT; \
	$(1) $(TRESTLE) up --detach --data $(LOAD_DATA) --port 0 --products $(products) --replicas $(2); \
	echo '$(3)'; $(3)
endef

.PHONY: loadtest
loadtest: build ## A minute's load on a shop of its own: SHOPPERS=200 THINK=7
	$(call with_shop,,2,$(LOADTEST) run $(STACK) --shoppers $(or $(SHOPPERS),200) --think $(or $(THINK),7) --seconds 60)

.PHONY: scale-out
scale-out: build ## What do more replicas give, and what limits then? ARGS="--quick" is shorter
	$(call with_shop,TRESTLE_LINGER_SECONDS=1,1,$(LOADTEST) scale-out $(STACK) $(ARGS))

.PHONY: autoscale
autoscale: build ## The classic exercise: load rises, replicas are added; it falls, they go
	$(call with_shop,,1,$(LOADTEST) autoscale $(STACK) $(ARGS))

.PHONY: chaos
chaos: build ## What do shoppers notice of killed and frozen replicas, Redis, nginx, database?
	$(call with_shop,,2,$(LOADTEST) chaos $(STACK) $(ARGS))

.PHONY: bench
bench: build ## The shop against bare axum, raw SQL, bare argon2, bare nginx
	$(LOADTEST) bench $(ARGS)

.PHONY: cross-check
cross-check: build ## The load generator beside wrk and hey
	@infra/local/setup.sh --tests
	cargo test --release --locked -p trestle-tests --test loadtest -- --ignored --exact --nocapture cross_check::beside_wrk_and_hey

# --- On AWS -------------------------------------------------------------------------------------------------------

.PHONY: aws-setup
aws-setup: ## The Python packages that infra/aws/trestle-aws needs
	@infra/aws/tools/venv tool >/dev/null
	@echo "infra/aws/trestle-aws --help"

.PHONY: test-aws
test-aws: ## The templates and trestle-aws, without an account: cfn-lint, checkov, tests, instances that boot
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	@infra/aws/tools/test

.PHONY: mutate-aws
mutate-aws: ## Are wrong templates noticed? 200 drawn mutations beside the 40 named ones
	@infra/aws/tools/mutate

# --- Build ------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: ## Install what is missing on Debian or Ubuntu; say it elsewhere
	@infra/local/setup.sh

.PHONY: build
build: setup ## Build everything
	$(CARGO_BUILD)

# --- Check ------------------------------------------------------------------------------------------------------

.PHONY: test
test: ## Test the whole system: unit tests, then real tiers behind nginx
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	cargo test --release --locked --workspace
	@echo "All tests passed."

.PHONY: soak
soak: ## The tests that need repetition, many times over
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	TRESTLE_REPEAT=20 cargo test --release --locked -p trestle-tests
	@echo "All tests passed, repeated ones many times."

.PHONY: contract
contract: ## The API against its OpenAPI document: every route, and schemathesis
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	cargo test --release --locked -p trestle-tests --test contract

.PHONY: screenshots
screenshots: ## A picture of every page at three widths, in Korean and dark too, in target/screenshots
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	cargo test --release --locked -p trestle-tests --test browser -- --ignored --exact --nocapture screenshots::screenshots

.PHONY: compose-loadtest
compose-loadtest: ## Build the load generator's image, for `trestle --compose loadtest` and --stack "trestle --compose"
	$(COMPOSE) --profile loadtest build loadtest

.PHONY: test-compose
test-compose: compose-build compose-loadtest ## Test the shop in containers: life, scale, faults, isolation, metrics, contract, browser
	@infra/local/setup.sh --tests
	$(CARGO_BUILD)
	cargo test --release --locked -p trestle-tests --test compose -- --nocapture
	infra/containers/with-shop cargo test --release --locked -p trestle-tests --test contract
	infra/containers/with-shop cargo test --release --locked -p trestle-tests --test browser -- buying
	@echo "All tests of the shop in containers passed."

.PHONY: test-compose-full
test-compose-full: test-compose ## That, and the whole API suite on shops in containers (MySQL 9.7, Redis 8)
	for suite in $(API_SUITE); do \
		infra/containers/with-shop cargo test --release --locked -p trestle-tests --test $$suite || exit; \
	done
	@echo "The whole API suite passed on shops in containers."

# The tests that ask the shop alone; the others are about the launcher, its processes, or nginx without a shop.
API_SUITE := access backoffice cart catalog checkout faults identity journey recommendations reviews sitemap

.PHONY: lint
lint: ## Format and clippy, warnings denied
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	cargo clippy --release --locked -p trestle-tests --test compose -- -D warnings

.PHONY: check
check: lint ## lint, the committed query data and OpenAPI document, the dependencies' licences and advisories
	cargo run --release --locked -p trestle --bin sqlx-data -- --check
	$(CARGO_BUILD)
	$(BIN)/trestle-api openapi --check services/api/openapi.json
	cargo test --release --locked -p trestle-tests --test dependencies

# Through a file beside it: a build that fails must not leave an empty document.
.PHONY: openapi
openapi: ## Write services/api/openapi.json anew, after a change of the API
	$(CARGO_BUILD)
	$(BIN)/trestle-api openapi >services/api/openapi.json.new
	mv services/api/openapi.json.new services/api/openapi.json

.PHONY: clean
clean: ## Remove what was built; the shop's data stays
	cargo clean
