module github.com/skshohagmiah/flin/pkg

go 1.26

replace (
	github.com/skshohagmiah/flin/pkg/wire => ./wire
)
