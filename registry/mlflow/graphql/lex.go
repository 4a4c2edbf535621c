package graphql

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type kind byte

const (
	end kind = iota
	name
	punctuation // one of ! $ & ( ) : = @ [ ] { | } and ...
	integer
	float
	text
)

// token is a word of a document. The value of a text is what it stands for.
type token struct {
	kind  kind
	value string
	line  int
}

// lexer cuts a document into tokens.
type lexer struct {
	rest string
	line int
}

func (l *lexer) next() (token, error) {
	l.skip()
	t := token{line: l.line}
	if l.rest == "" {
		return t, nil
	}
	switch c := l.rest[0]; {
	case isNameStart(c):
		t.kind, t.value = name, l.take(countWhile(l.rest, isNamePart))
	case c == '-' || isDigit(c):
		return l.number()
	case strings.HasPrefix(l.rest, `"""`):
		return l.block()
	case c == '"':
		return l.string()
	case strings.HasPrefix(l.rest, "..."):
		t.kind, t.value = punctuation, l.take(3)
	case strings.IndexByte("!$&():=@[]{|}", c) >= 0:
		t.kind, t.value = punctuation, l.take(1)
	default:
		r, _ := utf8.DecodeRuneInString(l.rest)
		return t, l.errorf("Unexpected character: %q.", r)
	}
	return t, nil
}

func (l *lexer) errorf(format string, args ...any) error { return syntaxError(l.line, format, args...) }

func syntaxError(line int, format string, args ...any) error {
	return fmt.Errorf("Syntax Error: %s (line %d)", fmt.Sprintf(format, args...), line)
}

// skip passes over what means nothing: blanks, commas, comments.
func (l *lexer) skip() {
	for l.rest != "" {
		switch l.rest[0] {
		case '\n':
			l.line++
			l.rest = l.rest[1:]
		case ' ', '\t', '\r', ',':
			l.rest = l.rest[1:]
		case '#':
			l.take(countWhile(l.rest, func(c byte) bool { return c != '\n' }))
		default:
			if !strings.HasPrefix(l.rest, "\ufeff") {
				return
			}
			l.take(len("\ufeff"))
		}
	}
}

func (l *lexer) take(n int) string {
	taken := l.rest[:n]
	l.rest = l.rest[n:]
	return taken
}

func (l *lexer) number() (token, error) {
	n := countWhile(l.rest, func(c byte) bool { return isNamePart(c) || strings.IndexByte("+-.", c) >= 0 })
	t := token{integer, l.take(n), l.line}
	if _, err := strconv.ParseInt(t.value, 10, 64); err != nil {
		t.kind = float
		if _, err := strconv.ParseFloat(t.value, 64); err != nil || strings.ContainsAny(t.value, "xX_pP") {
			return t, l.errorf("Invalid number: %q.", t.value)
		}
	}
	return t, nil
}

func (l *lexer) string() (token, error) {
	t := token{kind: text, line: l.line}
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '\\':
			i++
		case c < ' ' && c != '\t':
			return t, l.errorf("Unterminated string.")
		case c == '"':
			// Escapes are JSON's, which takes no bare tabs.
			quoted := strings.ReplaceAll(l.take(i+1), "\t", `\t`)
			if err := json.Unmarshal([]byte(quoted), &t.value); err != nil {
				return t, l.errorf("Invalid string: %.100s.", quoted)
			}
			return t, nil
		}
	}
	return t, l.errorf("Unterminated string.")
}

func (l *lexer) block() (token, error) {
	t := token{kind: text, line: l.line}
	value, rest, found := strings.Cut(l.rest[3:], `"""`)
	if !found {
		return t, l.errorf("Unterminated string.")
	}
	l.line += strings.Count(value, "\n")
	t.value, l.rest = strings.TrimSpace(value), rest
	return t, nil
}

func countWhile(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

func isNameStart(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isNamePart(c byte) bool  { return isNameStart(c) || isDigit(c) }
