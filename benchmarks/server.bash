# What the throughput scripts share: a Flin server of its own in a temporary directory, and a program that puts it under
# load. Source it, then call serve_and_load. TMPDIR chooses the disk. FLIN_SERVER names a binary to use instead of
# building one; FLIN_FLAGS are further flags for it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/flin-throughput.XXXXXX")
server=
load=

# end asks a process that this script started to end, waits for it, and kills it when it does not.
end() {
	[[ -n $1 ]] || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	for _ in $(seq 100); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

stop() {
	local code=$?
	trap - EXIT INT TERM HUP
	end "$load"
	end "$server"
	rm -rf "$work"
	exit "$code"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# listening says whether somebody accepts connections on a port of this machine.
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
	local port
	for _ in $(seq 100); do
		port=$((20000 + RANDOM % 12000))
		if ! listening "$port"; then
			echo "$port"
			return
		fi
	done
	echo "no free port was found" >&2
	return 1
}

# serve_and_load builds and starts the server, and runs the program of benchmarks/$1 on it with the further arguments.
serve_and_load() {
	local program=$1 binary=${FLIN_SERVER:-} port http raft code=0
	shift
	if [[ $(stat -f -c %T "$work" 2>/dev/null || true) == tmpfs ]]; then
		echo "note: $work is in memory, where an fsync costs nothing; set TMPDIR to a directory on a disk" >&2
	fi

	cd "$root"
	go build -o "$work/$program" "./benchmarks/$program"
	if [[ -z $binary ]]; then
		binary=$work/flin-server
		go build -o "$binary" ./router
	fi

	port=$(free_port) http=$(free_port) raft=$(free_port)
	# shellcheck disable=SC2086 # FLIN_FLAGS are several words
	"$binary" -node-id=bench -port="127.0.0.1:$port" -http="127.0.0.1:$http" -raft="127.0.0.1:$raft" \
		-data="$work/data" -log-level=warn ${FLIN_FLAGS:-} >"$work/server.log" 2>&1 </dev/null &
	server=$!

	for _ in $(seq 300); do
		listening "$port" && break
		if ! kill -0 "$server" 2>/dev/null; then
			echo "the server ended at its start:" >&2
			cat "$work/server.log" >&2
			exit 1
		fi
		sleep 0.1
	done

	# Not in the foreground: a trap would wait for it.
	"$work/$program" -addr "127.0.0.1:$port" "$@" </dev/null &
	load=$!
	wait "$load" || code=$?
	load=
	if ((code > 0)); then
		echo "the end of the server's log:" >&2
		tail -n 20 "$work/server.log" >&2
		exit 1
	fi
}
