package obs

import "github.com/prometheus/client_golang/prometheus"

// Of is a part of a process, as the names of its metrics begin after flin_.
type Of string

// Gauge returns a metric that goes up and down and is read when it is asked for.
func (o Of) Gauge(name, help string, get func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "flin", Subsystem: string(o), Name: name, Help: help}, get)
}

// Counter returns a metric that only grows and is read when it is asked for; its name ends with _total.
func (o Of) Counter(name, help string, get func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "flin", Subsystem: string(o), Name: name, Help: help},
		func() float64 { return float64(get()) })
}
