package mlflow

import (
	"encoding/json"
	"math"
	"strconv"
)

// scanner reads the plain part of JSON. Once it has met anything else it is
// unusual, and what it returns means nothing.
type scanner struct {
	text    []byte
	at      int
	unusual bool
	last    string // the last string read, which the next often equals
}

// space skips white space and returns the byte after it, 0 at the end.
func (s *scanner) space() byte {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.at++
	}
	return 0
}

// take skips white space and the byte c.
func (s *scanner) take(c byte) {
	if s.space() != c {
		s.unusual = true
		return
	}
	s.at++
}

// object reads an object; field reads the value of the field it is told of.
func (s *scanner) object(field func(name []byte)) {
	s.items('{', '}', func() {
		name := s.quoted()
		s.take(':')
		if !s.unusual {
			field(name)
		}
	})
}

// list reads a list; item reads an item.
func (s *scanner) list(item func()) { s.items('[', ']', item) }

func (s *scanner) items(begin, end byte, item func()) {
	s.take(begin)
	if s.space() == end {
		s.at++
		return
	}
	for !s.unusual {
		item()
		if s.space() == end {
			s.at++
			return
		}
		s.take(',')
	}
}

// quoted returns what is between the quotes of a string without escapes.
func (s *scanner) quoted() []byte {
	s.take('"')
	from := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c == '"' {
			s.at++
			return s.text[from : s.at-1]
		}
		if c == '\\' || c < ' ' {
			break
		}
		s.at++
	}
	s.unusual = true
	return nil
}

func (s *scanner) string() string {
	if s.unusual {
		return ""
	}
	s.space()
	from := s.at
	text := s.quoted()
	if s.unusual {
		s.unusual, s.at = false, from
		return s.escaped()
	}
	if string(text) != s.last {
		s.last = string(text)
	}
	return s.last
}

// escaped reads a string with escapes.
func (s *scanner) escaped() (text string) {
	from := s.at
	s.take('"')
	for ; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
	if s.unusual || s.at > len(s.text) || json.Unmarshal(s.text[from:s.at], &text) != nil {
		s.unusual = true
	}
	return text
}

// digits returns the number that is next, as text.
func (s *scanner) digits() []byte {
	s.space()
	from := s.at
	for s.at < len(s.text) {
		c := s.text[s.at]
		if (c < '0' || c > '9') && c != '-' && c != '.' && c != 'e' && c != 'E' && c != '+' {
			break
		}
		s.at++
	}
	text := s.text[from:s.at]
	leading := text
	if len(leading) > 0 && leading[0] == '-' {
		leading = leading[1:]
	}
	if len(leading) == 0 || leading[0] < '0' || leading[0] > '9' || len(leading) > 1 && leading[0] == '0' && leading[1] != '.' {
		s.unusual = true // JSON has no such number, or it is rare
	}
	return text
}

// float reads a number or "NaN".
func (s *scanner) float() float64 {
	if s.space() == '"' {
		if string(s.quoted()) != "NaN" {
			s.unusual = true
		}
		return math.NaN()
	}
	text := s.digits()
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || text[len(text)-1] == '.' {
		s.unusual = true
	}
	return f
}

func (s *scanner) integer() int64 {
	n, err := strconv.ParseInt(string(s.digits()), 10, 64)
	if err != nil {
		s.unusual = true
	}
	return n
}
