package surface

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/brainwavlm/bwlm"

// name is an exported type, function, constant, variable or method of a public package.
type name struct {
	pkg, text string // path below the module; Name or Type.Method
	object    types.Object
	of        *name // the type of a method
}

func (n *name) String() string { return n.pkg + " " + n.text }

// public reports whether other modules can import a package.
func public(p *packages.Package) bool {
	below, ours := strings.CutPrefix(p.PkgPath, module+"/")
	return ours && p.Name != "main" && !slices.Contains(strings.Split(below, "/"), "internal")
}

// surface is the public API of the module.
type surface struct {
	names []*name
	by    map[types.Object][]*name // a method of an aliased type has several
	need  map[*name]bool
}

// list collects the exported names of the public packages, with the methods that a pointer to each
// type has. An alias of a type of an internal package has that type's methods.
func list(pkgs []*packages.Package) *surface {
	s := &surface{by: map[types.Object][]*name{}, need: map[*name]bool{}}
	for _, p := range pkgs {
		if !public(p) {
			continue
		}
		below := strings.TrimPrefix(p.PkgPath, module+"/")
		scope := p.Types.Scope()
		for _, text := range scope.Names() {
			object := scope.Lookup(text)
			if !object.Exported() {
				continue
			}
			n := s.add(&name{pkg: below, text: text, object: object})
			if typ, ok := object.(*types.TypeName); ok {
				for _, method := range methods(typ.Type()) {
					s.add(&name{pkg: below, text: text + "." + method.Name(), object: method, of: n})
				}
			}
		}
	}
	return s
}

func (s *surface) add(n *name) *name {
	s.names = append(s.names, n)
	s.by[origin(n.object)] = append(s.by[origin(n.object)], n)
	return n
}

// methods are the exported methods that are declared for a type, those of an interface included.
func methods(t types.Type) (out []*types.Func) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return nil
	}
	if i, ok := named.Underlying().(*types.Interface); ok {
		for m := range i.ExplicitMethods() {
			out = append(out, m)
		}
	}
	for m := range named.Methods() {
		out = append(out, m)
	}
	return slices.DeleteFunc(out, func(m *types.Func) bool { return !m.Exported() })
}

// origin is the declaration of an object of a generic type.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return o
}
