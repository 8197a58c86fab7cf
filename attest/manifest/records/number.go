package records

import (
	"bytes"
	"strconv"
)

// maxExponent is how many digits the exponent of a number may have.
const maxExponent = 9

// number reads a JSON number and appends its canonical form.
func (p *jsonParser) number() error {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	whole := p.digits()
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return p.fail("no JSON number")
	}
	var fraction []byte
	if p.peek() == '.' {
		p.at++
		if fraction = p.digits(); len(fraction) == 0 {
			return p.fail("no JSON number")
		}
	}
	exponent, err := p.exponent()
	if err != nil {
		return err
	}
	p.out = appendDecimal(p.out, p.in[start] == '-', whole, fraction, exponent)
	return nil
}

func (p *jsonParser) digits() []byte {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.in[start:p.at]
}

func (p *jsonParser) exponent() (int64, error) {
	if c := p.peek(); c != 'e' && c != 'E' {
		return 0, nil
	}
	p.at++
	negative := p.peek() == '-'
	if negative || p.peek() == '+' {
		p.at++
	}
	digits := p.digits()
	if len(digits) == 0 {
		return 0, p.fail("no JSON number")
	}
	if len(bytes.TrimLeft(digits, "0")) > maxExponent {
		return 0, p.fail("a number with a monstrous exponent")
	}
	n := int64(0)
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, nil
}

// appendDecimal appends whole.fraction × 10^exponent in the one form it has.
func appendDecimal(dst []byte, negative bool, whole, fraction []byte, exponent int64) []byte {
	start := len(dst)
	if negative {
		dst = append(dst, '-')
	}
	first := len(dst)
	dst = append(append(dst, whole...), fraction...)
	exponent -= int64(len(fraction))
	for len(dst) > first && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
		exponent++
	}
	zeros := 0
	for first+zeros < len(dst) && dst[first+zeros] == '0' {
		zeros++
	}
	if zeros > 0 {
		dst = append(dst[:first], dst[first+zeros:]...)
	}
	if len(dst) == first {
		return append(dst[:start], '0')
	}
	if exponent != 0 {
		dst = strconv.AppendInt(append(dst, 'e'), exponent, 10)
	}
	return dst
}
