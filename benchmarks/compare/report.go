package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is everything that is told about a run.
type report struct {
	options options
	machine machine
	began   time.Time
	took    time.Duration
	rows    []*row
}

// markdown returns the report as text.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Flin beside its peers\n\n%s", r.machine)
	fmt.Fprintf(&b, "* run: %s, %d rounds, interleaved; %v a short measurement, %v a sustained one; took %v\n",
		r.began.UTC().Format("2006-01-02 15:04 UTC"), r.options.rounds, r.options.seconds, r.options.long, r.took.Round(time.Second))
	fmt.Fprintf(&b, "* load: %d callers in a closed loop, values of %d B of seeded random bytes, %d keys for reads; keys/s, messages/s, records/s or documents/s where no unit is given; client and server share the machine\n\n",
		callers, valueSize, existing)
	if r.options.scale != 1 && r.options.scale != 0 {
		fmt.Fprintf(&b, "**A try with -scale %v: queues, streams and collections were filled to that fraction, so that their rows answer no goal.**\n\n", r.options.scale)
	}
	r.table(&b)
	r.waits(&b)
	r.eachRound(&b)
	r.failures(&b)
	return b.String()
}

// table is the comparison: medians, with the least and the most in brackets. The ratio is that of the medians; its
// brackets hold the ratios of single rounds.
func (r *report) table(b *strings.Builder) {
	b.WriteString("| | Flin | the other | ratio | goal | reached |\n|---|--:|--:|--:|--:|---|\n")
	for _, row := range r.rows {
		flin, peer, ratios := row.values(r.options.rounds)
		if len(flin) == 0 {
			fmt.Fprintf(b, "| %s | failed | %s | | %s | |\n", row.name, spread(peer), row.goal)
			continue
		}
		var ratio float64
		shown := ""
		if len(peer) > 0 && median(peer) > 0 {
			ratio = median(flin) / median(peer)
			shown = fmt.Sprintf("**%.2f** (%s)", ratio, extremes(ratios, func(v float64) string { return fmt.Sprintf("%.2f", v) }))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", row.name, spread(flin), spread(peer), shown, row.goal, row.goal.reached(median(flin), ratio))
	}
}

// values returns what both sides have measured, and the ratio of each round in which both have.
func (r *row) values(rounds int) (flin, peer, ratios []float64) {
	for i := range rounds {
		f, okF := r.flin.probe.figure(i, r.flin.figure)
		p, okP := r.peer.probe.figure(i, r.peer.figure)
		if okF {
			flin = append(flin, f.value)
		}
		if okP {
			peer = append(peer, p.value)
		}
		if okF && okP && p.value > 0 {
			ratios = append(ratios, f.value/p.value)
		}
	}
	return flin, peer, ratios
}

// sources returns the sources of all rows, each once.
func (r *report) sources() (all []source) {
	for _, row := range r.rows {
		for _, s := range []source{row.flin, row.peer} {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// waits lists how long calls took, as the median over the rounds of each round's percentile.
func (r *report) waits(b *strings.Builder) {
	b.WriteString("\n## How long calls took\n\nMedians of each round's percentiles, as the caller saw them.\n\n| | p50 | p99 | longest of all |\n|---|--:|--:|--:|\n")
	for _, s := range r.sources() {
		var p50, p99, most []time.Duration
		for i := range r.options.rounds {
			if f, ok := s.probe.figure(i, s.figure); ok && f.p50 > 0 {
				p50, p99, most = append(p50, f.p50), append(p99, f.p99), append(most, f.max)
			}
		}
		if len(p50) > 0 {
			fmt.Fprintf(b, "| %s (%s) | %s | %s | %s |\n", s.probe.name, s.figure, wait(median(p50)), wait(median(p99)), wait(slices.Max(most)))
		}
	}
}

// eachRound lists every figure as it was measured.
func (r *report) eachRound(b *strings.Builder) {
	b.WriteString("\n## Each round\n\n")
	for _, s := range r.sources() {
		fmt.Fprintf(b, "* %s, %s:", s.probe.name, s.figure)
		for i := range r.options.rounds {
			text := "–"
			if f, ok := s.probe.figure(i, s.figure); ok {
				text = number(f.value)
			}
			b.WriteString(" " + text)
			if i < r.options.rounds-1 {
				b.WriteString(" ·")
			}
		}
		b.WriteString("\n")
	}
}

func (r *report) failures(b *strings.Builder) {
	title := "\n## What failed\n\n"
	var told []*probe
	for _, s := range r.sources() {
		if slices.Contains(told, s.probe) {
			continue
		}
		told = append(told, s.probe)
		for _, err := range s.probe.errs {
			fmt.Fprintf(b, "%s* %s\n", title, strings.ReplaceAll(err.Error(), "\n", " / "))
			title = ""
		}
	}
}

// median returns the middle of what is not empty.
func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

func spread(values []float64) string {
	if len(values) == 0 {
		return "failed"
	}
	return fmt.Sprintf("**%s** (%s)", number(median(values)), extremes(values, number))
}

func extremes(values []float64, text func(float64) string) string {
	return text(slices.Min(values)) + "–" + text(slices.Max(values))
}

// number writes v with as many digits as mean something.
func number(v float64) string {
	switch {
	case v >= 1000:
		s := strconv.FormatInt(int64(v+.5), 10)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func wait(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
