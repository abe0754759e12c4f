module github.com/skshohagmiah/flin/clients/go

go 1.26.0

require (
	github.com/skshohagmiah/flin/pkg/wire v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
)

replace github.com/skshohagmiah/flin/pkg/wire => ../../pkg/wire
