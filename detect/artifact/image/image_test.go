package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/format/formattest"
	"bartizan/finding"
)

func pictures(t testing.TB, side int) map[string][]byte {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, side, side), palette.Plan9)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	out := map[string][]byte{}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	out["png"] = bytes.Clone(b.Bytes())
	b.Reset()
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	out["jpeg"] = bytes.Clone(b.Bytes())
	b.Reset()
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{img, img}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	out["gif"] = bytes.Clone(b.Bytes())
	out["webp"] = webp(40)
	bmp := make([]byte, 54+side*side*3)
	copy(bmp, "BM")
	binary.LittleEndian.PutUint32(bmp[2:], uint32(len(bmp)))
	binary.LittleEndian.PutUint32(bmp[10:], 54)
	binary.LittleEndian.PutUint32(bmp[14:], 40)
	out["bmp"] = bmp
	return out
}

func webp(n int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8 ")
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = append(b, make([]byte, n)...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func TestPictures(t *testing.T) {
	for _, side := range []int{1, 16, 400} {
		for name, b := range pictures(t, side) {
			o := formattest.Bytes(t, "a."+name, b, Formats()...)
			if strings.Join(o.Formats, ",") != name || o.Verdict != finding.Clean || len(o.Findings) > 0 {
				t.Errorf("%s of %d: %v %v %v %v", name, side, o.Formats, o.Verdict, o.Rules(), o.Reasons)
			}
			long := append(bytes.Clone(b), "PK\x03\x04 and more"...)
			o = formattest.Bytes(t, "a."+name, long, Formats()...)
			if !slices.Equal(o.Rules(), []string{"image/trailing-data"}) || len(o.Children) != 1 || !o.Children[0].Probed {
				t.Errorf("%s with more behind it: %v %v", name, o.Rules(), o.Reasons)
				continue
			}
			if got, _ := o.Children[0].Blob.Load(99); string(got) != "PK\x03\x04 and more" {
				t.Errorf("%s: child %q", name, got)
			}
			for _, cut := range []int{1, 2, 5, len(b) / 2} {
				if len(b)-cut < 30 || name == "gif" && cut == 1 { // a picture without its trailer is whole
					continue
				}
				o = formattest.Bytes(t, "a."+name, b[:len(b)-cut], Formats()...)
				if o.Verdict == finding.Clean {
					t.Errorf("%s without its last %d bytes is clean", name, cut)
				}
			}
		}
	}
}

func TestDamage(t *testing.T) {
	b := pictures(t, 16)["png"]
	b[40] ^= 1
	if o := formattest.Bytes(t, "a.png", b, Formats()...); !o.Has("malformed") {
		t.Errorf("a chunk's checksum is not looked at: %v", o.Reasons)
	}
	if o := formattest.Bytes(t, "bad.pt", []byte(pngMagic), Formats()...); !o.Has("truncated") || o.Verdict != finding.Review {
		t.Errorf("signature alone: %v", o.Reasons)
	}
	for _, s := range []string{"BM", "BMW is a car and this is a text about it, you know", "RIFF", "GIF8", "\xff\xd8"} {
		if o := formattest.Bytes(t, "a", []byte(s), Formats()...); o.Matched {
			t.Errorf("%q is recognised as %v", s, o.Formats)
		}
	}
}

func TestSVG(t *testing.T) {
	tests := []struct {
		content string
		rules   []string
	}{
		{`<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>`, nil},
		{`<?xml version="1.0"?><svg><text>on time = now</text></svg>`, nil},
		{`<svg><script>alert(1)</script></svg>`, []string{"image/active-svg"}},
		{`<svg onload="alert(1)"></svg>`, []string{"image/active-svg"}},
		{`<svg><a href="JavaScript:alert(1)"/></svg>`, []string{"image/active-svg"}},
		{`<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>`, []string{"image/active-svg"}},
	}
	for _, tt := range tests {
		o := formattest.Bytes(t, "a.svg", []byte(tt.content), Formats()...)
		if !o.Matched || !slices.Equal(o.Rules(), tt.rules) || o.Coverage != finding.Complete {
			t.Errorf("%s: %v %v", tt.content, o.Rules(), o.Reasons)
		}
	}
	if o := formattest.Bytes(t, "a.svg", []byte("<svg><path"), Formats()...); !o.Has("truncated") {
		t.Errorf("cut drawing: %v", o.Reasons)
	}
}

func TestCorpus(t *testing.T) {
	seen := 0
	formattest.Corpus(t, "picklescan", func(name string, b []byte) {
		if !strings.HasSuffix(name, "bad_pytorch.pt") {
			return
		}
		seen++
		if o := formattest.Bytes(t, name, b, Formats()...); !o.Has("truncated") {
			t.Errorf("%s: %v", name, o.Reasons)
		}
	})
	if seen != 1 {
		t.Errorf("%d files, want 1", seen)
	}
}

func TestRules(t *testing.T) {
	var rules []finding.Rule
	for _, f := range Formats() {
		rules = append(rules, f.Rules()...)
	}
	if _, err := finding.NewCatalogue(rules); err != nil {
		t.Error(err)
	}
	if len(rules) != len(Rules()) {
		t.Errorf("%d rules by format, %d in all", len(rules), len(Rules()))
	}
}

func FuzzScan(f *testing.F) {
	for _, b := range pictures(f, 4) {
		f.Add(b)
	}
	f.Add([]byte("<svg onload='x'></svg>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := formattest.Bytes(t, "a", b, Formats()...)
		for _, c := range o.Children {
			if c.Blob.Size() >= int64(len(b)) {
				t.Error("nothing but trailing data")
			}
		}
	})
}
