package wire

// AppendLimit makes the payload of a command that an engine gives itself: how many things it may do. What it does is bounded
// besides by what its engine lets one command do (TakeLimit), so that none holds the log for long.
func AppendLimit(b []byte, n int) []byte { return AppendUvarint(b, uint64(n)) }

// TakeLimit reads a payload of AppendLimit: a number from 1 to most.
func TakeLimit(body []byte, most int) (int, error) {
	r := NewReader(body)
	n := r.Uvarint()
	if err := r.Close(); err != nil {
		return 0, err
	}
	return int(min(max(n, 1), uint64(most))), nil
}
