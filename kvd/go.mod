module github.com/skshohagmiah/flin/kvd

go 1.26

replace (
	github.com/skshohagmiah/flin/pkg => ../pkg
	github.com/skshohagmiah/flin/pkg/wire => ../pkg/wire
)
