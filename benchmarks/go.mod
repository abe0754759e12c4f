module github.com/skshohagmiah/flin/benchmarks

go 1.26.0

require (
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats.go v1.55.0
	github.com/redis/go-redis/v9 v9.23.0
	github.com/redis/rueidis v1.0.79
	github.com/skshohagmiah/flin/clients/go v0.0.0-00010101000000-000000000000
	github.com/skshohagmiah/flin/pkg v0.0.0-00010101000000-000000000000
	go.mongodb.org/mongo-driver/v2 v2.10.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/nats-io/nkeys v0.4.16 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/skshohagmiah/flin/pkg/record v0.0.0-00010101000000-000000000000 // indirect
	github.com/skshohagmiah/flin/pkg/wire v0.0.0-00010101000000-000000000000 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/skshohagmiah/flin/clients/go => ../clients/go
	github.com/skshohagmiah/flin/kvd => ../kvd
	github.com/skshohagmiah/flin/pkg => ../pkg
	github.com/skshohagmiah/flin/pkg/record => ../pkg/record
	github.com/skshohagmiah/flin/pkg/wire => ../pkg/wire
)
