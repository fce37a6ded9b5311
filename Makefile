# `make help` lists the targets. Everything runs with Node 24: the host's, or one that is installed into .node/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

HOST_NODE_MAJOR := $(shell node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
ifeq ($(shell [ $(HOST_NODE_MAJOR) -ge 24 ] && echo yes),yes)
NODE_READY :=
else
NODE_READY := .node/bin/node
export PATH := $(CURDIR)/.node/bin:$(PATH)
endif

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# npm installs Node here from its own registry, which is all that a machine with an older Node and npm can reach for sure.
.node/bin/node: .bootstrap/package.json .bootstrap/package-lock.json
	@echo "installing Node 24 into .node/ (the host has $(HOST_NODE_MAJOR))"
	@rm -rf .node && mkdir -p .node/bin && cp .bootstrap/package.json .bootstrap/package-lock.json .node/
	@npm ci --prefix .node --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd .node/bin && ln -s ../node_modules/node-linux-*/bin/node node
	@cd .node/bin && ln -s ../node_modules/npm/bin/npm-cli.js npm && ln -s ../node_modules/npm/bin/npx-cli.js npx
	@.node/bin/node --version

node_modules/.package-lock.json: package.json package-lock.json */package.json | $(NODE_READY)
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## install what the project needs

.PHONY: generate
generate: setup ## write crds/largepayloadstore.yaml from the schema
	npm run --silent generate -w crds

.PHONY: node-20
node-20: setup ## a Node 20 to test the codec's package on, unless the host has one
	@node codec/package-tests/node-20.ts >/dev/null 2>&1 || \
	  npm ci --prefix .bootstrap/node-20 --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: build
build: setup ## build the codec and sidecar/dist/payload-store.mjs
	npm run --silent build -w codec
	npm run --silent build -w sidecar

.PHONY: lint
lint: setup ## formatting, lint rules and types
	npx biome check .
	npx tsc -p tsconfig.json

.PHONY: test
test: build node-20 ## every unit and conformance test
	npx vitest run

.PHONY: demo
demo: build ## large payloads through the codec and the service, stored, deduplicated and reaped
	node e2e/demo/demo.ts

.PHONY: e2e
e2e: build node-20 ## workflows with large payloads on a real Temporal server
	node --conditions=largepayload-source e2e/prepare.ts
	npx vitest run --config sidecar/e2e.vitest.config.ts
	npx vitest run --config e2e/vitest.config.ts --project temporal

.PHONY: e2e-faults
e2e-faults: build ## S3 that fails in every way, behind a proxy of ours: nothing may be lost
	node --conditions=largepayload-source e2e/prepare.ts
	npx vitest run --config e2e/vitest.config.ts --project faults

.PHONY: e2e-full
e2e-full: ## as e2e and e2e-faults, the cases with faults five times
	E2E_ROUNDS=5 $(MAKE) e2e e2e-faults

.PHONY: bench
bench: build ## speed and memory, as the table in README.md
	node sidecar/bench/bench.ts

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf .node .bootstrap/node-20/node_modules node_modules */node_modules */dist
