package data

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Month is a calendar month. The zero Month means none; its text is empty.
type Month struct {
	Year  int
	Month time.Month
}

// MonthOf returns the month t falls in, on the clock of t's own location.
func MonthOf(t time.Time) Month { return Month{t.Year(), t.Month()} }

// ParseMonth reads a month written 2021-01 or 2021-1.
func ParseMonth(s string) (Month, error) {
	year, month, found := strings.Cut(s, "-")
	y, okYear := digits(year, 4, 4)
	m, okMonth := digits(month, 1, 2)
	if !found || !okYear || !okMonth || y == 0 || m < 1 || m > 12 {
		return Month{}, fmt.Errorf("parse month %q: want YYYY-MM, such as 2021-01", s)
	}
	return Month{y, time.Month(m)}, nil
}

// digits reads a number of at least least and at most most decimal digits.
func digits(s string, least, most int) (int, bool) {
	if len(s) < least || len(s) > most {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// String returns the month as 2021-01, and "" for the zero Month.
func (m Month) String() string {
	if m.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month))
}

// IsZero reports whether m is the zero Month.
func (m Month) IsZero() bool { return m == Month{} }

// Add returns the month n months after m; n may be negative. It counts whole
// months, so no day of a month can spill into the next.
func (m Month) Add(n int) Month {
	number := m.number() + n
	year := number / 12
	if number%12 < 0 {
		year--
	}
	return Month{year, time.Month(number - year*12 + 1)}
}

// Compare returns -1, 0 or +1 as m is before, equal to or after o.
func (m Month) Compare(o Month) int { return cmp.Compare(m.number(), o.number()) }

// Start returns the first instant of the month, as wall time held in UTC.
func (m Month) Start() time.Time { return time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, time.UTC) }

// MarshalText writes the month as String does.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes: as ParseMonth does, and nothing
// at all for the zero Month.
func (m *Month) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = Month{}
		return nil
	}
	parsed, err := ParseMonth(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

func (m Month) number() int { return m.Year*12 + int(m.Month) - 1 }
