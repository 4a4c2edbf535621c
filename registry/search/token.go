package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	word    tokenKind = iota // a name, keyword or anything else unquoted
	quoted                   // '…' or "…"
	numeral                  // 6.5, -20e-6
	symbol                   // <=
	group                    // (…)
)

type token struct {
	kind tokenKind
	text string // as in the input
	at   int    // offset in the input
}

func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

// tokenize cuts input into tokens. It takes anything; only a quote or
// parenthesis that is not closed is an error.
func tokenize(input string) ([]token, *Error) {
	var tokens []token
	for at := 0; at < len(input); {
		r, size := utf8.DecodeRuneInString(input[at:])
		if unicode.IsSpace(r) {
			at += size
			continue
		}
		kind, end := scan(input, at)
		if end < 0 {
			return nil, &Error{"Invalid clause(s) in filter string: '" + input[at:] + "'", input, at}
		}
		tokens = append(tokens, token{kind, input[at:end], at})
		at = end
	}
	return tokens, nil
}

// scan returns the kind and end of the token at at; the end is -1 if it is not closed.
func scan(input string, at int) (tokenKind, int) {
	c := input[at]
	switch {
	case c == '\'' || c == '"':
		return quoted, closing(input, at)
	case c == '(':
		return group, closingParen(input, at)
	case strings.IndexByte("=!<>", c) >= 0:
		end := at
		for end < len(input) && strings.IndexByte("=!<>", input[end]) >= 0 {
			end++
		}
		return symbol, end
	}
	if end := scanNumber(input, at); end > at {
		return numeral, end
	}
	return word, scanWord(input, at)
}

// closing returns the end of the quotation that begins at at. A quote doubled
// is part of it.
func closing(input string, at int) int {
	quote := input[at]
	for i := at + 1; i < len(input); i++ {
		if input[i] != quote {
			continue
		}
		if quote != '`' && i+1 < len(input) && input[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return -1
}

func closingParen(input string, at int) int {
	depth := 0
	for i := at; i < len(input); i++ {
		switch input[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		case '\'', '"', '`':
			end := closing(input, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		}
	}
	return -1
}

// scanNumber returns the end of the decimal number at at, or at when there is
// none: [+-] digits [. digits] [e [+-] digits], and no letter after it.
func scanNumber(input string, at int) int {
	i := at
	if input[i] == '+' || input[i] == '-' {
		i++
	}
	whole := digits(input, i)
	end := whole
	if end < len(input) && input[end] == '.' {
		end = digits(input, end+1)
	}
	if end == i || end == i+1 && whole == i { // no digit
		return at
	}
	if end < len(input) && (input[end] == 'e' || input[end] == 'E') {
		exponent := end + 1
		if exponent < len(input) && (input[exponent] == '+' || input[exponent] == '-') {
			exponent++
		}
		if last := digits(input, exponent); last > exponent {
			end = last
		}
	}
	if r, _ := utf8.DecodeRuneInString(input[end:]); end < len(input) && bare(r) {
		return at
	}
	return end
}

func digits(input string, at int) int {
	for at < len(input) && '0' <= input[at] && input[at] <= '9' {
		at++
	}
	return at
}

// scanWord returns the end of the name at at: bare characters, and quotations
// at its beginning or after a dot. What begins no name is one character.
func scanWord(input string, at int) int {
	i := at
	for i < len(input) {
		r, size := utf8.DecodeRuneInString(input[i:])
		if strings.ContainsRune("`\"'", r) && (i == at || input[i-1] == '.') {
			end := closing(input, i)
			if end < 0 {
				return -1
			}
			i = end
			continue
		}
		if !bare(r) {
			break
		}
		i += size
	}
	if i == at {
		_, size := utf8.DecodeRuneInString(input[at:])
		return at + size
	}
	return i
}

func bare(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_./-:", r)
}

// unquote returns what is between the quotes of s, whatever quotes they are,
// and s when there are none.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || strings.IndexByte("'\"`", s[0]) < 0 {
		return s
	}
	q := s[:1]
	s = s[1 : len(s)-1]
	if q == "`" {
		return s
	}
	return strings.ReplaceAll(s, q+q, q)
}
