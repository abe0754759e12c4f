module github.com/skshohagmiah/flin/pkg/wire

go 1.26.0
