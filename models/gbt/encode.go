package gbt

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
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
	j.numbers(n, func(buf []byte, i int) []byte { return appendFloat(buf, f(i)) })
}

func (j *jsonWriter) ints(n int, f func(i int) int32) {
	j.numbers(n, func(buf []byte, i int) []byte { return strconv.AppendInt(buf, int64(f(i)), 10) })
}

// numbers is list for what is long.
func (j *jsonWriter) numbers(n int, number func(buf []byte, i int) []byte) {
	j.value()
	buf := append(j.buf, '[')
	for i := range n {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = number(buf, i)
	}
	j.buf = append(buf, ']')
}

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
	if f > -1<<24 && f < 1<<24 && f == float32(int32(f)) && (f != 0 || !math.Signbit(float64(f))) {
		return appendWhole(buf, int32(f))
	}
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

// appendWhole is appendFloat for the whole numbers that float32 tells apart. All
// of their digits are needed, but for zeros at the end; sums of hessians are such,
// and zeros.
func appendWhole(buf []byte, n int32) []byte {
	if n == 0 {
		return append(buf, '0', 'E', '0')
	}
	if n < 0 {
		buf, n = append(buf, '-'), -n
	}
	var digits [8]byte
	first, last := len(digits), 0 // the digits from first to last; last: not a zero
	for ; n > 0; n /= 10 {
		first--
		digits[first] = byte('0' + n%10)
		if last == 0 && digits[first] != '0' {
			last = first
		}
	}
	buf = append(buf, digits[first])
	if first < last {
		buf = append(append(buf, '.'), digits[first+1:last+1]...)
	}
	return append(buf, 'E', byte('0'+len(digits)-1-first))
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

// words begins a list of 32-bit numbers and returns where they are to be written.
func (u *ubjWriter) words(kind byte, n int) []byte {
	u.typed(kind, n)
	begin := len(u.buf)
	u.buf = slices.Grow(u.buf, 4*n)[:begin+4*n]
	return u.buf[begin:]
}

func (u *ubjWriter) floats(n int, f func(i int) float32) {
	words := u.words('d', n)
	for i := range n {
		binary.BigEndian.PutUint32(words[4*i:], math.Float32bits(f(i)))
	}
}

func (u *ubjWriter) ints(n int, f func(i int) int32) {
	words := u.words('l', n)
	for i := range n {
		binary.BigEndian.PutUint32(words[4*i:], uint32(f(i)))
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
	begin := len(u.buf)
	u.buf = slices.Grow(u.buf, n)[:begin+n]
	for i := range n {
		u.buf[begin+i] = byte(f(i))
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
