package encode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
)

// maxValueDepth bounds evidence within evidence; deeper is a detector's mistake.
const maxValueDepth = 32

// appendValue writes a value of evidence: strings, numbers, booleans, and lists
// and maps of those, map keys in order. The common types go without reflection.
func appendValue(b []byte, v any, depth int) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case []string:
		if v == nil {
			return append(b, "null"...)
		}
		return appendStrings(b, v)
	case json.Marshaler, interface{ MarshalText() ([]byte, error) }:
		return appendMarshaled(b, v)
	}
	if depth >= maxValueDepth {
		return appendString(b, "…")
	}
	return appendReflected(b, reflect.ValueOf(v), depth)
}

func appendReflected(b []byte, v reflect.Value, depth int) []byte {
	switch v.Kind() {
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Float64:
		return appendFloat(b, v.Float())
	case reflect.Map:
		if !v.IsNil() && v.Type().Key().Kind() == reflect.String {
			return appendMap(b, v, depth)
		}
	case reflect.Slice:
		if !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 {
			return appendList(b, v, depth)
		}
	case reflect.Array:
		return appendList(b, v, depth)
	}
	return appendMarshaled(b, v.Interface())
}

func appendList(b []byte, v reflect.Value, depth int) []byte {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v.Index(i).Interface(), depth+1)
	}
	return append(b, ']')
}

func appendMap(b []byte, v reflect.Value, depth int) []byte {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k.String())
		b = append(b, ':')
		b = appendValue(b, v.MapIndex(k).Interface(), depth+1)
	}
	return append(b, '}')
}

// appendMarshaled leaves other types to encoding/json. What it refuses is said
// in place of the value: a report with one odd value is worth more than none.
func appendMarshaled(b []byte, v any) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return appendString(b, fmt.Sprintf("unprintable %T: %v", v, err))
	}
	return append(b, escapeJSON(bytes.TrimSuffix(text.Bytes(), []byte("\n")))...)
}
