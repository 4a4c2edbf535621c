package enginecmd

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taximeter/taximeter/engine/schedule"
)

// scheduleFlags say one schedule.
type scheduleFlags struct{ slug, interval, anchor, cron, rrule, zone, dayOr string }

func (f *scheduleFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.interval, "interval", "", "run so often: seconds, or a duration such as 5m or 1d")
	flags.StringVar(&f.anchor, "anchor", "", "one of the interval's instants, such as 2024-01-01T09:00:00Z (default now)")
	flags.StringVar(&f.cron, "cron", "", `run when a cron expression says, such as "0 9 15 * *"`)
	flags.StringVar(&f.dayOr, "day-or", "true", "of cron: false asks for day of month and day of week, true for either")
	flags.StringVar(&f.rrule, "rrule", "", "run when an RFC 5545 rule says, such as FREQ=WEEKLY;BYDAY=MO")
	flags.StringVar(&f.zone, "timezone", "", "of cron, rrule and days, such as America/New_York (default UTC)")
	flags.StringVar(&f.slug, "slug", "", "name of the schedule within the deployment")
}

// schedule is the one that was asked for; none: false.
func (f scheduleFlags) schedule() (s schedule.Schedule, given bool, err error) {
	if f.interval == "" && f.cron == "" && f.rrule == "" {
		return s, false, nil
	}
	s = schedule.Schedule{Slug: f.slug, Cron: f.cron, RRule: f.rrule, TimeZone: f.zone, DayAnd: f.dayOr == "false"}
	if f.dayOr != "true" && f.dayOr != "false" {
		return s, true, Usage("--day-or %q: want true or false", f.dayOr)
	}
	if f.interval != "" {
		if s.Interval, err = schedule.ParseInterval(f.interval); err != nil {
			return s, true, Usage("--interval: %v", err)
		}
	}
	if f.anchor != "" {
		if s.Anchor, err = time.Parse(time.RFC3339, f.anchor); err != nil {
			return s, true, Usage("--anchor %q: want a time such as 2024-01-01T09:00:00Z", f.anchor)
		}
	}
	if err := s.Validate(); err != nil {
		return s, true, Usage("%v", err)
	}
	return s, true, nil
}

// deployFlags are what the user typed.
type deployFlags struct {
	name, pool, queue, file, collision, catchUp, onCrash, description string
	all                                                               bool
	limit                                                             int
	tags, params                                                      []string
	scheduleFlags
}

func (a *App) DeployCommand() *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy [FLOW]",
		Short: "Deploy a flow, or all deployments of " + a.fileName(),
		Long: `Deploy a flow under a name, with parameters, a schedule and a work pool; or, with
--all, create or update every deployment that ` + a.fileName() + ` declares.

  ` + a.Name + ` deploy FLOW -n monthly --cron "0 9 15 * *" --param name=value
  ` + a.Name + ` deploy --all`,
		Args: Wants(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.all && len(args) > 0:
				return Usage("deploy: --all takes the flows from %s; leave out %s", f.file, args[0])
			case f.all:
				return a.applyFile(cmd.Context(), f.file)
			case len(args) == 0:
				return Usage("deploy: which flow?").Hint("or deploy all of %s with --all", a.fileName())
			}
			d, err := a.newDeployment(f, args[0])
			if err != nil {
				return err
			}
			return a.apply(cmd.Context(), []schedule.Deployment{d})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.name, "name", "n", "default", "of the deployment")
	flags.StringVarP(&f.pool, "pool", "p", "", "work pool (default "+schedule.DefaultPool+")")
	flags.StringVarP(&f.queue, "work-queue", "q", "", "work queue (default "+schedule.DefaultQueue+")")
	flags.BoolVar(&f.all, "all", false, "deploy everything in the file")
	flags.StringVarP(&f.file, "file", "f", a.fileName(), "with --all: the file")
	flags.StringArrayVar(&f.params, "param", nil, "name=value of a parameter; give it several times")
	flags.StringSliceVar(&f.tags, "tag", nil, "of every run")
	flags.StringVar(&f.description, "description", "", "what it is for")
	flags.IntVar(&f.limit, "concurrency-limit", 0, "runs at once (default any number)")
	flags.StringVar(&f.collision, "collision", "", "what becomes of a run above the limit: enqueue or cancel-new (default enqueue)")
	flags.StringVar(&f.catchUp, "catch-up", "all", `on runs that nobody began in time: all, latest, or "skip-older-than 6h"`)
	flags.StringVar(&f.onCrash, "on-crash", "", "what becomes of a run whose process is gone: resume or fail (default resume)")
	f.add(flags)
	return cmd
}

func (a *App) newDeployment(f deployFlags, flow string) (d schedule.Deployment, err error) {
	d = schedule.Deployment{Flow: flow, Name: f.name, Description: f.description, Tags: f.tags, Pool: f.pool, Queue: f.queue,
		Limit: f.limit, Collision: schedule.Collision(f.collision), OnCrash: schedule.OnCrash(f.onCrash)}
	if d.CatchUp, err = schedule.ParseCatchUp(f.catchUp); err != nil {
		return d, Usage("--catch-up: %v", err)
	}
	if d.Parameters, err = a.typedParams(flow, f.params); err != nil {
		return d, err
	}
	s, given, err := f.schedule()
	if err != nil {
		return d, err
	}
	if given {
		d.Schedules = []schedule.Schedule{s}
	}
	if _, err := d.Normalize(time.Now()); err != nil {
		return d, Usage("%v", err)
	}
	return d, nil
}

// typedParams reads name=value as the flow's parameters.
func (a *App) typedParams(flow string, list []string) (json.RawMessage, error) {
	if len(list) == 0 {
		return nil, nil
	}
	values, err := pairs("--param", list)
	if err != nil {
		return nil, err
	}
	for _, f := range a.Flows {
		if f.Info().Name == flow {
			params, err := f.Info().Parameters.FromText(values)
			if err != nil {
				return nil, Usage("--param: %v", err)
			}
			return params, nil
		}
	}
	return json.Marshal(values) // the flow is not there, and whoever looks for it says so
}

func (a *App) setScheduleCommand() *cobra.Command {
	var f scheduleFlags
	var remove bool
	cmd := &cobra.Command{Use: "set-schedule DEPLOYMENT", Short: "Replace a deployment's schedule",
		Long: "Replace a deployment's only schedule, or with --slug the one of that name, or add one.\n" + deploymentRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, given, err := f.schedule()
			switch {
			case err != nil:
				return err
			case given == remove:
				return Usage("set-schedule: want one of --interval, --cron, --rrule and --remove")
			}
			return a.changeDeployment(cmd.Context(), args[0], func(d *schedule.Deployment) error {
				return setSchedule(d, f.slug, s, remove)
			})
		}}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&remove, "remove", false, "take the schedule away")
	return cmd
}

func setSchedule(d *schedule.Deployment, slug string, s schedule.Schedule, remove bool) error {
	at := -1
	for i, old := range d.Schedules {
		if old.Slug == slug || slug == "" {
			at = i
		}
	}
	switch {
	case slug == "" && len(d.Schedules) > 1:
		return Usage("deployment %s has several schedules: which?", d.Ref()).Hint("--slug names one: %s", schedulesText(*d))
	case remove && at < 0:
		return Usage("deployment %s has no schedule %q", d.Ref(), slug)
	case remove:
		d.Schedules = append(d.Schedules[:at], d.Schedules[at+1:]...)
	case at < 0:
		d.Schedules = append(d.Schedules, s)
	default:
		s.Slug, s.Parameters = d.Schedules[at].Slug, d.Schedules[at].Parameters
		d.Schedules[at] = s
	}
	return nil
}

// fileName is the file that declares deployments: taximeter.yaml for taximeter.
func (a *App) fileName() string { return a.Name + ".yaml" }
