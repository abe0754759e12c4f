module github.com/skshohagmiah/flin/clients/go

go 1.26

replace github.com/skshohagmiah/flin/pkg/wire => ../../pkg/wire

require go.uber.org/goleak v1.3.0 // indirect
