package enginecmd

import (
	"errors"

	"github.com/spf13/pflag"
)

// flagError is what is wrong with the flags that were typed.
func flagError(err error) *Error {
	if invalid := new(pflag.InvalidValueError); errors.As(err, &invalid) {
		f := invalid.GetFlag()
		return Usage("--%s %q: %v", f.Name, invalid.GetValue(), valueError(f, invalid.Unwrap()))
	}
	return Usage("%v", err)
}

// valueError says what values the flag takes, where err is but the word of the
// function that reads them.
func valueError(f *pflag.Flag, err error) error {
	want := map[string]string{
		"int": "want a whole number", "uint64": "want a whole number from 0", "float64": "want a number",
		"bool": "want true or false", "duration": "want a duration, such as 90s or 1h30m",
	}[f.Value.Type()]
	if want == "" {
		return err
	}
	return errors.New(want)
}
