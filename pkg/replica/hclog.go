package replica

import (
	"fmt"
	"io"
	"log"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// hclogAdapter lets Raft and raft-wal, which know hclog, write to zap, one level lower than they mean it: an election is a
// warning to Raft and no news to an operator, and what ends the process is reported as a fault by this package.
type hclogAdapter struct {
	log   *zap.Logger
	quiet bool // everything is debug
	name  string
	args  []any
}

// newHclog returns the adapter. A quiet one writes at debug level only, for the transport, to which each connection that a
// stopping node closes is an error.
func newHclog(l *zap.Logger, quiet bool) hclog.Logger {
	return &hclogAdapter{log: l.WithOptions(zap.AddCallerSkip(2)), quiet: quiet}
}

// level returns what a level of hclog is in zap.
func (h *hclogAdapter) level(l hclog.Level) zapcore.Level {
	switch {
	case h.quiet:
		return zapcore.DebugLevel
	case l == hclog.Error:
		return zapcore.WarnLevel
	case l == hclog.Warn:
		return zapcore.InfoLevel
	default:
		return zapcore.DebugLevel
	}
}

func (h *hclogAdapter) write(l hclog.Level, msg string, args []any) {
	e := h.log.Check(h.level(l), msg)
	if e == nil {
		return
	}
	all := append(append([]any(nil), h.args...), args...)
	fields := make([]zap.Field, 0, (len(all)+1)/2)
	for i := 0; i+1 < len(all); i += 2 {
		key := fmt.Sprint(all[i])
		if f, ok := all[i+1].(hclog.Format); ok && len(f) > 0 {
			fields = append(fields, zap.String(key, fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)))
			continue
		}
		fields = append(fields, zap.Any(key, all[i+1]))
	}
	e.Write(fields...)
}

func (h *hclogAdapter) on(l hclog.Level) bool { return h.log.Core().Enabled(h.level(l)) }

// Log writes at the given level.
func (h *hclogAdapter) Log(l hclog.Level, msg string, args ...any) { h.write(l, msg, args) }

// Trace writes at debug level.
func (h *hclogAdapter) Trace(msg string, args ...any) { h.write(hclog.Trace, msg, args) }

// Debug writes at debug level.
func (h *hclogAdapter) Debug(msg string, args ...any) { h.write(hclog.Debug, msg, args) }

// Info writes at debug level.
func (h *hclogAdapter) Info(msg string, args ...any) { h.write(hclog.Info, msg, args) }

// Warn writes at information level.
func (h *hclogAdapter) Warn(msg string, args ...any) { h.write(hclog.Warn, msg, args) }

// Error writes at warning level.
func (h *hclogAdapter) Error(msg string, args ...any) { h.write(hclog.Error, msg, args) }

// IsTrace reports whether Trace writes anything.
func (h *hclogAdapter) IsTrace() bool { return h.on(hclog.Trace) }

// IsDebug reports whether Debug writes anything.
func (h *hclogAdapter) IsDebug() bool { return h.on(hclog.Debug) }

// IsInfo reports whether Info writes anything.
func (h *hclogAdapter) IsInfo() bool { return h.on(hclog.Info) }

// IsWarn reports whether Warn writes anything.
func (h *hclogAdapter) IsWarn() bool { return h.on(hclog.Warn) }

// IsError reports whether Error writes anything.
func (h *hclogAdapter) IsError() bool { return h.on(hclog.Error) }

// ImpliedArgs returns what With has added.
func (h *hclogAdapter) ImpliedArgs() []any { return h.args }

// With returns a logger that adds args to each line.
func (h *hclogAdapter) With(args ...any) hclog.Logger {
	return &hclogAdapter{log: h.log, quiet: h.quiet, name: h.name, args: append(append([]any(nil), h.args...), args...)}
}

// Name returns the logger's name.
func (h *hclogAdapter) Name() string { return h.name }

// Named returns a logger with name appended to this one's.
func (h *hclogAdapter) Named(name string) hclog.Logger {
	return &hclogAdapter{log: h.log.Named(name), quiet: h.quiet, name: name, args: h.args}
}

// ResetNamed is Named: zap does not forget names.
func (h *hclogAdapter) ResetNamed(name string) hclog.Logger { return h.Named(name) }

// SetLevel does nothing: zap's level rules.
func (h *hclogAdapter) SetLevel(hclog.Level) {}

// GetLevel returns the lowest level that is written.
func (h *hclogAdapter) GetLevel() hclog.Level {
	for _, l := range []hclog.Level{hclog.Debug, hclog.Warn, hclog.Error} {
		if h.on(l) {
			return l
		}
	}
	return hclog.Off
}

// StandardLogger returns a standard logger that writes at debug level.
func (h *hclogAdapter) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return zap.NewStdLog(h.log)
}

// StandardWriter returns the writer of StandardLogger.
func (h *hclogAdapter) StandardWriter(o *hclog.StandardLoggerOptions) io.Writer {
	return h.StandardLogger(o).Writer()
}
