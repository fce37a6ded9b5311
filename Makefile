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

# Our packages export their sources by this condition, so that nothing has to be built first.
SOURCES := --conditions=largepayload-source

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# npm installs Node here from its own registry, which is all that a machine with an older Node and npm can reach for sure.
.node/bin/node: .bootstrap/package.json .bootstrap/package-lock.json
	@echo "installing Node 24 into .node/ (the host has $(HOST_NODE_MAJOR))"
	@rm -rf .node && mkdir -p .node/bin && cp .bootstrap/package.json .bootstrap/package-lock.json .node/
	@npm ci --prefix .node --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd .node/bin && ln -s ../node_modules/node-linux-*/bin/node node
	@cd .node/bin && ln -s ../node_modules/npm/bin/npm-cli.js npm && ln -s ../node_modules/npm/bin/npx-cli.js npx
	@.node/bin/node --version

node_modules/.package-lock.json: package.json package-lock.json */package.json | $(NODE_READY)
	flock package-lock.json npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## install what the project needs

.PHONY: generate
generate: setup ## write crds/largepayloadstore.yaml, and the copy in the chart, from the schema
	npm run --silent generate -w crds

.PHONY: node-20
node-20: setup ## a Node 20 to test the codec's package on, unless the host has one
	@node tools/node-20.ts >/dev/null 2>&1 || \
	  npm ci --prefix .bootstrap/node-20 --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: build
build: setup ## build the codec, sidecar/dist/payload-store.mjs and operator/dist/operator.mjs
	npm run --silent build -w codec
	npm run --silent build -w sidecar
	npm run --silent build -w operator

.PHONY: image
image: build ## the container image, by Docker or buildah [IMAGE=name] [BASE=image|local] [OUTPUT=docker-archive:file]
	node operator/image/build-image.ts service $(IMAGE:%=--image %) $(BASE:%=--base %) $(OUTPUT:%=--output %)

.PHONY: example-image
example-image: build ## the image of examples/typescript-worker [EXAMPLE_IMAGE=name] [BASE=image|local] [EXAMPLE_OUTPUT=docker-archive:file]
	node operator/image/build-image.ts example $(EXAMPLE_IMAGE:%=--image %) $(BASE:%=--base %) $(EXAMPLE_OUTPUT:%=--output %)

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
e2e: e2e-storage e2e-temporal e2e-kubernetes ## everything on real servers: S3, Temporal, Kubernetes

.PHONY: e2e-storage
e2e-storage: build ## the S3 driver and the roles' rights on real S3 servers, and all their faults at once
	node $(SOURCES) e2e/prepare.ts storage
	npx vitest run --config sidecar/e2e.vitest.config.ts
	npx vitest run --config e2e/vitest.config.ts --project faults-short

.PHONY: e2e-temporal
e2e-temporal: build node-20 ## workflows with large payloads on a real Temporal server
	node $(SOURCES) e2e/prepare.ts temporal
	npx vitest run --config e2e/vitest.config.ts --project temporal

.PHONY: e2e-kubernetes
e2e-kubernetes: build ## the operator, its chart and README's quick start on a real cluster, with all that may go wrong
	node $(SOURCES) e2e/prepare.ts kubernetes
	npx vitest run --config operator/e2e.vitest.config.ts
	node $(SOURCES) e2e/kubernetes/prepare.ts
	@status=0; name=$${E2E_CLUSTER_NAME:-e2e}; \
	  node $(SOURCES) e2e/cluster/cluster.ts exec --name $$name -- \
	    npx vitest run --config e2e/kubernetes/vitest.config.ts || status=$$?; \
	  node $(SOURCES) e2e/cluster/cluster.ts down --name $$name; exit $$status

.PHONY: e2e-cluster
e2e-cluster: setup ## the cluster that tests run in: made, used, ended and crashed
	node $(SOURCES) e2e/prepare.ts kubernetes
	npx vitest run --config e2e/vitest.config.ts --project cluster

.PHONY: e2e-faults
e2e-faults: build ## S3 that fails in every way, one after the other too, behind a proxy of ours: nothing may be lost
	node $(SOURCES) e2e/prepare.ts storage
	npx vitest run --config e2e/vitest.config.ts --project 'faults-*'

.PHONY: e2e-full
e2e-full: ## all of these, the cases with faults five times, the cluster 20 times, and on the oldest Kubernetes
	E2E_ROUNDS=5 $(MAKE) e2e e2e-faults e2e-cluster
	E2E_KUBERNETES=1.33 $(MAKE) e2e-cluster e2e-kubernetes

.PHONY: bench
bench: build ## speed and memory, written into docs/performance.md with its pictures
	node sidecar/bench/bench.ts --write

.PHONY: bench-operator
bench-operator: build ## what the operator costs, written into docs/operator-performance.md; takes about ten minutes
	node $(SOURCES) operator/bench/bench.ts --write
	node $(SOURCES) operator/bench/policies.ts --write

.PHONY: bench-scale
bench-scale: setup ## what S3 and the reaper do at scale, simulated, written into docs/scale.md; takes a minute
	node $(SOURCES) sidecar/bench/scale/scale.ts --write

.PHONY: cluster-up
cluster-up: setup ## a Kubernetes cluster to try things on: e2e/cluster/README.md [VERSION=1.33]
	@$(VERSION:%=E2E_KUBERNETES=%) node $(SOURCES) e2e/cluster/cluster.ts up

.PHONY: cluster-down
cluster-down: setup ## remove that cluster, also what a crash has left of it
	@node $(SOURCES) e2e/cluster/cluster.ts down

.PHONY: clean
clean: ## remove what was built and installed
	rm -rf .node .bootstrap/node-20/node_modules node_modules */node_modules */dist
