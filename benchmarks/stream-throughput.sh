#!/usr/bin/env bash
# Starts a Flin server of its own in a temporary directory, puts its streams under load and prints what they reached.
#
#   benchmarks/stream-throughput.sh [clients=256] [seconds=10] [body bytes=1024]
#
# Publishes that wait for their answers, publishes through a producer that does not, records that a group consumes with a
# commit for each batch of 256, and what a record takes from its publish to the member that gets it (at 2,000 records a
# second, and with all clients publishing), each for that many seconds. The server and its data are gone afterwards,
# however this ends. TMPDIR chooses the disk. FLIN_SERVER names a binary to use instead of building one; FLIN_FLAGS are
# further flags for it (FLIN_FLAGS=-memory).
source "$(dirname "${BASH_SOURCE[0]}")/server.bash"

serve_and_load streamload -clients "${1:-256}" -seconds "${2:-10}" -body "${3:-1024}"
