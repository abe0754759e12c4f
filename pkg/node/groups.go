package node

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/replica"
)

// openGroups opens the group that all engines share, or one for each.
func (p *process) openGroups() error {
	if len(p.engines) == 0 {
		return nil
	}
	if p.Config.Groups != conf.GroupsPerEngine {
		return p.openGroup(p.Group, p.engines...)
	}
	for i, e := range p.engines {
		if err := p.openGroup(p.Engines[i].ID.String()+"-0", e); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) openGroup(name string, engines ...Engine) error {
	cfg := replica.Default()
	cfg.Name = name
	cfg.Dir = filepath.Join(p.Config.Data, "raft", name)
	cfg.NodeID, cfg.ClusterID = p.dir.Stamp.Node, p.dir.Stamp.Cluster
	cfg.Memory = p.Config.Memory
	cfg.Transport = p.mux
	cfg.Advertise = advertised(p.mux.Addr())
	cfg.Log = p.log.Named("raft")
	cfg.OnFault = p.fault
	cfg.Turns = &p.turns
	machines := make([]replica.Machine, len(engines))
	for i, e := range engines {
		machines[i] = e.Machine()
	}
	g, err := replica.Open(cfg, machines...)
	if err != nil {
		return fmt.Errorf("open the raft group %s: %w", name, err)
	}
	p.groups = append(p.groups, g)
	p.reg.MustRegister(g.Collectors()...)
	for _, e := range engines {
		e.Serve(g)
		p.homes = append(p.homes, g)
	}
	return nil
}

// advertised is the address that a group begins with. A node that listens on every address has none yet that others could
// use, and needs none while it is alone.
func advertised(listening net.Addr) string {
	tcp, ok := listening.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return listening.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// ready says why this node should not be sent requests, nil if it should.
func (p *process) ready() error {
	var missing []string
	for _, g := range p.groups {
		if !g.Ready() {
			missing = append(missing, "the raft group "+g.Name()+" has no leader that is ready yet")
		}
	}
	for _, s := range p.bus.served {
		if err := s.Serving(); err != nil {
			missing = append(missing, err.Error())
		}
	}
	for i, e := range p.bus.far {
		switch {
		case e.Ready():
		case !p.bus.conn.Connected():
			missing = append(missing, fmt.Sprintf("the %v engine is expected over the bus, which cannot be reached", p.absent[i]))
		default:
			missing = append(missing, fmt.Sprintf("the %v engine is expected over the bus, and none answers there that leads its group", p.absent[i]))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(missing, "; "))
}
