package tree

import (
	"errors"
	"strconv"
)

// refusals collects what is wrong, up to maxRefusals.
type refusals []error

// add takes one more; false means that it was the last that fits.
func (r *refusals) add(err error) bool {
	*r = append(*r, err)
	return len(*r) < maxRefusals
}

func (r refusals) err() error {
	if len(r) == 1 {
		return r[0]
	}
	return errors.Join(r...)
}

// quote is strconv.Quote: control characters and broken UTF-8 become escapes.
func quote(s string) string { return strconv.Quote(s) }
