package agg

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeProjectObject   = 15969
	codeProjectEmpty    = 51272
	codeEmptyBelow      = 51270
	codeExprInExclusion = 31252
	codeAddObject       = 40272
	codeUnsetEmpty      = 31119
	codeUnsetType       = 31120
	codeUnsetForm       = 31002
)

// shapeParser builds a shape from the operand of $project or $addFields.
type shapeParser struct {
	stage   string
	adding  bool
	decided bool // mode is that of a field other than _id
	mode    mode
	root    *shape
}

func compileProject(name string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeProjectObject, "$project specification must be an object")
	}
	p := &shapeParser{stage: name, root: &shape{}}
	if err := p.fields(v, nil); err != nil {
		return nil, err
	}
	if !p.root.nested() {
		return nil, value.Errorf(codeProjectEmpty, "Invalid $project :: caused by :: projection specification must have at least one field")
	}
	p.settleID()
	p.root.finish()
	return []stage{&shaped{name, p.mode, p.root}}, nil
}

// settleID gives _id its place: it is included unless it is said not to be.
func (p *shapeParser) settleID() {
	at := find(p.root, "_id")
	switch {
	case at < 0 && p.mode == including:
		p.root.append(&shape{name: "_id", leaf: true})
	case at < 0 || p.root.children[at].nested():
	case !p.decided && p.root.children[at].drop:
		p.mode = excluding // of _id alone
	case p.mode == excluding && p.root.children[at].leaf:
		p.root.children = slices.Delete(p.root.children, at, at+1)
	}
}

func compileAddFields(name string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeAddObject, "%s specification stage must be an object, got %s", name, value.TypeName(v.Type))
	}
	p := &shapeParser{stage: name, adding: true, root: &shape{}}
	if err := p.fields(v, nil); err != nil {
		return nil, err
	}
	p.root.finish()
	return []stage{&shaped{name, adding, p.root}}, nil
}

func compileUnset(name string, v bsoncore.Value) ([]stage, error) {
	paths := []bsoncore.Value{v}
	switch v.Type {
	case value.String:
	case value.Array:
		paths = nil
		for r := value.Read(v.Data); r.Next(); {
			paths = append(paths, r.Value)
		}
		if len(paths) == 0 {
			return nil, value.Errorf(codeUnsetEmpty, "$unset specification must be a string or an array with at least one field")
		}
	default:
		return nil, value.Errorf(codeUnsetForm, "$unset specification must be a string or an array")
	}
	p := &shapeParser{stage: name, mode: excluding, root: &shape{}}
	for _, path := range paths {
		if path.Type != value.String {
			return nil, value.Errorf(codeUnsetType, "$unset specification must be a string or an array containing only string values")
		}
		parts, err := expr.SplitPath(string(value.Str(path)))
		if err == nil {
			err = p.add(parts, &shape{leaf: true})
		}
		if err != nil {
			return nil, err
		}
	}
	p.root.finish()
	return []stage{&shaped{name, excluding, p.root}}, nil
}

// fields adds the fields of a document, whose own path is above.
func (p *shapeParser) fields(v bsoncore.Value, above []string) error {
	for r := value.Read(v.Data); r.Next(); {
		parts, err := expr.SplitPath(string(r.Name))
		if err != nil {
			return err
		}
		path := append(above[:len(above):len(above)], parts...)
		if r.Value.Type == value.Document {
			first := value.Read(r.Value.Data)
			named := first.Next()
			if !named && !p.adding {
				return value.Errorf(codeEmptyBelow, "Invalid %s :: caused by :: An empty sub-projection is not a valid value. Found empty object at path '%s'", p.stage, r.Name)
			}
			if named && (len(first.Name) == 0 || first.Name[0] != '$') {
				if err := p.fields(r.Value, path); err != nil {
					return err
				}
				continue
			}
		}
		leaf, err := p.leaf(path, r.Value)
		if err == nil {
			err = p.add(path, leaf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaf compiles what a field is to be.
func (p *shapeParser) leaf(path []string, v bsoncore.Value) (*shape, error) {
	keeps := value.IsNumber(v.Type) || v.Type == value.Boolean
	isID := len(path) == 1 && path[0] == "_id"
	if p.adding || !keeps {
		e, err := expr.Compile(v)
		if err == nil && !p.adding {
			err = p.decide(including, path, true)
		}
		return &shape{expr: e}, err
	}
	switch {
	case isID: // goes with either
		return &shape{leaf: value.Truthy(v), drop: !value.Truthy(v)}, nil
	case value.Truthy(v):
		return &shape{leaf: true}, p.decide(including, path, false)
	}
	return &shape{leaf: true}, p.decide(excluding, path, false)
}

// decide settles whether the projection includes or excludes, by its first field.
func (p *shapeParser) decide(m mode, path []string, computed bool) error {
	if !p.decided {
		p.decided, p.mode = true, m
		return nil
	}
	if p.mode == m {
		return nil
	}
	return mixed(path, m, computed)
}

func mixed(path []string, m mode, computed bool) error {
	name := path[len(path)-1]
	switch {
	case computed:
		return value.Errorf(codeExprInExclusion, "Invalid $project :: caused by :: Cannot use an expression for field %s in exclusion projection", name)
	case m == including:
		return value.Errorf(value.InclusionInExclusion, "Invalid $project :: caused by :: Cannot do inclusion on field %s in exclusion projection", name)
	}
	return value.Errorf(value.ExclusionInInclusion, "Invalid $project :: caused by :: Cannot do exclusion on field %s in inclusion projection", name)
}

// add puts a leaf at a path.
func (p *shapeParser) add(path []string, leaf *shape) error {
	if len(path) > maxDepth {
		return value.Errorf(value.Overflow, "%s: a path of %d names is over the limit of %d levels", p.stage, len(path), maxDepth)
	}
	s := p.root
	for i, name := range path {
		last := i == len(path)-1
		at := find(s, name)
		switch {
		case at < 0 && last:
			leaf.name = name
			s.append(leaf)
		case at < 0:
			child := &shape{name: name}
			s.append(child)
			s = child
		case last || !s.children[at].nested():
			return value.Errorf(value.PathCollision, "Invalid %s :: caused by :: Path collision at %s", p.stage, name)
		default:
			s = s.children[at]
		}
	}
	return nil
}

func (s *shape) append(c *shape) {
	s.children = append(s.children, c)
	switch {
	case s.places != nil:
		s.places[c.name] = len(s.children) - 1
	case len(s.children) > fewChildren:
		s.places = make(map[string]int)
		for i, c := range s.children {
			s.places[c.name] = i
		}
	}
}
