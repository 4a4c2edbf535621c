package data

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseMonth(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Month
		ok   bool
	}{
		{"2021-01", Month{2021, time.January}, true},
		{"2021-1", Month{2021, time.January}, true},
		{"2021-12", Month{2021, time.December}, true},
		{"2021-13", Month{}, false},
		{"2021-00", Month{}, false},
		{"0000-01", Month{}, false},
		{"2021-001", Month{}, false},
		{"21-01", Month{}, false},
		{"2021/01", Month{}, false},
		{"2021-01-05", Month{}, false},
		{"+021-01", Month{}, false},
		{"2021--1", Month{}, false},
		{" 2021-01", Month{}, false},
		{"2021", Month{}, false},
		{"", Month{}, false},
	} {
		got, err := ParseMonth(test.in)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("ParseMonth(%q) = %v, %v; want %v, ok %v", test.in, got, err, test.want, test.ok)
		}
	}
}

func TestMonthArithmetic(t *testing.T) {
	for _, test := range []struct {
		from string
		n    int
		want string
	}{
		{"2021-03", -1, "2021-02"},
		{"2021-03", -2, "2021-01"},
		{"2021-01", -1, "2020-12"},
		{"2021-01", -2, "2020-11"},
		{"2020-12", 1, "2021-01"},
		{"2021-06", 0, "2021-06"},
		{"2021-06", -30, "2018-12"},
		{"2021-06", 31, "2024-01"},
	} {
		from, err := ParseMonth(test.from)
		if err != nil {
			t.Fatal(err)
		}
		got := from.Add(test.n)
		if got.String() != test.want {
			t.Errorf("%s.Add(%d) = %s; want %s", test.from, test.n, got, test.want)
		}
		if c := got.Compare(from); (c > 0) != (test.n > 0) || (c < 0) != (test.n < 0) {
			t.Errorf("%s.Compare(%s) = %d", got, from, c)
		}
	}
}

func TestMonthAsJSON(t *testing.T) {
	for _, m := range []Month{{2021, time.January}, {}} {
		text, err := json.Marshal(File{Month: m})
		if err != nil {
			t.Fatal(err)
		}
		var back File
		if err := json.Unmarshal(text, &back); err != nil || back.Month != m {
			t.Errorf("%s came back as %v, %v", text, back.Month, err)
		}
	}
	var f File
	if err := json.Unmarshal([]byte(`{"month":"January"}`), &f); err == nil {
		t.Error(`month "January" was read without an error`)
	}
}
