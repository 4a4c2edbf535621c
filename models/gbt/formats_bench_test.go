package gbt

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// BenchmarkFormats writes and reads the model of a synthetic month.
func BenchmarkFormats(b *testing.B) {
	e, err := Fit(context.Background(), month(1, 74_000), nil, course, nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, format := range map[string]Format{"json": {}, "ubjson": {UBJSON: true}} {
		var file bytes.Buffer
		if err := e.Write(&file, format); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/write", func(b *testing.B) {
			b.SetBytes(int64(file.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Write(io.Discard, format); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/read", func(b *testing.B) {
			b.SetBytes(int64(file.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(bytes.NewReader(file.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
