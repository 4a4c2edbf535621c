package engine

import (
	"context"
	"encoding/json"
)

// Launch implements Runnable.
func (f Flow[I, O]) Launch(ctx context.Context, e *Engine, params json.RawMessage, o Options) (FlowRun, error) {
	checked, err := f.NewRun(e, params, o)
	if err != nil {
		return FlowRun{}, err
	}
	in, err := f.parameters(checked)
	if err != nil {
		return FlowRun{}, err
	}
	_, run, err := f.Start(ctx, e, in, o)
	return run, err
}
