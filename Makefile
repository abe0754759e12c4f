# The checks are stages of .ci/run, which installs what they need; here they have names.

.PHONY: build test vet lint fuzz bench-once torture ci clean

build: ## binaries into bin/
	go build -o bin/flin-server ./router
	go build -o bin/kvd ./kvd
	go build -o bin/queued ./queued
	go build -o bin/streamd ./streamd
	go build -o bin/docd ./docd

test: ## every test of every module
	go test work

vet:
	.ci/run vet

lint: ## golangci-lint is built into .bin/ the first time (about three minutes)
	.ci/run tools format lint

fuzz: ## every fuzz target; FUZZTIME=5m for longer
	.ci/run fuzz

bench-once: ## every benchmark once, so that none rots
	.ci/run bench

torture: ## the long forms of kill loops, histories, race tests and fuzzing
	.ci/run torture

ci:
	.ci/run

clean: ## what was built; data and results stay
	rm -rf bin .bin
