#!/usr/bin/env bash
# Starts a Flin server of its own in a temporary directory, puts it under load and prints what it reached.
#
#   benchmarks/kv-throughput.sh [clients=256] [seconds=10] [value bytes=1024]
#
# Writes of new keys, reads of keys written before, and MSETs of 16, each for that many seconds. The server and its data
# are gone afterwards, however this ends. TMPDIR chooses the disk. FLIN_SERVER names a binary to use instead of
# building one; FLIN_FLAGS are further flags for it (FLIN_FLAGS=-memory).
source "$(dirname "${BASH_SOURCE[0]}")/server.bash"

serve_and_load kvload -clients "${1:-256}" -seconds "${2:-10}" -value "${3:-1024}"
