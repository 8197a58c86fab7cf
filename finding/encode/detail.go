package encode

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"bartizan/finding"
)

// reasons gives those that people are shown: why coverage is not complete. Where
// it is complete a reason says what a finding says.
func reasons(r *finding.SubjectReport) []string {
	if r.Coverage == finding.Complete && len(r.Findings) > 0 {
		return nil
	}
	return r.Reasons
}

// detailLines gives a line for each key that people can read at a glance; of longer
// lists only how many rows they have, which the JSON holds.
func detailLines(detail map[string]any) []string {
	out := make([]string, 0, len(detail))
	for _, k := range sortedKeys(detail) {
		out = append(out, Text(k)+": "+glance(detail[k]))
	}
	return out
}

func glance(v any) string {
	if s, ok := v.(string); ok {
		return Text(s)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Map:
		return glanceMap(r)
	case reflect.Slice:
		return glanceList(r)
	case reflect.Struct, reflect.Pointer, reflect.Func, reflect.Chan:
		return Text(string(appendValue(nil, v, 0))) // as the JSON has it
	}
	return Text(fmt.Sprint(v))
}

func glanceMap(r reflect.Value) string {
	parts := make([]string, 0, r.Len())
	for _, k := range r.MapKeys() {
		parts = append(parts, Text(k.String())+" "+glance(r.MapIndex(k).Interface()))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

func glanceList(r reflect.Value) string {
	const most = 8
	if r.Len() == 0 || r.Len() > most || r.Index(0).Kind() != reflect.String {
		return fmt.Sprintf("%d rows", r.Len())
	}
	parts := make([]string, r.Len())
	for i := range parts {
		parts[i] = Text(r.Index(i).String())
	}
	return strings.Join(parts, ", ")
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
