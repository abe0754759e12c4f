package obs

import (
	"time"

	"go.uber.org/zap/zapcore"
)

// splitCore samples what is below a warning and lets the rest through: a fault repeated a thousand times is still wanted.
type splitCore struct {
	zapcore.Core // everything
	sampled      zapcore.Core
}

func sampleBelowWarnings(core zapcore.Core) zapcore.Core {
	return &splitCore{Core: core, sampled: zapcore.NewSamplerWithOptions(core, time.Second, 100, 100)}
}

// With returns a core that adds fields to every line.
func (c *splitCore) With(fields []zapcore.Field) zapcore.Core {
	return &splitCore{Core: c.Core.With(fields), sampled: c.sampled.With(fields)}
}

// Check decides whether the line is written.
func (c *splitCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level < zapcore.WarnLevel {
		return c.sampled.Check(e, ce)
	}
	return c.Core.Check(e, ce)
}
