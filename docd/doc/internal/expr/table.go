package expr

// plain are the operators that evaluate all their arguments and then run.
var plain = map[string]operator{
	"$add":      {run: add},
	"$subtract": {min: 2, max: 2, run: subtract},
	"$multiply": {run: multiply},
	"$divide":   {min: 2, max: 2, run: divide},
	"$mod":      {min: 2, max: 2, run: mod},
	"$abs":      {min: 1, max: 1, run: abs},
	"$ceil":     {min: 1, max: 1, run: ceil},
	"$floor":    {min: 1, max: 1, run: floor},
	"$round":    {min: 1, max: 2, run: round},
	"$trunc":    {min: 1, max: 2, run: round},

	"$cmp": {min: 2, max: 2, run: cmp},
	"$eq":  {min: 2, max: 2, run: compared(func(c int) bool { return c == 0 })},
	"$ne":  {min: 2, max: 2, run: compared(func(c int) bool { return c != 0 })},
	"$gt":  {min: 2, max: 2, run: compared(func(c int) bool { return c > 0 })},
	"$gte": {min: 2, max: 2, run: compared(func(c int) bool { return c >= 0 })},
	"$lt":  {min: 2, max: 2, run: compared(func(c int) bool { return c < 0 })},
	"$lte": {min: 2, max: 2, run: compared(func(c int) bool { return c <= 0 })},
	"$not": {min: 1, max: 1, run: not},

	"$concat":      {run: concat},
	"$toLower":     {min: 1, max: 1, run: changeCase('A', 'Z')},
	"$toUpper":     {min: 1, max: 1, run: changeCase('a', 'z')},
	"$substrBytes": {min: 3, max: 3, run: substrBytes},
	"$strLenBytes": {min: 1, max: 1, run: strLenBytes},
	"$split":       {min: 2, max: 2, run: split},

	"$size":         {min: 1, max: 1, run: size},
	"$arrayElemAt":  {min: 2, max: 2, run: arrayElemAt},
	"$in":           {min: 2, max: 2, run: in},
	"$concatArrays": {run: concatArrays},
	"$first":        {min: 1, max: 1, run: endOf(0)},
	"$last":         {min: 1, max: 1, run: endOf(-1)},
	"$slice":        {min: 2, max: 3, run: slice},
	"$isArray":      {min: 1, max: 1, run: isArray},

	"$type":     {min: 1, max: 1, run: typeOf},
	"$toString": {min: 1, max: 1, run: converted(toString)},
	"$toInt":    {min: 1, max: 1, run: converted(toInt)},
	"$toLong":   {min: 1, max: 1, run: converted(toLong)},
	"$toDouble": {min: 1, max: 1, run: converted(toDouble)},
	"$toBool":   {min: 1, max: 1, run: converted(toBool)},
}

// special are the operators that read their operand themselves, or evaluate only some of it, or some of it repeatedly.
var special = map[string]compileFunc{
	"$literal":      compileLiteral,
	"$and":          compileAnd,
	"$or":           compileOr,
	"$cond":         compileCond,
	"$ifNull":       compileIfNull,
	"$switch":       compileSwitch,
	"$filter":       compileFilter,
	"$map":          compileMap,
	"$reduce":       compileReduce,
	"$year":         compileDatePart,
	"$month":        compileDatePart,
	"$dayOfMonth":   compileDatePart,
	"$hour":         compileDatePart,
	"$minute":       compileDatePart,
	"$second":       compileDatePart,
	"$dateToString": compileDateToString,
}
