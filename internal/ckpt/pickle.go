package ckpt

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// The opcodes of a pickle that torch.save makes of tensors and plain settings (Lib/pickletools.py
// in Python describes them). All others are refused, in particular those that name or make objects
// in another way.
const (
	opProto      = 0x80
	opStop       = '.'
	opMark       = '('
	opNone       = 'N'
	opTrue       = 0x88
	opFalse      = 0x89
	opInt        = 'J' // 4 bytes, signed
	opInt1       = 'K'
	opInt2       = 'M'
	opLong1      = 0x8a // a count of bytes, then two's complement
	opFloat      = 'G'
	opText       = 'X'
	opEmptyTuple = ')'
	opTuple      = 't'
	opTuple1     = 0x85
	opTuple2     = 0x86
	opTuple3     = 0x87
	opEmptyList  = ']'
	opAppend     = 'a'
	opAppends    = 'e'
	opEmptyDict  = '}'
	opSetItem    = 's'
	opSetItems   = 'u'
	opPut        = 'q'
	opLongPut    = 'r'
	opGet        = 'h'
	opLongGet    = 'j'
	opGlobal     = 'c'
	opReduce     = 'R'
	opBuild      = 'b'
	opStorage    = 'Q' // BINPERSID
)

// maxStack bounds the values on the stack. Python's pickle puts at most a thousand pairs there
// before it empties it.
const maxStack = 1 << 14

// A pickle's values are inert: nil, bool, int64, float64, string, and these.
type (
	tuple  []any
	global string // the name of something that is never looked up
	array  struct{ items []any }
	dict   struct {
		keys    []string // in order
		items   map[string]any
		ordered bool // a collections.OrderedDict
	}
)

// unpickler interprets a pickle. It makes nothing but inert values and, through tensors, views of
// the file.
type unpickler struct {
	text    string
	pos     int
	stack   []any
	marks   []int // heights of the stack
	memo    map[uint32]any
	tensors *tensorMaker
}

// run interprets the pickle to its end and returns the one value that remains.
func (u *unpickler) run() (any, error) {
	if !strings.HasPrefix(u.text, pickleMagic) {
		return nil, errors.New("data.pkl is not a pickle of protocol 2")
	}
	u.pos, u.memo = len(pickleMagic), map[uint32]any{}
	for {
		at := u.pos
		op, err := u.take(1)
		if err == nil && op[0] == opStop {
			return u.stop()
		}
		if err == nil {
			err = u.step(op[0])
		}
		if err != nil {
			return nil, fmt.Errorf("data.pkl at byte %d: %w", at, err)
		}
		if len(u.stack) > maxStack || len(u.marks) > maxStack {
			return nil, fmt.Errorf("data.pkl at byte %d: more than %d values on the stack", at, maxStack)
		}
	}
}

// stop returns the value at the end of the pickle, which must be the only one.
func (u *unpickler) stop() (any, error) {
	switch {
	case u.pos != len(u.text):
		return nil, fmt.Errorf("data.pkl has %d bytes after its end", len(u.text)-u.pos)
	case len(u.marks) > 0:
		return nil, errors.New("data.pkl ends within a list that it began")
	case len(u.stack) != 1:
		return nil, fmt.Errorf("data.pkl leaves %d values, want 1", len(u.stack))
	}
	return u.stack[0], nil
}

// step interprets one opcode.
func (u *unpickler) step(op byte) error {
	switch op {
	case opMark:
		u.marks = append(u.marks, len(u.stack))
		return nil
	case opNone:
		return u.push(nil, nil)
	case opTrue, opFalse:
		return u.push(op == opTrue, nil)
	case opInt, opInt1, opInt2, opLong1, opFloat:
		return u.push(u.number(op))
	case opText:
		return u.push(u.string())
	case opEmptyTuple:
		return u.push(emptyTuple, nil)
	case opTuple:
		items, err := u.popMark()
		return u.push(tuple(items), err)
	case opTuple1, opTuple2, opTuple3:
		items, err := u.pop(int(op-opTuple1) + 1)
		return u.push(tuple(items), err)
	case opEmptyList:
		return u.push(&array{}, nil)
	case opAppend, opAppends:
		return u.extend(op == opAppends)
	case opEmptyDict:
		return u.push(&dict{}, nil)
	case opSetItem, opSetItems:
		return u.setItems(op == opSetItems)
	case opPut, opLongPut, opGet, opLongGet:
		return u.remember(op)
	case opGlobal:
		return u.push(u.global())
	case opReduce:
		return u.reduce()
	case opBuild:
		return u.build()
	case opStorage:
		id, err := u.pop(1)
		if err != nil {
			return err
		}
		return u.push(u.tensors.storage(id[0]))
	}
	return &advised{fmt.Errorf("opcode %#02x, which no file of weights needs", op), distrust}
}

var emptyTuple any = tuple(nil)

// take returns the next n bytes.
func (u *unpickler) take(n int) (string, error) {
	if n > len(u.text)-u.pos {
		return "", fmt.Errorf("%d bytes are wanted, there are %d", n, len(u.text)-u.pos)
	}
	u.pos += n
	return u.text[u.pos-n : u.pos], nil
}

// The globals that a file of weights needs, next to the storages in storageTypes.
const (
	orderedDict      global = "collections.OrderedDict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildParameter global = "torch._utils._rebuild_parameter"
)

// global reads the name of a module and of something in it, each on a line.
func (u *unpickler) global() (any, error) {
	var name [2]string
	for i := range name {
		n := strings.IndexByte(u.text[u.pos:], '\n')
		if n < 0 {
			return nil, errors.New("a name without an end")
		}
		name[i] = u.text[u.pos : u.pos+n]
		u.pos += n + 1
	}
	g := global(name[0] + "." + name[1])
	if _, storage := storageTypes[g]; !storage && g != orderedDict && g != rebuildTensor && g != rebuildParameter {
		why := fmt.Errorf("needs %s, which is neither a tensor nor a plain setting",
			quote.OneLine(quote.Short(string(g))))
		return nil, &advised{why, distrust}
	}
	return g, nil
}

// reduce interprets the call of a global, one of three. No call runs code.
func (u *unpickler) reduce() error {
	call, err := u.pop(2)
	if err != nil {
		return err
	}
	args, ok := call[1].(tuple)
	if !ok {
		return fmt.Errorf("the arguments are a %T, want a tuple", call[1])
	}
	switch call[0] {
	case orderedDict:
		if len(args) > 0 {
			return errors.New("an OrderedDict that does not begin empty")
		}
		return u.push(&dict{ordered: true}, nil)
	case rebuildTensor:
		return u.push(u.tensors.tensor(args))
	case rebuildParameter:
		return u.push(u.tensors.parameter(args))
	}
	return errors.New("a call of what cannot be called")
}

// build drops the attributes of a state dict (its _metadata). Nothing else may have attributes.
func (u *unpickler) build() error {
	if _, err := top[*dict](u); err != nil {
		return err
	}
	if _, err := u.pop(1); err != nil {
		return err
	}
	d, err := top[*dict](u)
	if err == nil && !d.ordered {
		err = errors.New("attributes for what has none")
	}
	return err
}
