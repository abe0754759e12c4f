module github.com/skshohagmiah/flin/pkg

go 1.26

replace github.com/skshohagmiah/flin/pkg/wire => ./wire

require github.com/skshohagmiah/flin/pkg/wire v0.0.0-00010101000000-000000000000
