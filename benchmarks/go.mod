module github.com/skshohagmiah/flin/benchmarks

go 1.26

replace (
	github.com/skshohagmiah/flin/pkg => ../pkg
	github.com/skshohagmiah/flin/pkg/wire => ../pkg/wire
	github.com/skshohagmiah/flin/kvd => ../kvd
	github.com/skshohagmiah/flin/clients/go => ../clients/go
)
