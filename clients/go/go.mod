module github.com/skshohagmiah/flin/clients/go

go 1.26.0

require (
	github.com/skshohagmiah/flin/pkg/record v0.0.0-00010101000000-000000000000
	github.com/skshohagmiah/flin/pkg/wire v0.0.0-00010101000000-000000000000
	go.mongodb.org/mongo-driver/v2 v2.10.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
)

replace (
	github.com/skshohagmiah/flin/pkg/record => ../../pkg/record
	github.com/skshohagmiah/flin/pkg/wire => ../../pkg/wire
)
