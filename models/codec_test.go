package models

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/taximeter/taximeter/features"
)

func TestZeroEncodingIsPair(t *testing.T) {
	m := fitted(t, features.Pair)[0]
	unnamed := *m
	unnamed.Encoding = ""
	a, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(&unnamed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("a model with the default encoding unnamed has other bytes")
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: predicts %v after decoding, %v before", m, got, want)
		}
		again, err := Encode(back)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: bytes changed in a round trip, %v", m, err)
		}
		for _, n := range []int{0, 5, len(magic), len(magic) + 3, len(b) / 2, len(b) - 1} {
			if _, err := Decode(b[:n]); err == nil {
				t.Errorf("%s: the first %d bytes decode", m, n)
			}
		}
		if _, err := Decode(append(b, 0)); err == nil {
			t.Errorf("%s: a byte too many decodes", m)
		}
	}
}

// Stores may still hold what the first version wrote.
func TestDecodeFirstVersion(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		regressor, err := m.modelJSON()
		if err != nil {
			t.Fatal(err)
		}
		vectorizer, err := m.vectorizerJSON()
		if err != nil {
			t.Fatal(err)
		}
		b := []byte("taximeter model 1\n")
		for _, part := range [][]byte{[]byte(m.Kind), vectorizer, regressor} {
			b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: predicts %v after decoding, %v before", m, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range fitted(f, features.Pair) {
		b, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		out := make([]float32, len(someRides))
		if err := m.PredictRides(someRides, out); err != nil {
			t.Fatalf("a decoded model does not predict: %v", err)
		}
		if _, err := Encode(m); err != nil {
			t.Fatalf("a decoded model does not encode: %v", err)
		}
	})
}
