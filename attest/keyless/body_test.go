package keyless

import "testing"

// FuzzBody reads bodies of log entries of each kind.
func FuzzBody(f *testing.F) {
	kinds := []string{"hashedrekord/0.0.1", "hashedrekord/0.0.2", "dsse/0.0.1", "dsse/0.0.2", "intoto/0.0.2"}
	for i := range kinds {
		f.Add(uint8(i), []byte(`{"spec":{"data":{"hash":{"algorithm":"sha256","value":"00"}},"signatures":[{"sig":"AA=="}]}}`))
		f.Add(uint8(i), []byte(`{"spec":{"content":{"envelope":{"signatures":[{}]}},"hashedRekordV002":null,"dsseV002":{"signatures":[{"verifier":{"publicKey":{"rawBytes":"AA=="}}}]}}}`))
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		k, err := bodyReaders[kinds[int(kind)%len(kinds)]](body)
		if err == nil && k == nil {
			t.Fatal("neither a claim nor an error")
		}
		if err == nil && k.hash != 0 && len(k.digest) != k.hash.Size() {
			t.Fatal("a digest of another length")
		}
	})
}
