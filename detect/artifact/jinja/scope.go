package jinja

import (
	"sort"
	"strings"
)

// scope is a layer of variables. A loop, macro or with opens a scope whose sets
// do not last; a branch of an if opens one whose sets are joined afterwards.
// Attributes of namespaces are kept under "#id.attribute" and outlive any scope.
type scope struct {
	up     *scope
	branch bool
	vars   map[string]*value
	depth  int
}

func (s *scope) open(branch bool) *scope {
	return &scope{up: s, branch: branch, depth: s.depth + 1}
}

func (s *scope) get(name string) (*value, bool) {
	for ; s != nil; s = s.up {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v *value) {
	if s.vars == nil {
		s.vars = map[string]*value{}
	}
	s.vars[name] = v
}

// names lists the variables of one layer in a fixed order.
func (s *scope) names() []string {
	out := make([]string, 0, len(s.vars))
	for n := range s.vars {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// join carries what branches set into the scope around them. Where a branch
// does not set a name, its value from before stays possible unless the branches
// are all there is (an else).
func (s *scope) join(branches []*scope, total bool) {
	done := map[string]bool{}
	for _, b := range branches {
		for _, n := range b.names() {
			if done[n] {
				continue
			}
			done[n] = true
			s.set(n, s.joined(n, branches, total))
		}
	}
}

func (s *scope) joined(name string, branches []*scope, total bool) *value {
	var vs []*value
	missing := !total
	for _, b := range branches {
		if v, ok := b.vars[name]; ok {
			vs = append(vs, v)
		} else {
			missing = true
		}
	}
	if missing {
		if v, ok := s.get(name); ok {
			vs = append(vs, v)
		} else {
			vs = append(vs, unknown)
		}
	}
	return union(vs...)
}

// close carries the attributes of namespaces out of a scope that ends; certain
// says that its body ran.
func (s *scope) close(certain bool) {
	for _, n := range s.names() {
		if !strings.HasPrefix(n, "#") {
			continue
		}
		v := s.vars[n]
		if before, ok := s.up.get(n); ok && !certain {
			v = union(before, v)
		}
		s.up.set(n, v)
	}
}
