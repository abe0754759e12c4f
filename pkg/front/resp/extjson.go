package resp

import "github.com/skshohagmiah/flin/pkg/extjson"

// appendJSONDoc appends a document as a bulk string.
func appendJSONDoc(b, doc []byte) ([]byte, error) {
	text, err := extjson.AppendDocument(nil, doc)
	if err != nil {
		return b, err
	}
	return appendBulk(b, text), nil
}

// appendJSONDocs appends the documents that lie behind each other, each as a bulk string, and returns how many there are.
func appendJSONDocs(b, docs []byte) (_ []byte, n int, err error) {
	for ; len(docs) > 0; n++ {
		var doc []byte
		if doc, docs, err = extjson.Next(docs); err != nil {
			return b, n, err
		}
		if b, err = appendJSONDoc(b, doc); err != nil {
			return b, n, err
		}
	}
	return b, n, nil
}

// appendJSONValue appends a value, the byte of its type and its bytes, as a bulk string.
func appendJSONValue(b, v []byte) ([]byte, error) {
	text, err := extjson.AppendValue(nil, v)
	if err != nil {
		return b, err
	}
	return appendBulk(b, text), nil
}
