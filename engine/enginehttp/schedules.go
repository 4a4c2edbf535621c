package enginehttp

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

type toggle struct {
	Active bool `json:"active" required:"true"`
}

func (h *handler) addSchedules() {
	add(h, aboutDeployments, "POST deployments/{ref}/schedules", "addSchedule", "Give a deployment one more schedule", func(in request[none, schedule.Schedule]) (schedule.Record, error) {
		return h.edit(in.Request, func(d *schedule.Deployment) error {
			d.Schedules = append(d.Schedules, in.Body)
			return nil
		})
	}).status = http.StatusCreated
	add(h, aboutDeployments, "PUT deployments/{ref}/schedules/{slug}", "replaceSchedule", "Change a schedule; its slug stays", func(in request[none, schedule.Schedule]) (schedule.Record, error) {
		return h.editSchedule(in.Request, func(d *schedule.Deployment, i int) {
			in.Body.Slug = d.Schedules[i].Slug
			d.Schedules[i] = in.Body
		})
	})
	add(h, aboutDeployments, "PATCH deployments/{ref}/schedules/{slug}", "toggleSchedule", "Turn a schedule on or off", func(in request[none, toggle]) (schedule.Record, error) {
		return h.editSchedule(in.Request, func(d *schedule.Deployment, i int) { d.Schedules[i].Inactive = !in.Body.Active })
	})
	add(h, aboutDeployments, "DELETE deployments/{ref}/schedules/{slug}", "deleteSchedule", "Take a schedule from a deployment", func(in request[none, none]) (schedule.Record, error) {
		return h.editSchedule(in.Request, func(d *schedule.Deployment, i int) { d.Schedules = slices.Delete(d.Schedules, i, i+1) })
	})
}

// editSchedule changes the schedule that the path names.
func (h *handler) editSchedule(r *http.Request, change func(d *schedule.Deployment, i int)) (schedule.Record, error) {
	slug := r.PathValue("slug")
	return h.edit(r, func(d *schedule.Deployment) error {
		i := slices.IndexFunc(d.Schedules, func(s schedule.Schedule) bool { return s.Slug == slug })
		if i < 0 {
			return fmt.Errorf("schedule %q of deployment %s: %w", slug, d.Ref(), engine.ErrNotFound)
		}
		change(d, i)
		return nil
	})
}
