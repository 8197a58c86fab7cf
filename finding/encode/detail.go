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
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range sortedKeys(v) {
			parts = append(parts, Text(k)+" "+glance(v[k]))
		}
		return strings.Join(parts, ", ")
	case string:
		return Text(v)
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
		return glanceList(r)
	}
	return Text(fmt.Sprint(v))
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
