package pickleasm

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// Wrapping is a way to hide a stream inside a text or bytes literal of another.
type Wrapping string

// The ways to hide a stream.
const (
	Plain     Wrapping = "plain"
	Base64    Wrapping = "base64"
	Base64URL Wrapping = "base64url"
	Hex       Wrapping = "hex"
	Zlib      Wrapping = "zlib"
	Gzip      Wrapping = "gzip"
)

// Wrappings lists the ways to hide a stream.
func Wrappings() []Wrapping { return []Wrapping{Plain, Base64, Base64URL, Hex, Zlib, Gzip} }

// Wrap gives data in that form.
func Wrap(data []byte, how Wrapping) ([]byte, error) {
	var out bytes.Buffer
	switch how {
	case Plain:
		out.Write(data)
	case Base64:
		out.WriteString(base64.StdEncoding.EncodeToString(data))
	case Base64URL:
		out.WriteString(base64.RawURLEncoding.EncodeToString(data))
	case Hex:
		out.WriteString(hex.EncodeToString(data))
	case Zlib:
		w := zlib.NewWriter(&out)
		if err := writeClose(w, data); err != nil {
			return nil, err
		}
	case Gzip:
		w := gzip.NewWriter(&out)
		if err := writeClose(w, data); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("pickleasm: unknown wrapping %q", how)
	}
	return out.Bytes(), nil
}

func writeClose(w interface {
	Write([]byte) (int, error)
	Close() error
}, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}
