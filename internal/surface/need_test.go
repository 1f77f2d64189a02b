package surface

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// implicit are methods that the standard library calls through its interfaces.
var implicit = []string{
	"String", "Error", "Unwrap", "Is", "As", "Read", "ReadAt", "Write", "WriteTo", "Close", "Format", "Set", "Type",
	"MarshalJSON", "UnmarshalJSON", "MarshalYAML", "UnmarshalYAML", "MarshalText", "UnmarshalText",
}

// mark finds what other packages need: the names that they use, and what follows from these. Uses in test files do not
// count; those in commands, examples and tools do.
func (s *surface) mark(pkgs []*packages.Package) {
	ours := map[*types.Package]bool{}
	interfaces := map[string]bool{} // names of the methods of the interfaces that the module declares
	for _, p := range pkgs {
		ours[p.Types] = true
		for _, text := range p.Types.Scope().Names() {
			if i, ok := p.Types.Scope().Lookup(text).Type().Underlying().(*types.Interface); ok &&
				p.Types.Scope().Lookup(text).Name() == text {
				for m := range i.Methods() {
					interfaces[m.Name()] = true
				}
			}
		}
	}
	for _, p := range pkgs {
		for _, used := range p.TypesInfo.Uses {
			if used.Pkg() != p.Types {
				s.needed(used)
			}
		}
	}
	s.grow(interfaces)
}

// keep marks names that are exported for programs outside, and what follows from them.
func (s *surface) keep(names map[string]string) {
	for _, n := range s.names {
		if names[n.String()] != "" {
			s.needed(n.object)
		}
	}
	s.grow(nil)
}

// grow marks what follows from the names that are needed: constants and methods follow from their types, and errors
// that callers compare with are returned by what is needed.
func (s *surface) grow(interfaces map[string]bool) {
	// A type that becomes needed may bring more.
	for grown := true; grown; {
		grown = false
		for _, n := range s.names {
			if s.need[n] {
				continue
			}
			follows := false
			switch o := n.object.(type) {
			case *types.Var:
				follows = strings.HasPrefix(n.text, "Err") && o.Type() == types.Universe.Lookup("error").Type()
			case *types.Const:
				typ, ok := types.Unalias(o.Type()).(*types.Named)
				follows = ok && slices.ContainsFunc(s.by[typ.Obj()], func(of *name) bool { return s.need[of] })
			case *types.Func:
				follows = n.of != nil && s.need[n.of] && (interfaces[o.Name()] || slices.Contains(implicit, o.Name()))
			}
			if follows {
				s.needed(n.object)
				grown = true
			}
		}
	}
}

// needed marks an object, and the types in its signature or its exported fields.
func (s *surface) needed(o types.Object) {
	for _, n := range s.by[origin(o)] {
		if !s.need[n] {
			s.need[n] = true
			s.follow(n)
		}
	}
}

// follow marks what a needed name brings with it.
func (s *surface) follow(n *name) {
	if n.of != nil {
		s.needed(n.of.object)
	}
	if typ, ok := n.object.(*types.TypeName); ok {
		t := typ.Type()
		if !typ.IsAlias() {
			t = t.Underlying()
		}
		s.within(t)
		return
	}
	s.within(n.object.Type())
}

// within marks the named types that occur in a type.
func (s *surface) within(t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		s.needed(t.Obj())
		s.within(types.Unalias(t))
	case *types.Named:
		s.needed(t.Obj())
		for a := range t.TypeArgs().Types() {
			s.within(a)
		}
	case *types.Pointer:
		s.within(t.Elem())
	case *types.Slice:
		s.within(t.Elem())
	case *types.Array:
		s.within(t.Elem())
	case *types.Chan:
		s.within(t.Elem())
	case *types.Map:
		s.within(t.Key())
		s.within(t.Elem())
	case *types.Signature:
		for v := range t.Params().Variables() {
			s.within(v.Type())
		}
		for v := range t.Results().Variables() {
			s.within(v.Type())
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				s.within(f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			s.within(m.Type())
		}
	case *types.TypeParam:
		s.within(t.Constraint())
	}
}

// unused are the names that no other package needs.
func (s *surface) unused() (out []string) {
	for _, n := range s.names {
		if !s.need[n] {
			out = append(out, n.String())
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
