package statement

import (
	"errors"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// List is a JSON array that is refused as soon as it has more than MaxSubjects
// elements, before the rest takes memory: in 32 MiB there is room for eleven
// million empty objects.
type List[T any] []T

var errLong = errors.New("more than 1,000,000 elements")

// UnmarshalJSONFrom reads the array element by element. null is no list.
func (l *List[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*l = nil
	start, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch start.Kind() {
	case 'n':
		return nil
	case '[':
	default:
		return errors.New("no array")
	}
	list := List[T]{}
	for dec.PeekKind() != ']' {
		if len(list) == MaxSubjects {
			return errLong
		}
		var element T
		if err := json.UnmarshalDecode(dec, &element); err != nil {
			return err
		}
		list = append(list, element)
	}
	*l = list
	_, err = dec.ReadToken()
	return err
}
