package front

import (
	"net"

	"github.com/skshohagmiah/flin/pkg/obs"
)

// Rejection is the event that tells of a client that was not served, or not any longer.
type Rejection struct {
	Peer     string `json:"peer"`
	Protocol string `json:"protocol,omitempty"` // as far as it is known
	Reason   string `json:"reason"`             // as the metrics name it; unknown: the protocol was not recognised
}

// refused counts a connection that is closed because of reason, and tells of it.
func (f *Front) refused(nc net.Conn, v Verdict, reason string) {
	f.metrics.refused.WithLabelValues(reason).Inc()
	f.tell(nc, v, reason)
}

// tell tells of a rejected connection. v is NeedMore if its protocol is not known.
func (f *Front) tell(nc net.Conn, v Verdict, reason string) {
	r := Rejection{Peer: nc.RemoteAddr().String(), Reason: reason}
	if v != NeedMore && v != Unknown {
		r.Protocol = v.String()
	}
	f.cfg.Events.Emit(obs.EventRejected, r)
}
