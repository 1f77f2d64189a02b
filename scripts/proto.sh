#!/usr/bin/env bash
# Generates internal/inferencepb from its .proto file. PROTOC names the compiler (protoc, or python3 -m grpc_tools.protoc).
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/proto
GOBIN=$bin go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$bin go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.5.1
read -ra protoc <<<"${PROTOC:-protoc}"
PATH=$bin:$PATH "${protoc[@]}" -I internal/inferencepb --go_out=internal/inferencepb --go_opt=paths=source_relative \
  --go-grpc_out=internal/inferencepb --go-grpc_opt=paths=source_relative internal/inferencepb/inference.proto
