package resp

// docCommands are the rows of the commands on documents. Names of collections are no keys, and what happens to documents is no part
// of transactions on keys. All take DB name; documents are said in relaxed Extended JSON.
func docCommands() []command {
	return []command{
		{
			name: "doc.aggregate", arity: -3, flags: isRead | alone | noTxn,
			group: "document", since: "1.0.0",
			summary: "Run a pipeline over the documents of a collection. DOC.AGGREGATE collection pipeline [DB name]",
			run:     cmdDocAggregate,
		},
		{
			name: "doc.collections", arity: -1, flags: isRead | alone | noTxn,
			group: "document", since: "1.0.0",
			summary: "Name the collections. DOC.COLLECTIONS [DB name]",
			run:     cmdDocCollections,
		},
		{
			name: "doc.count", arity: -3, flags: isRead | noTxn,
			group: "document", since: "1.0.0",
			summary: "Count the documents that match. DOC.COUNT collection filter [SKIP n] [LIMIT n] [DB name]",
			run:     cmdDocCount,
		},
		{
			name: "doc.delete", arity: -3, flags: isWrite | noTxn,
			group: "document", since: "1.0.0",
			summary: "Delete the documents that match, or the first. DOC.DELETE collection filter [ONE] [DB name]",
			run:     cmdDocDelete,
		},
		{
			name: "doc.drop", arity: -2, flags: isWrite | noTxn,
			group: "document", since: "1.0.0",
			summary: "Remove a collection with its documents and indexes. DOC.DROP collection [DB name]",
			run:     cmdDocDrop,
		},
		{
			name: "doc.dropindex", arity: -3, flags: isWrite | noTxn,
			group: "document", since: "1.0.0",
			summary: "Remove an index, or with * all. DOC.DROPINDEX collection name [DB name]",
			run:     cmdDocDropindex,
		},
		{
			name: "doc.explain", arity: -3, flags: isRead | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "document", since: "1.0.0",
			summary: "Show which indexes a find uses, and how much it looks at. DOC.EXPLAIN collection filter [SORT json] [SKIP n] [LIMIT n] [FIELDS json] [DB name]",
			run:     cmdDocExplain,
		},
		{
			name: "doc.find", arity: -3, flags: isRead | noTxn,
			group: "document", since: "1.0.0",
			summary: "Show the documents that match. DOC.FIND collection filter [SORT json] [SKIP n] [LIMIT n] [FIELDS json] [DB name]",
			run:     cmdDocFind,
		},
		{
			name: "doc.index", arity: -3, flags: isWrite | denyOOM | isBlocking | noTxn,
			group: "document", since: "1.0.0",
			summary: "Make an index, and wait until it is built. DOC.INDEX collection keys [UNIQUE] [SPARSE] [TTL seconds] [PARTIAL filter] [NAME name] [DB name]",
			run:     cmdDocIndex,
		},
		{
			name: "doc.indexes", arity: -2, flags: isRead | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "document", since: "1.0.0",
			summary: "Show the indexes of a collection. DOC.INDEXES collection [DB name]",
			run:     cmdDocIndexes,
		},
		{
			name: "doc.insert", arity: -3, flags: isWrite | denyOOM | noTxn,
			group: "document", since: "1.0.0",
			summary: "Put documents into a collection, up to the first that cannot be. DOC.INSERT collection document [document ...] [DB name]",
			run:     cmdDocInsert,
		},
		{
			name: "doc.update", arity: -4, flags: isWrite | denyOOM | noTxn,
			group: "document", since: "1.0.0",
			summary: "Change the documents that match, or the first. DOC.UPDATE collection filter update [ONE] [UPSERT] [DB name]",
			run:     cmdDocUpdate,
		},
	}
}
