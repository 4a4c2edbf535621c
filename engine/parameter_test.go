package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// What a schema lets pass can be decoded, whatever the type; what cannot be is a
// mistake in a parameter, which is named, and no run begins.
func TestParametersOfAnyType(t *testing.T) {
	type Limits struct {
		Wait time.Duration `json:"wait" default:"90s" min:"1s"`
	}
	type params struct {
		*Limits
		Small  int8            `json:"small,omitempty"`
		Large  int64           `json:"large,omitempty"`
		Bytes  []byte          `json:"bytes,omitempty"`
		Pair   *[2]int         `json:"pair,omitempty"`
		ByID   map[int]bool    `json:"by_id,omitempty"`
		Single float32         `json:"single,omitempty"`
		Raw    json.RawMessage `json:"raw,omitempty"`
		Stages []struct {
			Name  string        `json:"name" required:"true"`
			Tries int           `json:"tries" default:"3"`
			Wait  time.Duration `json:"wait,omitempty"`
		} `json:"stages,omitempty"`
		Each map[string]Limits `json:"each,omitempty"`
	}
	bodies := 0
	f := engine.Flow[params, params]{Name: "flow", Func: func(_ *engine.Ctx, p params) (engine.Arg[params], error) {
		bodies++
		return engine.Val(p), nil
	}}
	e := &engine.Engine{Version: "v1"}
	for given, want := range map[string]string{
		`{}`:                         `{"wait":90000000000}`,
		`{"wait":"1h30m"}`:           `{"wait":5400000000000}`,
		`{"wait":2000000000}`:        `{"wait":2000000000}`,
		`{"small":-128}`:             `{"wait":90000000000,"small":-128}`,
		`{"large":9007199254740993}`: `{"wait":90000000000,"large":9007199254740993}`,
		`{"pair":[1,2],"raw":[{}]}`:  `{"wait":90000000000,"pair":[1,2],"raw":[{}]}`,
		`{"by_id":{"7":true}}`:       `{"wait":90000000000,"by_id":{"7":true}}`,
		`{"stages":[{"name":"a"},{"name":"b","wait":"1s"}],"each":{"x":{}}}`: `{"wait":90000000000,"stages":[{"name":"a","tries":3},{"name":"b","tries":3,"wait":1000000000}],"each":{"x":{"wait":90000000000}}}`,
	} {
		if run, err := f.Launch(t.Context(), e, []byte(given), engine.Options{}); err != nil || string(run.Result) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", given, run.Result, err, want)
		}
	}
	before := bodies
	for given, want := range map[string]string{
		`{"wait":"10ms"}`:                `parameter wait: want a duration such as 1h30m of at least 1s, not 10ms`,
		`{"wait":"soon"}`:                `parameter wait: want a duration such as 1h30m of at least 1s, not "soon"`,
		`{"small":300}`:                  `parameter small: want an integer from -128 to 127, not 300`,
		`{"large":99999999999999999999}`: `parameter large: want an integer, not 99999999999999999999: it does not fit a Go int64`,
		`{"bytes":"%%"}`:                 `parameter bytes: want bytes in base64, not "%%": illegal base64 data at input byte 0`,
		`{"pair":[1,2,3]}`:               `parameter pair: want a list of 2, not [1,2,3]`,
		`{"pair":[1]}`:                   `parameter pair: want a list of 2, not [1]`,
		`{"by_id":{"x":true}}`:           `parameter by_id: want an object, not {"x":true}: it does not fit a Go int`,
		`{"single":1e300}`:               `parameter single: want a number, not 1e300: it does not fit a Go float32`,
		`{"stages":[{"tries":1}]}`:       `parameter stages[0].name is missing: want a string`,
		`{"each":{"x":{"wiat":1}}}`:      `parameter each.x.wiat is unknown, did you mean "wait"?`,
	} {
		var wrong *engine.ParameterError
		if run, err := f.Launch(t.Context(), e, []byte(given), engine.Options{}); !errors.As(err, &wrong) || err.Error() != want || run.ID != "" {
			t.Errorf("%s\n got %v\nwant %s", given, err, want)
		}
	}
	if bodies != before {
		t.Errorf("%d runs began", bodies-before)
	}
	for name, err := range map[string]error{
		"bad default": second(engine.SchemaOf[struct {
			D time.Duration `default:"soon"`
		}]()),
		"numbers as text": second(engine.SchemaOf[struct {
			N int `json:"n,string"`
		}]()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A subflow's body sees the parameters that its run shows.
func TestDefaultsOfASubflow(t *testing.T) {
	type params struct {
		Trials int `json:"trials,omitempty" default:"3"`
	}
	inner := engine.Flow[params, int]{Name: "inner", Func: func(_ *engine.Ctx, p params) (engine.Arg[int], error) { return engine.Val(p.Trials), nil }}
	out, _, err := start(t, &engine.Engine{}, func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return inner.Submit(c, engine.Val(params{})), nil }, 0)
	if err != nil || out != 3 {
		t.Errorf("%d, %v", out, err)
	}
}

// A body is given its parameters in the same form when it begins and when it is
// resumed, so that the digests of its calls are the same.
func TestParametersAreDecodedEachTime(t *testing.T) {
	type params struct{ Any any }
	runs, broken := 0, true
	look := engine.Task[any, int]{Name: "Look", Func: func(context.Context, any) (int, error) { runs++; return runs, nil }}
	f := engine.Flow[params, int]{Name: "flow", Func: func(c *engine.Ctx, p params) (engine.Arg[int], error) {
		n, err := look.Run(c, engine.Val(p.Any))
		if err == nil && broken {
			err = errors.New("broken")
		}
		return engine.Val(n), err
	}}
	e := &engine.Engine{}
	_, run, _ := f.Start(t.Context(), e, params{Any: 1}, engine.Options{})
	broken = false
	if out, _, err := f.Resume(t.Context(), e, run.ID); err != nil || out != 1 {
		t.Errorf("%d, %v", out, err)
	}
}
