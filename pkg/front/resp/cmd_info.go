package resp

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// infoSection is a part of INFO.
type infoSection struct {
	name  string // in lower case
	extra bool   // only said when asked for
	write func(*conn, *bytes.Buffer)
}

func infoSections() []infoSection {
	return []infoSection{
		{"server", false, (*conn).infoServer},
		{"clients", false, (*conn).infoClients},
		{"memory", false, (*conn).infoMemory},
		{"persistence", false, (*conn).infoPersistence},
		{"stats", false, (*conn).infoStats},
		{"replication", false, (*conn).infoReplication},
		{"cpu", false, (*conn).infoCPU},
		{"modules", false, func(*conn, *bytes.Buffer) {}},
		{"commandstats", true, (*conn).infoCommands},
		{"errorstats", false, (*conn).infoErrors},
		{"cluster", false, func(_ *conn, w *bytes.Buffer) { w.WriteString("cluster_enabled:0\r\n") }},
		{"keyspace", false, (*conn).infoKeyspace},
	}
}

func cmdInfo(c *conn, args [][]byte) {
	wanted := make(map[string]bool)
	all, usual := false, len(args) == 1
	for _, a := range args[1:] {
		switch name := strings.ToLower(string(a)); name {
		case "all", "everything":
			all = true
		case "default":
			usual = true
		default:
			wanted[name] = true
		}
	}
	further := c.furtherInfo()
	var w bytes.Buffer
	for _, s := range infoSections() {
		if !all && !wanted[s.name] && (!usual || s.extra) {
			continue
		}
		heading(&w, s.name)
		s.write(c, &w)
		w.WriteString(further[s.name])
		delete(further, s.name)
		if c.over != nil {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(further)) {
		if all || usual || wanted[name] {
			heading(&w, name)
			w.WriteString(further[name])
		}
	}
	c.end(appendVerbatim(c.begin(), w.String(), c.resp3))
}

func heading(w *bytes.Buffer, section string) {
	if w.Len() > 0 {
		w.WriteString("\r\n")
	}
	if section == "cpu" {
		section = "CPU"
	}
	fmt.Fprintf(w, "# %s%s\r\n", strings.ToUpper(section[:1]), section[1:])
}

// furtherInfo returns the lines that the program adds, by section.
func (c *conn) furtherInfo() map[string]string {
	lines := make(map[string]string)
	if c.s.cfg.Info == nil {
		return lines
	}
	for _, f := range c.s.cfg.Info() {
		if f.Section != "" {
			lines[f.Section] += f.Name + ":" + f.Value + "\r\n"
		}
	}
	return lines
}

func (c *conn) infoServer(w *bytes.Buffer) {
	s := c.s
	up := int64(time.Since(s.started).Seconds())
	port := ""
	if a := c.link.NetConn().LocalAddr(); a != nil {
		if i := strings.LastIndexByte(a.String(), ':'); i >= 0 {
			port = a.String()[i+1:]
		}
	}
	exe, _ := os.Executable() // only to be shown
	fmt.Fprintf(w, "redis_version:%s\r\nflin_version:%s\r\nflin_node:%s\r\nredis_mode:standalone\r\nos:%s\r\n"+
		"arch_bits:%d\r\nmonotonic_clock:POSIX clock_gettime\r\nmultiplexing_api:epoll\r\ngo_version:%s\r\nprocess_id:%d\r\n"+
		"run_id:%s\r\ntcp_port:%s\r\nserver_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\nexecutable:%s\r\n"+
		"config_file:\r\n",
		redisVersion, s.cfg.Version, s.cfg.Node, runtime.GOOS+" "+runtime.GOARCH, strconv.IntSize, runtime.Version(),
		os.Getpid(), s.runID, port, time.Now().UnixMicro(), up, up/86400, exe)
}

func (c *conn) infoClients(w *bytes.Buffer) {
	t := c.s.tracker
	t.mu.Lock()
	tracking := len(t.members)
	t.mu.Unlock()
	fmt.Fprintf(w, "connected_clients:%d\r\ncluster_connections:0\r\nmaxclients:%s\r\nblocked_clients:%d\r\n"+
		"tracking_clients:%d\r\n", c.s.clients.len(), c.s.params.values["maxclients"], c.s.stats.blocked.Load(), tracking)
}

func (c *conn) infoMemory(w *bytes.Buffer) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "used_memory:%d\r\nused_memory_human:%s\r\nused_memory_rss:%d\r\nused_memory_rss_human:%s\r\n"+
		"used_memory_peak:%d\r\nused_memory_peak_human:%s\r\nmaxmemory:%s\r\nmaxmemory_policy:noeviction\r\n"+
		"mem_allocator:go\r\n",
		m.HeapAlloc, human(m.HeapAlloc), m.Sys-m.HeapReleased, human(m.Sys-m.HeapReleased), m.HeapSys, human(m.HeapSys),
		c.s.params.values["maxmemory"])
}

// human is a size as INFO shows it to people.
func human(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%dB", n)
	case n < 1<<20:
		return fmt.Sprintf("%.2fK", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.2fM", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2fG", float64(n)/(1<<30))
}

func (c *conn) infoPersistence(w *bytes.Buffer) {
	w.WriteString("loading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:0\r\n" +
		"rdb_last_bgsave_status:ok\r\naof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_last_write_status:ok\r\n")
}

func (c *conn) infoStats(w *bytes.Buffer) {
	s := &c.s.stats
	hits, misses := s.keyspace()
	_, failures := s.failures()
	fmt.Fprintf(w, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\nkeyspace_hits:%d\r\n"+
		"keyspace_misses:%d\r\nevicted_keys:0\r\npubsub_channels:0\r\npubsub_patterns:0\r\ntracking_total_keys:%d\r\n"+
		"tracking_total_items:%d\r\ntotal_error_replies:%d\r\n",
		s.accepted.Load(), s.processed()+c.counted.n, hits, misses, c.s.tracker.table.size.Load(),
		c.s.tracker.table.size.Load(), failures)
}

func (c *conn) infoReplication(w *bytes.Buffer) {
	fmt.Fprintf(w, "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\nmaster_replid:%s\r\n"+
		"master_repl_offset:0\r\n", c.s.runID)
}

func (c *conn) infoCPU(w *bytes.Buffer) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return
	}
	fmt.Fprintf(w, "used_cpu_sys:%d.%06d\r\nused_cpu_user:%d.%06d\r\n", u.Stime.Sec, u.Stime.Usec, u.Utime.Sec,
		u.Utime.Usec)
}

func (c *conn) infoCommands(w *bytes.Buffer) {
	for _, cmd := range c.s.commands.all {
		if n := c.s.stats.calls[cmd.index].Load(); n > 0 {
			fmt.Fprintf(w, "cmdstat_%s:calls=%d\r\n", cmd.full, n)
		}
	}
}

func (c *conn) infoErrors(w *bytes.Buffer) {
	kinds, _ := c.s.stats.failures()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(w, "errorstat_%s:count=%d\r\n", kind, kinds[kind])
	}
}

// infoKeyspace asks the engine how many keys each database has.
func (c *conn) infoKeyspace(w *bytes.Buffer) {
	resp, ok := c.call(wire.OpKVStats, nil)
	if !ok || resp.Code != wire.OK {
		return
	}
	figures := make(map[string]string)
	for line := range strings.Lines(string(resp.Body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		figures[strings.Replace(name, ".", "_", 1)] = value
	}
	for db := range wire.KVDatabases {
		name := "db" + itoa(db)
		if keys := figures[name+"_keys"]; keys != "" && keys != "0" {
			expires := figures[name+"_expires"]
			if expires == "" {
				expires = "0"
			}
			fmt.Fprintf(w, "%s:keys=%s,expires=%s,avg_ttl=0\r\n", name, keys, expires)
		}
	}
}
