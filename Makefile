# make quick: what to run while working. make check: everything CI runs after the tests.
GOLANGCI = v2.15.0

.PHONY: quick check test build bench fuzz gen lint

build:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/quaymaster ./cmd/quaymaster

test:
	go test ./...

quick:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go test ./... -short

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go mod tidy -diff
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run

# Everything derived must be as it would be derived again.
gen:
	go test ./internal/checktest ./cmd/quaymaster ./report -run 'Generated|Golden' -update

check: lint
	go test -race -shuffle=on ./evidence ./facts ./tally ./engine ./headerspace ./policy ./report ./parsers/... ./collectors/...
	CGO_ENABLED=0 go build -trimpath -o bin/quaymaster ./cmd/quaymaster
	for os in darwin windows; do GOOS=$$os go vet ./cmd/quaymaster || exit 1; done

bench:
	go test -run '^$$' -bench . -benchmem ./parsers/... ./headerspace ./tally ./engine ./internal/tree

# Each fuzz target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done
