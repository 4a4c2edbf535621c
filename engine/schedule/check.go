package schedule

import (
	"fmt"

	"github.com/taximeter/taximeter/engine"
)

// Check says what only the flow knows: that one of flows is the deployment's, and
// takes its parameters and those of each of its schedules.
func (d Deployment) Check(flows []engine.Runnable) error {
	var names []string
	for _, f := range flows {
		names = append(names, f.Info().Name)
		if f.Info().Name != d.Flow {
			continue
		}
		for _, s := range append([]Schedule{{}}, d.Schedules...) {
			params, err := d.RunParameters(&s, nil)
			if err == nil {
				_, err = f.Info().Parameters.Resolve(params)
			}
			if err != nil {
				return fmt.Errorf("deployment %s: %w", d.Ref(), err)
			}
		}
		return nil
	}
	return fmt.Errorf("deployment %s: there is no flow %q%s", d.Ref(), d.Flow, Suggest(d.Flow, names))
}
