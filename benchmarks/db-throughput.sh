#!/usr/bin/env bash
# Starts a Flin server of its own in a temporary directory, puts its documents under load and prints what they reached.
#
#   benchmarks/db-throughput.sh [clients=256] [seconds=10] [document bytes=1024]
#
# Inserts into a collection with one index, finds by _id and by the indexed field, the first 10 of a range of another indexed
# field in its order, updates by the indexed field, and deletions by _id until there is nothing left, one document a call and
# each for that many seconds. The server and its data are gone afterwards, however this ends. TMPDIR chooses the disk.
# FLIN_SERVER names a binary to use instead of building one; FLIN_FLAGS are further flags for it (FLIN_FLAGS=-memory).
source "$(dirname "${BASH_SOURCE[0]}")/server.bash"

serve_and_load dbload -clients "${1:-256}" -seconds "${2:-10}" -document "${3:-1024}"
