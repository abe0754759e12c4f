module github.com/skshohagmiah/flin/pkg/record

go 1.26.0

replace github.com/skshohagmiah/flin/pkg/wire => ../wire

require (
	github.com/google/go-cmp v0.7.0
	github.com/klauspost/compress v1.20.3
	github.com/pierrec/lz4/v4 v4.1.33
	github.com/skshohagmiah/flin/pkg/wire v0.0.0-00010101000000-000000000000
	github.com/twmb/franz-go v1.22.2
	github.com/twmb/franz-go/pkg/kmsg v1.15.0
)
