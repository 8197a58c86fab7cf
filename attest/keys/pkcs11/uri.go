package pkcs11

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Scheme begins every URI of a key in a token.
const Scheme = "pkcs11:"

const maxURI = 4096 // bytes; no attribute of PKCS #11 is longer than 64

// URI names a private key in a token, as RFC 7512 writes it. Its text form
// never shows the PIN.
type URI struct {
	// match has the attributes that token, slot, library and object must have,
	// by their names in RFC 7512, without id.
	match map[string]string
	id    []byte // CKA_ID, nil where it was not given
	// ModulePath is the library to load.
	ModulePath string
	pinSource  string
	pinValue   string
	hasPIN     bool
}

// ParseURI reads "pkcs11:token=…;object=…;id=%01?module-path=/…&pin-source=/…".
// It wants a module-path, and refuses unknown attributes, as the RFC asks,
// attributes that stand twice, and both PIN attributes at once. Errors name
// attributes and never repeat values: one of them is the PIN.
func ParseURI(text string) (*URI, error) {
	switch {
	case len(text) > maxURI:
		return nil, fmt.Errorf("pkcs11 URI: longer than %d bytes", maxURI)
	case !strings.HasPrefix(text, Scheme):
		return nil, errors.New("pkcs11 URI: want one that begins with pkcs11 and a colon")
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(text, Scheme), "?")
	u := &URI{match: map[string]string{}}
	if err := eachAttribute(path, ";", u.setPath); err != nil {
		return nil, err
	}
	if err := eachAttribute(query, "&", u.setQuery); err != nil {
		return nil, err
	}
	return u, u.check()
}

// IsURI says whether text names a key in a token and not a file.
func IsURI(text string) bool { return strings.HasPrefix(text, Scheme) }

func eachAttribute(part, separator string, set func(name, value string) error) error {
	seen := map[string]bool{}
	for attribute := range strings.SplitSeq(part, separator) {
		if attribute == "" {
			continue // "pkcs11:" alone, or a separator at the end
		}
		name, raw, ok := strings.Cut(attribute, "=")
		if !ok {
			return errors.New("pkcs11 URI: an attribute without =: percent-encode ; and & within values")
		}
		if seen[name] {
			return fmt.Errorf("pkcs11 URI: %s stands twice", clip(name))
		}
		seen[name] = true
		value, err := url.PathUnescape(raw)
		if err != nil {
			return fmt.Errorf("pkcs11 URI: %s: a %% that two hexadecimal digits do not follow", clip(name))
		}
		if name != "id" && (!utf8.ValidString(value) || strings.ContainsRune(value, 0)) {
			return fmt.Errorf("pkcs11 URI: %s: no UTF-8 text", clip(name))
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *URI) setPath(name, value string) error {
	switch name {
	case "id":
		if value == "" {
			return errors.New("pkcs11 URI: id is empty")
		}
		u.id = []byte(value)
	case "type":
		if value != "private" {
			return fmt.Errorf("pkcs11 URI: type=%s: a private key signs", clip(value))
		}
	case "token", "manufacturer", "serial", "model", "object", "slot-id", "slot-manufacturer",
		"slot-description", "library-manufacturer", "library-description", "library-version":
		u.match[name] = value
	default:
		return fmt.Errorf("pkcs11 URI: unknown attribute %s", clip(name))
	}
	return nil
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.ModulePath = value
	case "pin-value":
		u.pinValue, u.hasPIN = value, true
	case "pin-source":
		u.pinSource = value
	case "module-name":
		return errors.New("pkcs11 URI: module-name is not looked up: give the library's absolute path as module-path")
	default:
		return fmt.Errorf("pkcs11 URI: unknown query attribute %s", clip(name))
	}
	return nil
}

func (u *URI) check() error {
	switch {
	case u.ModulePath == "":
		return errors.New("pkcs11 URI: no module-path: append ?module-path=/usr/lib/softhsm/libsofthsm2.so or your token's library")
	case !filepath.IsAbs(u.ModulePath):
		return errors.New("pkcs11 URI: module-path is not absolute: a library is never searched for")
	case u.hasPIN && u.pinSource != "":
		return errors.New("pkcs11 URI: both pin-value and pin-source")
	case u.match["object"] == "" && u.id == nil:
		return errors.New("pkcs11 URI: neither object nor id: which key is meant cannot be known")
	}
	return nil
}

// pinFile gives the path of the file that pin-source names. RFC 7512 leaves the
// form open; an absolute path and a file: URI are in use. "|command" is not run.
func (u *URI) pinFile() (string, error) {
	path := u.pinSource
	if strings.HasPrefix(path, "file:") {
		parsed, err := url.Parse(path)
		if err != nil || parsed.Opaque != "" || parsed.Host != "" && parsed.Host != "localhost" {
			return "", errors.New("pkcs11 URI: pin-source: a file: URI of this machine looks like file:/run/secrets/pin")
		}
		path = parsed.Path
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("pkcs11 URI: pin-source is neither an absolute path nor a file: URI")
	}
	return path, nil
}

// String gives the URI without its query: neither the PIN nor where it is.
func (u *URI) String() string {
	var parts []string
	for _, name := range attributeOrder() {
		if value, ok := u.match[name]; ok {
			parts = append(parts, name+"="+url.PathEscape(value))
		}
	}
	if u.id != nil {
		var id strings.Builder
		for _, b := range u.id {
			id.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{b})))
		}
		parts = append(parts, "id="+id.String())
	}
	return Scheme + strings.Join(parts, ";")
}

// GoString keeps the PIN out of %#v.
func (u *URI) GoString() string { return u.String() }

// Format keeps the PIN out of every verb of package fmt.
func (u *URI) Format(f fmt.State, _ rune) { fmt.Fprint(f, u.String()) }

func attributeOrder() []string {
	return []string{"library-manufacturer", "library-description", "library-version", "slot-manufacturer",
		"slot-description", "slot-id", "manufacturer", "model", "serial", "token", "object"}
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
