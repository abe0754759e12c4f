package obs

import "github.com/prometheus/client_golang/prometheus"

// Moment is a collector whose figures are all of one moment: each time it is asked it takes one T and reads them from that.
type Moment[T any] struct {
	prefix  string
	labels  prometheus.Labels
	take    func() T
	figures []figure[T]
}

// figure is a figure of a Moment.
type figure[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*T) float64
}

// NewMoment returns a collector without figures. Their names begin with prefix; labels, which may be nil, are on all of them.
func NewMoment[T any](prefix string, labels prometheus.Labels, take func() T) *Moment[T] {
	return &Moment[T]{prefix: prefix, labels: labels, take: take}
}

// Gauge adds a figure that goes up and down.
func (m *Moment[T]) Gauge(name, help string, get func(*T) float64) {
	m.add(prometheus.GaugeValue, name, help, get)
}

// Counter adds a figure that only grows; its name ends with _total.
func (m *Moment[T]) Counter(name, help string, get func(*T) float64) {
	m.add(prometheus.CounterValue, name, help, get)
}

func (m *Moment[T]) add(kind prometheus.ValueType, name, help string, get func(*T) float64) {
	m.figures = append(m.figures, figure[T]{prometheus.NewDesc(m.prefix+name, help, nil, m.labels), kind, get})
}

// Describe names the figures.
func (m *Moment[T]) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range m.figures {
		ch <- f.desc
	}
}

// Collect reads them.
func (m *Moment[T]) Collect(ch chan<- prometheus.Metric) {
	t := m.take()
	for _, f := range m.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.get(&t))
	}
}
