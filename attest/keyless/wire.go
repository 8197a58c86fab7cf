package keyless

import (
	"encoding/base64"
	"errors"
	"strconv"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The JSON of dev.sigstore.bundle.v1.Bundle
// (https://github.com/sigstore/protobuf-specs), in the names that every signer
// writes. Members that are not known are refused by the reader.

type wireBundle struct {
	MediaType string        `json:"mediaType"`
	Material  *wireMaterial `json:"verificationMaterial"`
	Message   *wireMessage  `json:"messageSignature"`
	Envelope  *wireEnvelope `json:"dsseEnvelope"`
}

type wireMaterial struct {
	PublicKey   *wireKey   `json:"publicKey"`
	Chain       *wireChain `json:"x509CertificateChain"`
	Certificate *wireRaw   `json:"certificate"`
	Entries     []*wireLog `json:"tlogEntries"`
	Timestamps  *wireTimes `json:"timestampVerificationData"`
}

type wireKey struct {
	Hint string `json:"hint"`
	Raw  blob   `json:"rawBytes"` // of signers before the hint
}

type wireRaw struct {
	Raw blob `json:"rawBytes"`
}

type wireChain struct {
	Certificates []*wireRaw `json:"certificates"`
}

type wireTimes struct {
	Tokens []*struct {
		Token blob `json:"signedTimestamp"`
	} `json:"rfc3161Timestamps"`
}

type wireMessage struct {
	Digest *struct {
		Algorithm algorithm `json:"algorithm"`
		Digest    blob      `json:"digest"`
	} `json:"messageDigest"`
	Signature blob `json:"signature"`
}

type wireEnvelope struct {
	Payload     blob   `json:"payload"`
	PayloadType string `json:"payloadType"`
	Signatures  []*struct {
		Signature blob   `json:"sig"`
		KeyID     string `json:"keyid"`
	} `json:"signatures"`
}

type wireLog struct {
	Index int64Text `json:"logIndex"`
	Log   *struct {
		KeyID blob `json:"keyId"`
	} `json:"logId"`
	Kind *struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	} `json:"kindVersion"`
	Time    int64Text `json:"integratedTime"`
	Promise *struct {
		Signature blob `json:"signedEntryTimestamp"`
	} `json:"inclusionPromise"`
	Proof *wireProof `json:"inclusionProof"`
	Body  blob       `json:"canonicalizedBody"`
}

type wireProof struct {
	Index      int64Text `json:"logIndex"`
	Root       blob      `json:"rootHash"`
	Size       int64Text `json:"treeSize"`
	Hashes     []blob    `json:"hashes"`
	Checkpoint *struct {
		Envelope string `json:"envelope"`
	} `json:"checkpoint"`
}

// blob is bytes in standard base64 with padding, written in the one way: no
// other alphabet, no line breaks, no bits that are set and not read. null is
// none, as in every protobuf document.
type blob []byte

var errBase64 = errors.New("no standard base64")

// UnmarshalJSON reads a string or null.
func (b *blob) UnmarshalJSON(raw []byte) error {
	*b = nil
	if string(raw) == "null" {
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return errBase64
	}
	data, err := decode64(s)
	*b = data
	return err
}

// decode64 refuses what Go's decoder would skip: line breaks.
func decode64(s string) ([]byte, error) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			return nil, errBase64
		}
	}
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return data, nil
}

// int64Text is a 64-bit integer as protobuf writes it, a string of digits, or
// as a number.
type int64Text int64

var errNumber = errors.New("no whole number")

// UnmarshalJSON reads digits, quoted or not, or null for 0.
func (n *int64Text) UnmarshalJSON(raw []byte) error {
	*n = 0
	if string(raw) == "null" {
		return nil
	}
	s := string(raw)
	if jsontext.Value(raw).Kind() == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			return errNumber
		}
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != s { // one way to write a number
		return errNumber
	}
	*n = int64Text(v)
	return nil
}

// algorithm is the name of dev.sigstore.common.v1.HashAlgorithm, or its number.
type algorithm string

// UnmarshalJSON reads a string or a number.
func (a *algorithm) UnmarshalJSON(raw []byte) error {
	*a = ""
	switch string(raw) {
	case "null", "0":
		return nil
	case "1":
		*a = "SHA2_256"
		return nil
	case "2":
		*a = "SHA2_384"
		return nil
	case "3":
		*a = "SHA2_512"
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New("no hash algorithm")
	}
	*a = algorithm(s)
	return nil
}
