#!/usr/bin/env bash
# Starts a Flin server of its own in a temporary directory, puts its queues under load and prints what they reached.
#
#   benchmarks/queue-throughput.sh [clients=256] [seconds=10] [body bytes=1024]
#
# Pushes, pops (each takes a message for good), leases with their acknowledgements, pushes of 100 and leases of 100 with
# their acknowledgement, each for that many seconds, or until the messages that were pushed for it are used up. The
# server and its data are gone afterwards, however this ends. TMPDIR chooses the disk. FLIN_SERVER names a binary to use
# instead of building one; FLIN_FLAGS are further flags for it (FLIN_FLAGS=-memory).
source "$(dirname "${BASH_SOURCE[0]}")/server.bash"

serve_and_load queueload -clients "${1:-256}" -seconds "${2:-10}" -body "${3:-1024}"
