package jinja

import "sort"

// The kinds of issues.
const (
	DunderAccess       = "dunder-access"
	DangerousGlobal    = "dangerous-global"
	DynamicAttribute   = "dynamic-attribute"
	ResourceExhaustion = "resource-exhaustion"
	IncludeFile        = "include"
	CodeArgument       = "code-argument"
	HiddenInstruction  = "hidden-instruction"
	HiddenText         = "hidden-text"
)

// Weight says how much an issue matters, in the words of finding.Severity.
type Weight uint8

// Weights, in rising order.
const (
	Info Weight = iota
	Low
	Medium
	High
	Critical
)

// Issue is one fact found in a template.
type Issue struct {
	Kind         string
	Weight       Weight
	Off          int
	Line, Column int
	Message      string
	// Symbol is the name or path that is accessed, where there is one.
	Symbol string
	// Trigger is the condition's constant, Text what is emitted; both shortened.
	Trigger, Text string
	// Detail says which form of the issue it is: "attribute", "item", "filter" …
	Detail string
}

const maxIssues = 500

type issues struct {
	t    *Template
	list []Issue
	seen map[Issue]int
}

func (s *issues) add(is Issue) {
	is.Symbol, is.Trigger, is.Text = short(is.Symbol, 200), short(is.Trigger, 120), short(is.Text, 240)
	is.Line, is.Column = s.t.Position(is.Off)
	key := is
	key.Weight, key.Text, key.Message = 0, "", ""
	if i, ok := s.seen[key]; ok {
		if is.Weight > s.list[i].Weight {
			s.list[i] = is
		}
		return
	}
	if len(s.list) >= maxIssues {
		return
	}
	if s.seen == nil {
		s.seen = map[Issue]int{}
	}
	s.seen[key] = len(s.list)
	s.list = append(s.list, is)
}

func (s *issues) sorted() []Issue {
	sort.SliceStable(s.list, func(i, j int) bool {
		a, b := &s.list[i], &s.list[j]
		if a.Off != b.Off {
			return a.Off < b.Off
		}
		return a.Kind < b.Kind
	})
	return s.list
}

func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return cut(s, n) + "…"
}
