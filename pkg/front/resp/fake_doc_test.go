package resp

import (
	"fmt"
	"regexp"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var anObjectID = regexp.MustCompile(`"[0-9a-f]{24}"`)

// show renders a document in JSON, without the digits of ObjectIDs; nothing as a dash.
func show(doc []byte) string {
	if len(doc) == 0 {
		return "-"
	}
	text, err := bson.MarshalExtJSON(bson.Raw(doc), false, false)
	if err != nil {
		return err.Error()
	}
	return anObjectID.ReplaceAllString(string(text), `"…"`)
}

// decodeDoc renders a request about documents as a test wants to read it.
func decodeDoc(req *wire.Request) (text string, err error) {
	switch req.Op {
	case wire.OpDocInsert:
		var m wire.DocInsert
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s.%s %d", m.Name.DB, m.Name.Coll, m.Flags)
		for _, doc := range m.Docs {
			text += " " + show(doc)
		}
	case wire.OpDocFind, wire.OpDocCount:
		text, err = decodeFind(req.Body)
	case wire.OpDocExplain:
		var m wire.DocExplain
		if err = m.Decode(req.Body); err == nil {
			text, err = decodeFind(m.Body)
			text = fmt.Sprintf("%v %v %s", m.Op, m.Execute, text)
		}
	case wire.OpDocAggregate:
		var m wire.DocAggregate
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s.%s %s %d", m.Name.DB, m.Name.Coll, show(bsoncore.BuildDocument(nil, bsoncore.AppendArrayElement(nil, "p", m.Pipeline))), m.Batch)
	case wire.OpDocMore:
		var m wire.DocMore
		err = m.Decode(req.Body)
		text = fmt.Sprint(m.Cursor, m.Batch)
	case wire.OpDocKill:
		var m wire.DocKill
		err = m.Decode(req.Body)
		text = fmt.Sprint(m.Cursors)
	case wire.OpDocUpdate, wire.OpDocDelete:
		var m wire.DocUpdate
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s.%s %d %s %s", m.Name.DB, m.Name.Coll, m.Flags, show(m.Filter), show(m.Update))
	case wire.OpDocIndex:
		var m wire.DocIndex
		err = m.Decode(req.Body)
		s := &m.Spec
		text = fmt.Sprintf("%s.%s %q [", m.Name.DB, m.Name.Coll, s.Name)
		for _, f := range s.Fields {
			text += fmt.Sprintf("{%s %v}", f.Path, f.Desc)
		}
		text += fmt.Sprintf("] %d %d %s", s.Flags, s.TTL, show(s.Partial))
	case wire.OpDocDropIndex:
		var m wire.DocDropIndex
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s.%s %s", m.Name.DB, m.Name.Coll, m.Index)
	case wire.OpDocCollections:
		var m wire.DocList
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s.%s %d", m.DB, m.After.DB, m.After.Coll, m.Limit)
	default:
		var m wire.DocName
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s.%s", m.DB, m.Coll)
	}
	return text, err
}

func decodeFind(body []byte) (string, error) {
	var m wire.DocFind
	err := m.Decode(body)
	return fmt.Sprintf("%s.%s %s %s %s %d %d %d", m.Name.DB, m.Name.Coll, show(m.Filter), show(m.Sort), show(m.Project), m.Skip, m.Limit, m.Batch), err
}
