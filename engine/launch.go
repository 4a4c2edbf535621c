package engine

import (
	"context"
	"encoding/json"
	"fmt"
)

// Launch implements Runnable.
func (f Flow[I, O]) Launch(ctx context.Context, e *Engine, params json.RawMessage, o Options) (FlowRun, error) {
	checked, err := f.NewRun(e, params, o)
	if err != nil {
		return FlowRun{}, err
	}
	var in I
	if err := decodeInto(checked.Parameters, &in); err != nil {
		return FlowRun{}, fmt.Errorf("read the parameters of %s: %w", f.Name, err)
	}
	_, run, err := f.Start(ctx, e, in, o)
	return run, err
}
