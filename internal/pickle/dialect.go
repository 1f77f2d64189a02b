package pickle

import (
	"errors"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// Dialect says what a pickle of some kind of file may hold. A hook that is nil refuses what it would make.
type Dialect struct {
	Name       string // what messages call the pickle: "data.pkl"
	Least      byte   // the lowest protocol
	Most       byte   // the highest, at most 5
	Opcodes    string // those that may occur: Protocol2, Protocol5, Persistent
	NumberKeys bool   // the key of a dictionary may be an integer
	Memory     int64  // estimated bytes of all values together; 0 for no bound

	// Global returns an error if the name may not occur.
	Global func(name Global) error
	// Call returns what a call of a name stands for (REDUCE).
	Call func(name Global, args Tuple) (any, error)
	// New returns what an object of a class stands for (NEWOBJ).
	New func(class Global, args Tuple) (any, error)
	// Build gives an object its attributes and returns what stands for it from now on. It may take bytes
	// that follow in the text.
	Build func(object, state any, text *Text) (any, error)
	// Load returns what a persistent id stands for.
	Load func(id any) (any, error)
	// Distrust, if there is one, wraps the error of an opcode or a name that such a file does not need.
	Distrust func(error) error
	// Unneeded says what needs no other opcodes: "no file of weights".
	Unneeded string
}

// distrust is the error of what such a file does not need.
func (d *Dialect) distrust(err error) error {
	if d.Distrust == nil {
		return err
	}
	return d.Distrust(err)
}

// global checks a name.
func (d *Dialect) global(g Global) (any, error) {
	if d.Global == nil {
		return nil, d.distrust(fmt.Errorf("needs %s", quote.OneLine(quote.Short(string(g)))))
	}
	return g, d.Global(g)
}

// ErrNotCallable is the error of a hook for a name that is known and that cannot be called.
var ErrNotCallable = errors.New("a call of what cannot be called")

// call is a call of fn by one of the hooks.
func (d *Dialect) call(hook func(Global, Tuple) (any, error), fn, args any) (any, error) {
	list, ok := args.(Tuple)
	if !ok {
		return nil, fmt.Errorf("the arguments are %s, want a tuple", Kind(args))
	}
	name, ok := fn.(Global)
	if !ok || hook == nil {
		return nil, ErrNotCallable
	}
	return hook(name, list)
}
