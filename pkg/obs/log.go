// Package obs makes a process observable: its logger, whose level can change while it runs, and its metrics registry.
package obs

import (
	"fmt"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger returns a logger that writes to standard error, and its level, which is an http.Handler as well. level is one
// of debug, info, warn, error; format is console or json. Only what is below a warning is sampled: 100 lines a second
// of one message, then every hundredth.
func NewLogger(level, format string) (*zap.Logger, zap.AtomicLevel, error) {
	atomic, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, atomic, fmt.Errorf("-log-level %q: choose debug, info, warn or error", level)
	}
	cfg := zap.NewProductionConfig()
	cfg.Level = atomic
	cfg.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.DisableStacktrace = true
	cfg.DisableCaller = true
	cfg.Sampling = nil
	switch format {
	case "json":
	case "console":
		cfg.Encoding = "console"
		cfg.EncoderConfig.EncodeLevel = zapcore.CapitalLevelEncoder
	default:
		return nil, atomic, fmt.Errorf("-log-format %q: choose console or json", format)
	}
	log, err := cfg.Build(zap.WrapCore(sampleBelowWarnings))
	if err != nil {
		return nil, atomic, fmt.Errorf("open the log: %w", err)
	}
	return log, atomic, nil
}

// NewRegistry returns a registry with the process's own metrics: memory, goroutines, file descriptors, version.
func NewRegistry(program, version string) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "flin_build_info",
		Help:        "Always 1; its labels say what is running.",
		ConstLabels: prometheus.Labels{"program": program, "version": version, "go": runtime.Version()},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
