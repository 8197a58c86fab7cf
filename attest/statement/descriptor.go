package statement

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Descriptor names a thing: a subject, an input, a by-product. It is the
// ResourceDescriptor of in-toto (spec/v1/resource_descriptor.md), which demands
// at least one of URI, Digest and Content.
type Descriptor struct {
	Name             string  `json:"name,omitzero"`
	URI              string  `json:"uri,omitzero"`
	Digest           Digests `json:"digest,omitempty"`
	Content          []byte  `json:"content,omitempty"`
	DownloadLocation string  `json:"downloadLocation,omitzero"`
	MediaType        string  `json:"mediaType,omitzero"`
	// Annotations hold any JSON value. What those of this project mean stands
	// with the predicate that uses them.
	Annotations map[string]jsontext.Value `json:"annotations,omitempty"`
}

// Annotate sets an annotation to a text.
func (d *Descriptor) Annotate(name, text string) {
	if d.Annotations == nil {
		d.Annotations = map[string]jsontext.Value{}
	}
	d.Annotations[name] = Text(text)
}

// Text gives a text as JSON. Bytes that are not UTF-8 are replaced.
func Text(text string) jsontext.Value {
	quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return jsontext.Value(`""`) // never: it is UTF-8
	}
	return quoted
}

// Annotation gives an annotation that is a text, or "".
func (d *Descriptor) Annotation(name string) string {
	raw := d.Annotations[name]
	if raw.Kind() != '"' {
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(text)
}

func (d *Descriptor) check() error {
	switch {
	case d.URI == "" && len(d.Digest) == 0 && len(d.Content) == 0:
		return errors.New("neither uri, digest nor content")
	case len(d.Name) > MaxName:
		return fmt.Errorf("a name of %d bytes, more than %d", len(d.Name), MaxName)
	case !utf8.ValidString(d.Name) || !utf8.ValidString(d.MediaType):
		return errors.New("a name or media type that is not UTF-8")
	case len(d.MediaType) > MaxName:
		return fmt.Errorf("a media type of %d bytes, more than %d", len(d.MediaType), MaxName)
	case len(d.Content) > MaxContent:
		return fmt.Errorf("content of %d bytes, more than %d", len(d.Content), MaxContent)
	case len(d.Annotations) > MaxAnnotation:
		return fmt.Errorf("%d annotations, more than %d", len(d.Annotations), MaxAnnotation)
	}
	for _, uri := range []string{d.URI, d.DownloadLocation} {
		if uri == "" {
			continue
		}
		if err := checkURI(uri); err != nil {
			return err
		}
	}
	return d.Digest.check()
}

// checkDescriptors checks the descriptors of a list within a predicate.
func checkDescriptors(where string, list []Descriptor) error {
	if len(list) > MaxSubjects {
		return fmt.Errorf("%s: %d descriptors, more than %d", where, len(list), MaxSubjects)
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return fmt.Errorf("%s/%d: %w", where, i, err)
		}
	}
	return nil
}

// checkURI holds that a URI has a scheme (RFC 3986) and is not endless.
func checkURI(uri string) error {
	if uri == "" {
		return errors.New("the URI is missing")
	}
	if len(uri) > MaxURI {
		return fmt.Errorf("a URI of %d bytes, more than %d", len(uri), MaxURI)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return fmt.Errorf("%q is no URI", clip(uri))
	}
	return nil
}
