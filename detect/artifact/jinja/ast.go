package jinja

// Op says what an expression is.
type Op uint8

// The expressions of Jinja2's grammar, and Bad for what could not be parsed.
const (
	Bad        Op = iota // X holds what was parsed before the error
	Name                 // Text
	Str                  // Text, unescaped
	Int                  // Num
	Float                // Text
	Bool                 // Num is 0 or 1
	None                 //
	List                 // X
	Tuple                // X
	Dict                 // X: key, value, key, value …
	Getattr              // X[0].Text
	Getitem              // X[0][X[1]]
	Slice                // X: start, stop, step; nil where left out
	Call                 // X[0](Args)
	Filter               // X[0] | Text(Args); X[0] is nil in a filter block
	Test                 // X[0] is Text(Args)
	Unary                // Text: + - not
	Chain                // X joined by Ops of one precedence: + - * / // % ** ~ and or
	Comparison           // X joined by Ops: == != < <= > >= in notin
	Cond                 // X: value, condition, other value or nil
)

// Expr is an expression. Which fields are set depends on Op.
type Expr struct {
	Op   Op
	Off  int // byte offset in the source
	Text string
	Num  int64
	X    []*Expr
	Ops  []string
	Args []Arg

	depth int
}

// Arg is an argument of a call, filter or test, or a default of a macro.
type Arg struct {
	Name  string // keyword, or empty
	Star  int    // 1 for *args, 2 for **kwargs
	Value *Expr
}

// Verb says what a statement is.
type Verb uint8

// The statements of Jinja2 with its usual extensions, and transformers' generation.
const (
	Data       Verb = iota // Text is emitted as it stands
	Output                 // Exprs[0] is emitted
	If                     // Branches
	For                    // Target, Exprs: iterable and filter or nil; Body, Else
	Set                    // Target, Exprs[0]
	SetBlock               // Target, Exprs: filter or nil; Body
	Macro                  // Name, Params, Body
	CallBlock              // Params, Exprs[0], Body
	FilterOf               // Exprs[0], Body
	Include                // Exprs[0]
	Import                 // Exprs[0], Name
	FromImport             // Exprs[0], Names
	Extends                // Exprs[0]
	Block                  // Name, Body
	With                   // Params, Body
	Do                     // Exprs[0]
	Scope                  // Name: generation, autoescape, trans; Exprs, Body
	Jump                   // Name: break, continue, debug
	Fault                  // Exprs: what could be parsed of a broken tag
)

// Stmt is a statement. Which fields are set depends on Verb.
type Stmt struct {
	Verb      Verb
	Off       int
	Name      string
	Text      string
	Names     [][2]string // imported name, local name
	Target    *Expr
	Exprs     []*Expr
	Params    []Arg // a parameter without default has a nil Value
	Branches  []Branch
	Body      []*Stmt
	Else      []*Stmt
	Recursive bool
}

// Branch is one arm of an if; Cond is nil for else.
type Branch struct {
	Cond *Expr
	Body []*Stmt
}

// Problem is why a template, or a part of it, is not valid.
type Problem struct {
	Off, Line, Column int
	Message           string
}
