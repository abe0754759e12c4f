package agg

import (
	"iter"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	// DefaultMemoryLimit is how many bytes a pipeline may hold if Env does not say.
	DefaultMemoryLimit = 100 << 20

	maxStages = 1000
	maxDepth  = 100 // names in a path that a stage makes

	codeStages    = 7749501
	codeStageForm = 40323
)

// Docs is a stream of documents. A document is valid until the next one is asked for. Behind an error comes nothing.
type Docs = iter.Seq2[bsoncore.Document, error]

// Env is what a pipeline needs of its surroundings.
type Env struct {
	// Lookup reads another collection, for $lookup.
	Lookup func(coll string) Docs
	// MemoryLimit is how many bytes all stages together may hold; 0 is DefaultMemoryLimit.
	MemoryLimit int
	// Used is where they count them, if somebody wants to know: it changes only while the stream is read. It counts what stages hold
	// of documents that have come, not the document that they are making.
	Used *int
}

// Pipeline is a compiled pipeline. It never changes, so it may run any number of times at once. It keeps the bytes that it
// was compiled from.
type Pipeline struct {
	stages []stage
	match  *filter.Filter
	sort   *project.Sort
	limit  int64
	taken  int // stages that match and sort stand for
}

// stage is one step. run makes a stream of a stream, each time with a state of its own.
type stage interface {
	run(env *Env, src Docs) Docs
}

// Compile compiles the stages of a pipeline. What is wrong with them is a *value.Error.
func Compile(pipeline []bsoncore.Document) (*Pipeline, error) {
	if len(pipeline) > maxStages {
		return nil, value.Errorf(codeStages, "Pipeline length must be no longer than %d stages, and this has %d", maxStages, len(pipeline))
	}
	p := &Pipeline{}
	var matches []bsoncore.Document
	var budget filter.Budget // of the filters of all stages together
	for _, doc := range pipeline {
		if err := value.Valid(doc); err != nil {
			return nil, err
		}
		if err := budget.Take(value.OfDocument(doc)); err != nil {
			return nil, err
		}
		r := value.Read(doc)
		if !r.Next() {
			return nil, value.Errorf(codeStageForm, "A pipeline stage specification object must contain exactly one field.")
		}
		name, operand := string(r.Name), r.Value
		if r.Next() {
			return nil, value.Errorf(codeStageForm, "A pipeline stage specification object must contain exactly one field.")
		}
		compile, ok := stages[name]
		if !ok {
			return nil, value.Errorf(value.UnknownStage, "Unrecognized pipeline stage name: '%s'", name)
		}
		made, err := compile(name, operand)
		if err != nil {
			return nil, err
		}
		if name == "$match" && len(matches) == len(p.stages) {
			matches = append(matches, operand.Data)
		}
		p.stages = append(p.stages, made...)
	}
	p.boundSorts()
	return p, p.findHead(matches)
}

// stages has a function for each stage, which compiles its operand. Some stages are short for several.
var stages = map[string]func(name string, v bsoncore.Value) ([]stage, error){
	"$match":       compileMatch,
	"$project":     compileProject,
	"$addFields":   compileAddFields,
	"$set":         compileAddFields,
	"$unset":       compileUnset,
	"$group":       compileGroup,
	"$sort":        compileSort,
	"$limit":       compileLimit,
	"$skip":        compileSkip,
	"$unwind":      compileUnwind,
	"$count":       compileCount,
	"$lookup":      compileLookup,
	"$replaceRoot": compileReplaceRoot,
	"$replaceWith": compileReplaceWith,
	"$sortByCount": compileSortByCount,
}

// boundSorts tells each $sort how many documents the stages behind it let through.
func (p *Pipeline) boundSorts() {
	for i, s := range p.stages {
		if s, ok := s.(*sorter); ok {
			s.limit = p.limitAt(i + 1)
		}
	}
}

// limitAt is how many documents a $limit at stage i, or behind $skips there, needs; 0 if there is none.
func (p *Pipeline) limitAt(i int) int64 {
	skipped := int64(0)
	for _, s := range p.stages[i:] {
		switch s := s.(type) {
		case skip:
			if skipped += int64(s); skipped < 0 {
				return 0
			}
		case limit:
			return max(0, skipped+int64(s))
		default:
			return 0
		}
	}
	return 0
}

// findHead finds what a planner can do better.
func (p *Pipeline) findHead(matches []bsoncore.Document) (err error) {
	switch len(matches) {
	case 0:
	case 1:
		p.match = p.stages[0].(match).filter
	default:
		at, all := value.Begin(nil)
		all = append(append(all, byte(value.Array)), "$and\x00"...)
		list, all := value.Begin(all)
		for i, m := range matches {
			all = append(value.AppendIndexName(append(all, byte(value.Document)), i), 0)
			all = append(all, m...)
		}
		if p.match, err = filter.Compile(value.End(value.End(all, list), at)); err != nil {
			return err
		}
	}
	p.taken = len(matches)
	if p.taken < len(p.stages) {
		if s, ok := p.stages[p.taken].(*sorter); ok {
			p.sort = s.by
			p.taken++
		}
	}
	p.limit = p.limitAt(p.taken)
	return nil
}

// Head returns what a planner can take over: the filter that the documents must match at first, nil if there is none; the
// order that they are then brought into, nil if it does not matter; and how many of them are needed at most, 0 if all.
func (p *Pipeline) Head() (match *filter.Filter, sort *project.Sort, limit int64) {
	return p.match, p.sort, p.limit
}

// Rest is the pipeline without the filter and the order of Head, for documents that already come so.
func (p *Pipeline) Rest() *Pipeline { return &Pipeline{stages: p.stages[p.taken:]} }

// Run runs the pipeline over src. Each document that it yields is valid until the next. An error ends the stream.
func (p *Pipeline) Run(src Docs, env Env) Docs {
	if env.MemoryLimit == 0 {
		env.MemoryLimit = DefaultMemoryLimit
	}
	if env.Used == nil {
		env.Used = new(int)
	}
	for _, s := range p.stages {
		src = s.run(&env, src)
	}
	return src
}

// each is a stream of what fn makes of each document; nothing where keep is false.
func each(src Docs, fn func(doc bsoncore.Document) (out bsoncore.Document, keep bool, err error)) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		for doc, err := range src {
			keep := false
			if err == nil {
				doc, keep, err = fn(doc)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if keep && !yield(doc, nil) {
				return
			}
		}
	}
}

// budget is what a stage holds of the memory that its pipeline may.
type budget struct {
	stage string
	limit int  // of the pipeline
	total *int // what all its stages hold
	used  int  // what this one does
}

func (e *Env) budget(stage string) budget {
	return budget{stage: stage, limit: e.MemoryLimit, total: e.Used}
}

func (b *budget) take(bytes int) error {
	b.used += bytes
	if *b.total += bytes; *b.total <= b.limit {
		return nil
	}
	return value.Errorf(value.MemoryLimit, "Exceeded memory limit for %s: with it the pipeline would hold over %d bytes; let $match, $project or $limit before it leave less, or use an index", b.stage, b.limit)
}

// give tells that the stage holds so much less.
func (b *budget) give(bytes int) {
	b.used -= bytes
	*b.total -= bytes
}

// end tells that the stage holds nothing any more: those behind it go on.
func (b *budget) end() { b.give(b.used) }

// checkSize refuses a document that no reader could get.
func checkSize(stage string, doc bsoncore.Document) error {
	if len(doc) <= value.MaxSize {
		return nil
	}
	return value.Errorf(value.BSONObjectTooLarge, "%s makes a document of %d bytes, over the limit of %d: make smaller ones", stage, len(doc), value.MaxSize)
}
