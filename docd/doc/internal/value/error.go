package value

import "fmt"

// MongoDB's numbers for what can be wrong. Clients know the names by these numbers.
const (
	BadValue                   int32 = 2
	FailedToParse              int32 = 9
	TypeMismatch               int32 = 14
	Overflow                   int32 = 15
	InvalidBSON                int32 = 22
	PathNotViable              int32 = 28
	ConflictingUpdateOperators int32 = 40
	DollarPrefixedFieldName    int32 = 52
	InvalidIDField             int32 = 53
	NotSingleValueField        int32 = 54
	InvalidDBRef               int32 = 55
	EmptyFieldName             int32 = 56
	DottedFieldName            int32 = 57
	ImmutableField             int32 = 66
	InvalidOptions             int32 = 72
	CommandNotSupported        int32 = 115
	InvalidPipelineOperator    int32 = 168
	CannotIndexParallelArrays  int32 = 171
	CannotBuildIndexKeys       int32 = 201
	MemoryLimit                int32 = 292 // QueryExceededMemoryLimitNoDiskUseAllowed
	BSONObjectTooLarge         int32 = 10334
	DuplicateKey               int32 = 11000
	DottedPathDollar           int32 = 16410 // a path's component begins with a dollar
	AmbiguousIndexField        int32 = 16746
	SortOrder                  int32 = 15975
	EmptySort                  int32 = 15976
	EmptyPathComponent         int32 = 15998
	SliceArguments             int32 = 28667
	SliceLimit                 int32 = 28724
	PathCollision              int32 = 31249
	InclusionInExclusion       int32 = 31253
	ExclusionInInclusion       int32 = 31254
	NestedElemMatch            int32 = 31275
	UnknownStage               int32 = 40324
	PathEndsWithDot            int32 = 40353
	RegexOptionsTwice          int32 = 51075
	InvalidRegex               int32 = 51091
	InvalidRegexFlag           int32 = 51108
	RegexNUL                   int32 = 51109
)

// Error is what a client did wrong. Its code is MongoDB's; its text is for people.
type Error struct {
	Code int32
	Msg  string
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

// Errorf makes an Error.
func Errorf(code int32, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}
