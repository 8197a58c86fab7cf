package pickleasm

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"testing"
)

func TestWrapIsUndoneByTheUsualDecoders(t *testing.T) {
	stream := New().Proto(4).Call("os", "system", "id").Stop().Bytes()
	undo := map[Wrapping]func([]byte) ([]byte, error){
		Plain:     func(p []byte) ([]byte, error) { return p, nil },
		Base64:    func(p []byte) ([]byte, error) { return base64.StdEncoding.DecodeString(string(p)) },
		Base64URL: func(p []byte) ([]byte, error) { return base64.RawURLEncoding.DecodeString(string(p)) },
		Hex:       func(p []byte) ([]byte, error) { return hex.DecodeString(string(p)) },
		Zlib: func(p []byte) ([]byte, error) {
			r, err := zlib.NewReader(bytes.NewReader(p))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
		Gzip: func(p []byte) ([]byte, error) {
			r, err := gzip.NewReader(bytes.NewReader(p))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
	}
	for _, how := range Wrappings() {
		wrapped, err := Wrap(stream, how)
		if err != nil {
			t.Fatal(err)
		}
		got, err := undo[how](wrapped)
		if err != nil || !bytes.Equal(got, stream) {
			t.Errorf("%s: got %x, %v", how, got, err)
		}
	}
	if _, err := Wrap(stream, "rot13"); err == nil {
		t.Error("an unknown wrapping is accepted")
	}
}

func TestWrongLengthsAreWrittenAsTold(t *testing.T) {
	got := New().FramedOff(-1, func(b *Builder) { b.None().Stop() }).Counted(SHORT_BINUNICODE, 1, 9, []byte("ab")).Bytes()
	want := []byte{0x95, 1, 0, 0, 0, 0, 0, 0, 0, 'N', '.', 0x8c, 9, 'a', 'b'}
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestRememberGivesTheSlotOfMemoize(t *testing.T) {
	b := New()
	b.None()
	first := b.Remember()
	b.Framed(func(b *Builder) { b.None().Memoize() })
	b.None()
	if third := b.Remember(); first != 0 || third != 2 {
		t.Errorf("slots %d and %d, want 0 and 2", first, third)
	}
}
