//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	p11 "github.com/miekg/pkcs11"
)

// token is one session with one token of a loaded library.
type token struct {
	module  *p11.Ctx
	owned   bool // C_Initialize was ours, so C_Finalize is too
	session p11.SessionHandle
	info    p11.TokenInfo
}

// openToken loads the library and opens a session with the one token that fits.
func openToken(u *URI, path string) (*token, error) {
	module := p11.New(path)
	if module == nil {
		return nil, fmt.Errorf("module-path: %s is no PKCS #11 library that can be loaded here", path)
	}
	t := &token{module: module}
	switch err := module.Initialize(); {
	case err == nil:
		t.owned = true
	case !errors.Is(err, p11.Error(p11.CKR_CRYPTOKI_ALREADY_INITIALIZED)):
		module.Destroy()
		return nil, fmt.Errorf("the PKCS #11 library did not start: %w", err)
	}
	slot, err := t.findSlot(u)
	if err == nil {
		t.session, err = module.OpenSession(slot, p11.CKF_SERIAL_SESSION)
	}
	if err != nil {
		return nil, errors.Join(err, t.unload())
	}
	return t, nil
}

// close ends the session. It logs nobody out by name: the login ends with the
// last session of the process, and another key may have one.
func (t *token) close() error {
	return errors.Join(t.module.CloseSession(t.session), t.unload())
}

func (t *token) unload() error {
	var err error
	if t.owned {
		err = t.module.Finalize()
	}
	t.module.Destroy()
	return err
}

// findSlot gives the slot of the one token that fits the URI.
func (t *token) findSlot(u *URI) (uint, error) {
	if library, err := t.module.GetInfo(); err != nil {
		return 0, fmt.Errorf("the PKCS #11 library says nothing about itself: %w", err)
	} else if !u.fitsLibrary(library) {
		return 0, errors.New("the PKCS #11 library is not the one that the URI's library attributes name")
	}
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("the PKCS #11 library lists no slots: %w", err)
	}
	var found []uint
	var labels []string
	for _, slot := range slots {
		info, err := t.module.GetTokenInfo(slot)
		if err != nil || info.Flags&p11.CKF_TOKEN_INITIALIZED == 0 {
			continue // no token there any more, or SoftHSM's place for the next one
		}
		where, err := t.module.GetSlotInfo(slot)
		if err != nil {
			continue
		}
		labels = append(labels, strconv.Quote(info.Label))
		if u.fitsToken(info) && u.fitsSlot(slot, where) {
			found = append(found, slot)
			t.info = info
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, fmt.Errorf("no token fits %s: the library has the tokens [%s]", u, strings.Join(labels, ", "))
	}
	return 0, fmt.Errorf("%d tokens fit %s: add token=, serial= or slot-id=", len(found), u)
}

func (u *URI) fitsLibrary(info p11.Info) bool {
	version := fmt.Sprintf("%d.%d", info.LibraryVersion.Major, info.LibraryVersion.Minor)
	if want, ok := u.match["library-version"]; ok && want != version && want+".0" != version {
		return false // RFC 7512, section 2.3: 2 is 2.0
	}
	return u.fits("library-manufacturer", info.ManufacturerID) && u.fits("library-description", info.LibraryDescription)
}

func (u *URI) fitsToken(info p11.TokenInfo) bool {
	return u.fits("token", info.Label) && u.fits("serial", info.SerialNumber) &&
		u.fits("model", info.Model) && u.fits("manufacturer", info.ManufacturerID)
}

func (u *URI) fitsSlot(id uint, info p11.SlotInfo) bool {
	return u.fits("slot-id", strconv.FormatUint(uint64(id), 10)) &&
		u.fits("slot-manufacturer", info.ManufacturerID) && u.fits("slot-description", info.SlotDescription)
}

// fits compares as PKCS #11 stores text: padded with spaces.
func (u *URI) fits(name, got string) bool {
	want, asked := u.match[name]
	return !asked || strings.TrimRight(want, " ") == strings.TrimRight(got, " \x00")
}

// login tries the PIN once, where the token wants one, and gives it.
func (t *token) login(ctx context.Context, u *URI, opt Options) (string, error) {
	flags := t.info.Flags
	switch {
	case flags&p11.CKF_LOGIN_REQUIRED == 0:
		return "", nil
	case flags&p11.CKF_USER_PIN_INITIALIZED == 0:
		return "", fmt.Errorf("the token %q has no user PIN yet: set one with its own tools", t.info.Label)
	case flags&p11.CKF_USER_PIN_LOCKED != 0:
		return "", fmt.Errorf("the PIN of the token %q is locked: unlock it with its own tools", t.info.Label)
	}
	pin := ""
	if flags&p11.CKF_PROTECTED_AUTHENTICATION_PATH == 0 {
		var err error
		if pin, err = u.pin(ctx, t.info.Label, opt); err != nil {
			return "", err
		}
	}
	err := t.module.Login(t.session, p11.CKU_USER, pin)
	switch {
	case err == nil, errors.Is(err, p11.Error(p11.CKR_USER_ALREADY_LOGGED_IN)):
		return pin, nil
	case errors.Is(err, p11.Error(p11.CKR_PIN_INCORRECT)):
		return "", fmt.Errorf("the token %q does not take the PIN%s: %w", t.info.Label, triesLeft(flags), err)
	}
	return "", fmt.Errorf("login to the token %q: %w", t.info.Label, err)
}

// triesLeft warns by the flags of before this try.
func triesLeft(flags uint) string {
	switch {
	case flags&p11.CKF_USER_PIN_FINAL_TRY != 0:
		return ", and it is locked now"
	case flags&p11.CKF_USER_PIN_COUNT_LOW != 0:
		return ", and few tries are left"
	}
	return ""
}
