package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

type month struct{ year, month int }

func (m month) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d-%02d", m.year, m.month), nil
}

func (m *month) UnmarshalText(text []byte) error {
	if _, err := fmt.Sscanf(string(text), "%d-%d", &m.year, &m.month); err != nil {
		return errors.New("want a month such as 2021-03")
	}
	return nil
}

type base struct {
	Seed uint64 `json:"seed" default:"42"`
}

type trainParams struct {
	base
	Date    string            `json:"date" required:"true" format:"date" doc:"train as of this day"`
	Taxi    string            `json:"taxi" default:"green" enum:"green,yellow"`
	Trials  int               `json:"trials" default:"3" min:"0" max:"1000"`
	Rate    float64           `json:"rate,omitempty" min:"0"`
	Month   month             `json:"month,omitzero"`
	Months  []month           `json:"months,omitempty"`
	When    time.Time         `json:"when,omitzero"`
	Limit   *int              `json:"limit,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Nested  struct{ Deep bool }
	Any     any    `json:"any,omitempty"`
	Name    string `json:"name,omitempty" min:"2" pattern:"^[a-z]+$"`
	hidden  int
	Ignored func() `json:"-"`
}

func TestSchemaSaysWhatATypeHolds(t *testing.T) {
	s, err := engine.SchemaOf[trainParams]()
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back engine.Schema
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(&back); err != nil || string(again) != string(got) {
		t.Errorf("read back: %s, %v\nwant %s", again, err, got)
	}
	for _, want := range []string{
		`"additionalProperties":false`, `"required":["date"]`, `"x-order":["seed","date","taxi"`,
		`"date":{"type":"string","description":"train as of this day","format":"date"}`,
		`"taxi":{"type":"string","enum":["green","yellow"],"default":"green"}`,
		`"trials":{"type":"integer","minimum":0,"maximum":1000,"default":3}`,
		`"seed":{"type":"integer","minimum":0,"default":42}`,
		`"tags":{"type":"object","additionalProperties":{"type":"string"},"nullable":true}`,
		`"when":{"type":"string","format":"date-time"}`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if _, err := engine.SchemaOf[struct{ F func() }](); err == nil {
		t.Error("a function was described")
	}
	if _, err := engine.SchemaOf[struct {
		N int `default:"many"`
	}](); err == nil {
		t.Error("a default of the wrong type was taken")
	}
}

func TestParametersAreCheckedAndCompleted(t *testing.T) {
	s, err := engine.SchemaOf[trainParams]()
	if err != nil {
		t.Fatal(err)
	}
	full, err := s.Resolve(json.RawMessage(`{"date":"2021-03-05","taxi":"yellow","limit":null,"any":[1,{"a":2}],"Nested":{"Deep":true}}`))
	if want := `{"Nested":{"Deep":true},"any":[1,{"a":2}],"date":"2021-03-05","limit":null,"seed":42,"taxi":"yellow","trials":3}`; err != nil || string(full) != want {
		t.Errorf("Resolve = %s, %v\nwant %s", full, err, want)
	}
	for params, want := range map[string]string{
		``:                         `parameter date is missing: want a date such as 2021-03-05`,
		`[]`:                       `parameters: want an object, not []`,
		`{"date":"5 March"}`:       `parameter date: want a date such as 2021-03-05, not "5 March"`,
		`{"date":20210305}`:        `parameter date: want a date such as 2021-03-05, not 20210305`,
		`{"taxi":"blue"}`:          `parameter taxi: want one of "green", "yellow", not "blue"`,
		`{"trials":"many"}`:        `parameter trials: want an integer from 0 to 1000, not "many"`,
		`{"trials":1001}`:          `parameter trials: want an integer from 0 to 1000, not 1001`,
		`{"trials":1.5}`:           `parameter trials: want an integer from 0 to 1000, not 1.5`,
		`{"trials":null}`:          `parameter trials: want an integer from 0 to 1000, not null`,
		`{"seed":-1}`:              `parameter seed: want an integer of at least 0, not -1`,
		`{"months":["2021-03",3]}`: `parameter months[1]: want a string, not 3`,
		`{"month":"March"}`:        `parameter month: want a string, not "March": want a month such as 2021-03`,
		`{"tags":{"a":1}}`:         `parameter tags.a: want a string, not 1`,
		`{"Nested":{"Deep":1}}`:    `parameter Nested.Deep: want true or false, not 1`,
		`{"Nested":{"Depp":1}}`:    `parameter Nested.Depp is unknown, did you mean "Deep"?`,
		`{"trails":1}`:             `parameter trails is unknown, did you mean "trials"?`,
		`{"when":"yesterday"}`:     `parameter when: want a time such as 2021-03-05T09:00:00Z, not "yesterday"`,
		`{"name":"A"}`:             `parameter name: want a string of at least 2 characters, not "A"`,
		`{"rate":"0.1"}`:           `parameter rate: want a number of at least 0, not "0.1"`,
		`{"hidden":1}`:             `parameter hidden is unknown: there are seed, date, taxi, trials, rate, month, months, when, limit, tags, Nested, any, name`,
		`{"trials":` + `[1,2,3]}`:  `parameter trials: want an integer from 0 to 1000, not [1,2,3]`,
	} {
		if strings.HasPrefix(params, `{`) && !strings.Contains(params, "date") {
			params = `{"date":"2021-03-05",` + params[1:]
		}
		var wrong *engine.ParameterError
		if _, err := s.Resolve(json.RawMessage(params)); !errors.As(err, &wrong) || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", params, err, want)
		}
	}
}

func TestParametersTypedAsText(t *testing.T) {
	s, err := engine.SchemaOf[trainParams]()
	if err != nil {
		t.Fatal(err)
	}
	typed, err := s.FromText(map[string]string{"date": "2021-03-05", "trials": "5", "taxi": "yellow", "month": "2021-03", "limit": "null", "name": "true", "tags": `{"a":"b"}`})
	if err != nil {
		t.Fatal(err)
	}
	full, err := s.Resolve(typed)
	if want := `{"date":"2021-03-05","limit":null,"month":"2021-03","name":"true","seed":42,"tags":{"a":"b"},"taxi":"yellow","trials":5}`; err != nil || string(full) != want {
		t.Errorf("%s, %v\nwant %s", full, err, want)
	}
	typed, _ = s.FromText(map[string]string{"date": "2021-03-05", "trials": "many"})
	if _, err := s.Resolve(typed); err == nil || err.Error() != `parameter trials: want an integer from 0 to 1000, not "many"` {
		t.Errorf("trials=many: %v", err)
	}
}

func FuzzResolve(f *testing.F) {
	s, err := engine.SchemaOf[trainParams]()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"date":"2021-03-05","trials":3,"tags":{"a":"b"}}`)
	f.Add(`{"date":null}`)
	f.Add(` `)
	f.Fuzz(func(t *testing.T, params string) {
		full, err := s.Resolve(json.RawMessage(params))
		if err != nil {
			return
		}
		again, err := s.Resolve(full)
		if err != nil || string(again) != string(full) {
			t.Errorf("%s resolves to %s, and that to %s, %v", params, full, again, err)
		}
	})
}
