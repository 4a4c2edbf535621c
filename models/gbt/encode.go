package gbt

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// jsonWriter is the encoder of XGBoost's JSON, which has no white space.
type jsonWriter struct {
	*output
	after bool // something stands before in the same container: a comma is due
}

func (j *jsonWriter) value() {
	if j.after {
		j.buf = append(j.buf, ',')
	}
	j.after = true
}

func (j *jsonWriter) open()  { j.value(); j.buf = append(j.buf, '{'); j.after = false }
func (j *jsonWriter) close() { j.buf = append(j.buf, '}'); j.after = true }

func (j *jsonWriter) key(name string) {
	j.text(name)
	j.buf = append(j.buf, ':')
	j.after = false
}

func (j *jsonWriter) int(n int) {
	j.value()
	j.buf = strconv.AppendInt(j.buf, int64(n), 10)
}

func (j *jsonWriter) list(n int, element func(i int)) {
	j.value()
	j.buf = append(j.buf, '[')
	j.after = false
	for i := range n {
		element(i)
	}
	j.buf = append(j.buf, ']')
	j.after = true
}

func (j *jsonWriter) floats(n int, f func(i int) float32) {
	j.list(n, func(i int) { j.value(); j.buf = appendFloat(j.buf, f(i)) })
}

func (j *jsonWriter) ints(n int, f func(i int) int32)  { j.list(n, func(i int) { j.int(int(f(i))) }) }
func (j *jsonWriter) longs(n int, f func(i int) int32) { j.ints(n, f) }
func (j *jsonWriter) bytes(n int, f func(i int) int32) { j.ints(n, f) }

// text quotes s as XGBoost's charconv.h, EscapeU8; bytes that are not UTF-8
// become U+FFFD.
func (j *jsonWriter) text(s string) {
	j.value()
	j.buf = append(j.buf, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			j.buf = append(j.buf, '\\', byte(r))
		case r >= '\b' && r <= '\r' && r != '\v':
			j.buf = append(j.buf, '\\', "btn.fr"[r-'\b'])
		case r < ' ':
			j.buf = fmt.Appendf(j.buf, `\u%04x`, r)
		default:
			j.buf = utf8.AppendRune(j.buf, r)
		}
	}
	j.buf = append(j.buf, '"')
}

// appendFloat appends the shortest digits that read back as f, always with an
// exponent: XGBoost takes 12 for an integer and refuses it.
func appendFloat(buf []byte, f float32) []byte {
	if f-f != 0 { // as XGBoost spells what no sensible fit has
		switch {
		case f > 0:
			return append(buf, "Infinity"...)
		case f < 0:
			return append(buf, "-Infinity"...)
		default:
			return append(buf, "NaN"...)
		}
	}
	b := strconv.AppendFloat(buf, float64(f), 'E', -1, 32)
	e := len(b) - 4 // of E+00, as Go pads exponents; XGBoost does not
	if b[e-1]&1 == 1 && f*(1<<16) == float32(math.Trunc(float64(f*(1<<16)))) {
		// If f lies midway between two shortest answers, Go takes the greater one
		// and XGBoost the even one. Such a float has few binary places, and its
		// exact digits are the shortest and a 5.
		start := len(buf)
		exact := strconv.AppendFloat(make([]byte, 0, 32), float64(f), 'E', -1, 64)
		if len(exact) == len(b)-start+1 && exact[e-start] == '5' {
			b[e-1]--
		}
	}
	if b[e+2] == '0' {
		b = append(b[:e+2], b[e+3])
	}
	if b[e+1] == '+' {
		b = append(b[:e+1], b[e+2:]...)
	}
	return b
}

// ubjWriter is the encoder of XGBoost's UBJSON: lists say how many they have,
// and those of numbers their type; objects end with a marker.
type ubjWriter struct{ *output }

func (u *ubjWriter) open()  { u.buf = append(u.buf, '{') }
func (u *ubjWriter) close() { u.buf = append(u.buf, '}') }

func (u *ubjWriter) length(n int) {
	u.buf = binary.BigEndian.AppendUint64(append(u.buf, 'L'), uint64(n))
}

func (u *ubjWriter) key(name string) {
	u.length(len(name))
	u.buf = append(u.buf, name...)
}

func (u *ubjWriter) text(s string) {
	u.buf = append(u.buf, 'S')
	u.key(s)
}

// int writes as XGBoost's json.cc, UBJWriter::Visit: in the least bytes, but
// that the ends of a range count to the next one.
func (u *ubjWriter) int(n int) {
	switch {
	case n > math.MinInt8 && n < math.MaxInt8:
		u.buf = append(u.buf, 'i', byte(n))
	case n > math.MinInt16 && n < math.MaxInt16:
		u.buf = binary.BigEndian.AppendUint16(append(u.buf, 'I'), uint16(n))
	default:
		u.buf = binary.BigEndian.AppendUint32(append(u.buf, 'l'), uint32(n))
	}
}

func (u *ubjWriter) list(n int, element func(i int)) {
	u.buf = append(u.buf, '[', '#')
	u.length(n)
	for i := range n {
		element(i)
	}
}

func (u *ubjWriter) typed(kind byte, n int) {
	u.buf = append(u.buf, '[', '$', kind, '#')
	u.length(n)
}

func (u *ubjWriter) floats(n int, f func(i int) float32) {
	u.typed('d', n)
	for i := range n {
		u.buf = binary.BigEndian.AppendUint32(u.buf, math.Float32bits(f(i)))
	}
}

func (u *ubjWriter) ints(n int, f func(i int) int32) {
	u.typed('l', n)
	for i := range n {
		u.buf = binary.BigEndian.AppendUint32(u.buf, uint32(f(i)))
	}
}

func (u *ubjWriter) longs(n int, f func(i int) int32) {
	u.typed('L', n)
	for i := range n {
		u.buf = binary.BigEndian.AppendUint64(u.buf, uint64(f(i)))
	}
}

func (u *ubjWriter) bytes(n int, f func(i int) int32) {
	u.typed('U', n)
	for i := range n {
		u.buf = append(u.buf, byte(f(i)))
	}
}

// pythonFloat is repr(f), which is how XGBoost's Python package writes scores.
func pythonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f != f:
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		s += ".0"
	}
	return s
}
