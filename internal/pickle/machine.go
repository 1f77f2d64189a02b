package pickle

import (
	"errors"
	"fmt"
	"strings"
)

// MaxStack bounds the values on the stack of an interpreter. Python's pickle puts at most a thousand pairs there
// before it empties it.
const MaxStack = 1 << 14

// machine interprets a pickle.
type machine struct {
	*Dialect
	text  *Text
	stack []any
	marks []int // heights of the stack
	memo  memo
	spent int64 // estimated bytes of values
}

// Read interprets a pickle to its end and returns the one value that remains. Nothing may follow it.
func Read(text *Text, d *Dialect) (any, error) {
	m := &machine{Dialect: d, text: text}
	if err := m.begin(); err != nil {
		return nil, err
	}
	for {
		at := text.pos
		op, err := text.Byte()
		if err == nil && op == opStop {
			return m.stop()
		}
		if err == nil {
			err = m.step(op)
		}
		if err != nil {
			return nil, fmt.Errorf("%s at byte %d: %w", d.Name, at, err)
		}
		if len(m.stack) > MaxStack || len(m.marks) > MaxStack {
			return nil, fmt.Errorf("%s at byte %d: more than %d values on the stack", d.Name, at, MaxStack)
		}
		if d.Memory > 0 && m.spent > d.Memory {
			return nil, fmt.Errorf("%s at byte %d: its values need more than %d bytes of memory", d.Name, at, d.Memory)
		}
	}
}

// begin reads the protocol.
func (m *machine) begin() error {
	wrong := fmt.Errorf("%s is not a pickle of protocol %d", m.Name, m.Least)
	if m.Most > m.Least {
		wrong = fmt.Errorf("%s is not a pickle of protocols %d to %d", m.Name, m.Least, m.Most)
	}
	start, err := m.text.Take(2)
	if short := (*shortError)(nil); errors.As(err, &short) {
		return wrong
	}
	if err == nil && (start[0] != opProto || start[1] < m.Least || start[1] > m.Most) {
		return wrong
	}
	return err
}

// stop returns the value at the end of the pickle, which must be the only one.
func (m *machine) stop() (any, error) {
	left, err := m.text.left()
	switch {
	case err != nil:
		return nil, err
	case left < 0:
		return nil, fmt.Errorf("%s has bytes after its end", m.Name)
	case left > 0:
		return nil, fmt.Errorf("%s has %d bytes after its end", m.Name, left)
	case len(m.marks) > 0:
		return nil, fmt.Errorf("%s ends within a list that it began", m.Name)
	case len(m.stack) != 1:
		return nil, fmt.Errorf("%s leaves %d values, want 1", m.Name, len(m.stack))
	}
	return m.stack[0], nil
}

// step interprets one opcode.
func (m *machine) step(op byte) error {
	if strings.IndexByte(m.Opcodes, op) < 0 {
		return m.distrust(fmt.Errorf("opcode %#02x, which %s needs", op, m.Unneeded))
	}
	switch op {
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return nil
	case opNone:
		return m.push(nil, nil)
	case opTrue, opFalse:
		return m.push(op == opTrue, nil)
	case opInt, opInt1, opInt2, opLong1, opFloat:
		return m.push(m.number(op))
	case opText, opText1, opText8:
		return m.push(m.string(op))
	case opBytes, opBytes1, opBytes8, opByteArray8, opString, opString1:
		return m.push(m.bytes(op))
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3:
		return m.push(m.tuple(op))
	case opEmptyList:
		return m.push(&List{}, nil)
	case opAppend, opAppends:
		return m.extend(op == opAppends)
	case opEmptyDict:
		return m.push(&Dict{}, nil)
	case opSetItem, opSetItems:
		return m.setItems(op == opSetItems)
	case opPut, opLongPut, opMemoize, opGet, opLongGet:
		return m.remember(op)
	case opFrame:
		_, err := m.text.Take(8)
		return err
	case opPop, opPopMark:
		return m.drop(op == opPopMark)
	}
	return m.object(op)
}

// object interprets an opcode that names or makes something by a hook.
func (m *machine) object(op byte) error {
	switch op {
	case opGlobal, opNameGlobal:
		g, err := m.name(op)
		if err != nil {
			return err
		}
		return m.push(m.global(g))
	case opReduce, opNewObject:
		call, err := m.pop(2)
		if err != nil {
			return err
		}
		hook := m.Call
		if op == opNewObject {
			hook = m.New
		}
		return m.push(m.call(hook, call[0], call[1]))
	case opBuild:
		parts, err := m.pop(2)
		if err == nil && m.Build == nil {
			err = errors.New("attributes for what has none")
		}
		if err != nil {
			return err
		}
		return m.push(m.Build(parts[0], parts[1], m.text))
	case opPersistent:
		id, err := m.pop(1)
		if err == nil && m.Load == nil {
			err = errors.New("a value that is kept elsewhere")
		}
		if err != nil {
			return err
		}
		return m.push(m.Load(id[0]))
	}
	return fmt.Errorf("opcode %#02x is not known", op)
}

// maxName bounds the name of a module or of something in it.
const maxName = 1 << 16

// name reads the name of a module and of something in it, each on a line or from the stack.
func (m *machine) name(op byte) (Global, error) {
	var name [2]string
	if op == opGlobal {
		for i := range name {
			var err error
			if name[i], err = m.text.line(maxName); err != nil {
				if short := (*shortError)(nil); errors.As(err, &short) {
					err = errors.New("a name without an end")
				}
				return "", err
			}
		}
		return Global(name[0] + "." + name[1]), nil
	}
	parts, err := m.pop(2)
	if err != nil {
		return "", err
	}
	for i := range name {
		if name[i], err = Want[string](parts[i]); err != nil {
			return "", err
		}
	}
	return Global(name[0] + "." + name[1]), nil
}
