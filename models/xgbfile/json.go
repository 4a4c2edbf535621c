package xgbfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// jsonReader reads JSON as XGBoost writes it, with NaN and Infinity.
type jsonReader struct {
	data  []byte
	at    int
	depth int
}

var errCut = errors.New("the file is cut short")

// next is the first byte that is not white space, 0 at the end.
func (j *jsonReader) next() byte {
	for ; j.at < len(j.data); j.at++ {
		switch c := j.data[j.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (j *jsonReader) want(c byte) error {
	if j.next() == c && j.at < len(j.data) {
		j.at++
		return nil
	}
	return j.wrong(fmt.Sprintf("want %q", c))
}

func (j *jsonReader) wrong(what string) error {
	if j.next(); j.at >= len(j.data) {
		return errCut
	}
	return fmt.Errorf("%s at byte %d, have %.20q", what, j.at, j.data[j.at:min(j.at+20, len(j.data))])
}

// each reads what stands between open and shut, with commas between.
func (j *jsonReader) each(open, shut byte, one func() error) error {
	if err := j.want(open); err != nil {
		return err
	}
	if j.depth++; j.depth > maxDepth {
		return errors.New("values are nested too deep")
	}
	defer func() { j.depth-- }()
	if j.next() == shut {
		j.at++
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		if j.next() == shut {
			j.at++
			return nil
		}
		if err := j.want(','); err != nil {
			return err
		}
	}
}

func (j *jsonReader) Object(member func(string) error) error {
	return j.each('{', '}', func() error {
		key, err := j.quoted()
		if err != nil {
			return err
		}
		if err := j.want(':'); err != nil {
			return err
		}
		return member(key)
	})
}

func (j *jsonReader) List(element func() error) error { return j.each('[', ']', element) }

// quoted reads a string.
func (j *jsonReader) quoted() (string, error) {
	if j.next() != '"' {
		return "", j.wrong("want a string")
	}
	plain := true
	for end := j.at + 1; end < len(j.data); end++ {
		switch j.data[end] {
		case '\\':
			plain = false
			end++
		case '"':
			token := j.data[j.at : end+1]
			if plain {
				j.at = end + 1
				return strings.ToValidUTF8(string(token[1:len(token)-1]), "\uFFFD"), nil
			}
			var s string
			if err := json.Unmarshal(token, &s); err != nil {
				return "", j.wrong("want a string")
			}
			j.at = end + 1
			return s, nil
		}
	}
	return "", errCut
}

// word reads what is neither string nor container.
func (j *jsonReader) word() ([]byte, error) {
	j.next()
	end := j.at
	for end < len(j.data) {
		c := j.data[end]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.' {
			end++
			continue
		}
		break
	}
	if end == j.at {
		return nil, j.wrong("want a number")
	}
	w := j.data[j.at:end]
	j.at = end
	return w, nil
}

func (j *jsonReader) Text() (string, error) {
	if j.next() == '"' {
		return j.quoted()
	}
	w, err := j.word()
	return string(w), err
}

// commas is the most elements that the list ahead can have.
func (j *jsonReader) commas() int {
	j.next()
	end := bytes.IndexByte(j.data[j.at:], ']')
	return 1 + bytes.Count(j.data[j.at:j.at+max(end, 0)], []byte(","))
}

func (j *jsonReader) Floats() ([]float32, error) {
	all := make([]float32, 0, j.commas())
	err := j.List(func() error {
		w, err := j.word()
		if err != nil {
			return err
		}
		v, err := jsonFloat(string(w))
		all = append(all, v)
		return err
	})
	return all, err
}

// jsonFloat reads what JSON takes for a number, and XGBoost's other three.
func jsonFloat(s string) (float32, error) {
	switch s {
	case "NaN":
		return float32(math.NaN()), nil
	case "Infinity":
		return float32(math.Inf(1)), nil
	case "-Infinity":
		return float32(math.Inf(-1)), nil
	}
	if c := s[len(s)-1]; s[0] == '+' || c < '0' || c > '9' || strings.ContainsAny(s, "xX") {
		return 0, fmt.Errorf("%.20q is not a number", strings.Clone(s)) // so that s stays on the stack
	}
	f, err := strconv.ParseFloat(s, 32)
	return float32(f), err
}

func (j *jsonReader) Ints() ([]int32, error) {
	all := make([]int32, 0, j.commas())
	err := j.List(func() error {
		w, err := j.word()
		if err != nil {
			return err
		}
		var n int64
		switch string(w) {
		case "true":
			n = 1
		case "false":
		default:
			n, err = strconv.ParseInt(string(w), 10, 32)
		}
		all = append(all, int32(n))
		return err
	})
	return all, err
}

func (j *jsonReader) Skip() error {
	switch j.next() {
	case '{':
		return j.Object(func(string) error { return j.Skip() })
	case '[':
		return j.List(j.Skip)
	}
	_, err := j.Text()
	return err
}

func (j *jsonReader) End() error {
	if j.next(); j.at < len(j.data) {
		return j.wrong("want the end")
	}
	return nil
}
