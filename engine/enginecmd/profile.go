package enginecmd

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/schedule"
)

// ProfileCommand is "profile".
func (a *App) ProfileCommand() *cobra.Command {
	var create bool
	use := &cobra.Command{Use: "use NAME", Short: "Use the settings of another profile from now on", Args: Wants(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.useProfile(args[0], create) }}
	use.Flags().BoolVar(&create, "create", false, "make it if it is not there")
	return Group("profile", "Sets of settings, one of which is in use", use,
		&cobra.Command{Use: "create NAME", Short: "Make a profile, without using it", Args: Wants(1, 1),
			RunE: func(_ *cobra.Command, args []string) error { return a.createProfile(args[0]) }},
		&cobra.Command{Use: "inspect NAME", Short: "Show the settings of a profile", Args: Wants(1, 1),
			RunE: func(_ *cobra.Command, args []string) error { a.Profile = args[0]; return a.viewSettings() }},
		&cobra.Command{Use: "ls", Short: "List the profiles", Args: Wants(0, 0), RunE: func(*cobra.Command, []string) error { return a.listProfiles() }},
		&cobra.Command{Use: "delete NAME", Short: "Delete a profile that is not in use", Args: Wants(1, 1),
			RunE: func(_ *cobra.Command, args []string) error { return a.deleteProfile(args[0]) }})
}

// inUse is the profile that the file names, whatever this call uses.
func (a *App) inUse() (string, error) {
	path, err := a.settingsFile()
	if err != nil {
		return "", err
	}
	s := settings{Profile: defaultProfile}
	text, err := os.ReadFile(path)
	if err != nil {
		return defaultProfile, nil // there is none yet
	}
	if err := toml.Unmarshal(text, &s); err != nil {
		return "", Usage("read the settings from %s: %v", path, err)
	}
	return s.Profile, nil
}

func (a *App) listProfiles() error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(s.Profiles))
	return a.Show(map[string]any{"profile": s.Profile, "profiles": names}, func() {
		for _, name := range names {
			mark := " "
			if name == s.Profile {
				mark = "*"
			}
			fmt.Fprintf(a.Out, "%s %s  %d settings\n", mark, name, len(s.Profiles[name]))
		}
	})
}

func (a *App) createProfile(name string) error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	if s.Profiles[name] != nil {
		return Usage("there is a profile %q already", name)
	}
	s.Profiles[name] = map[string]string{}
	if s.Profile, err = a.inUse(); err == nil {
		err = a.writeSettings(s)
	}
	if err != nil {
		return err
	}
	return a.Show(map[string]any{"profile": name}, func() {
		fmt.Fprintf(a.Out, "made profile %q; \"%s profile use %[1]s\" uses it\n", name, a.Name)
	})
}

func (a *App) useProfile(name string, create bool) error {
	a.Profile = defaultProfile // which is there, whatever is in use
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	if s.Profiles[name] == nil {
		if !create {
			return Usage("there is no profile %q%s", name, schedule.Suggest(name, slices.Collect(maps.Keys(s.Profiles)))).
				Hint("%s profile use %s --create makes it", a.Name, name)
		}
		s.Profiles[name] = map[string]string{}
	}
	s.Profile = name
	if err := a.writeSettings(s); err != nil {
		return err
	}
	return a.Show(map[string]any{"profile": name}, func() { fmt.Fprintf(a.Out, "profile %q is in use\n", name) })
}

func (a *App) deleteProfile(name string) error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	switch {
	case s.Profiles[name] == nil:
		return Usage("there is no profile %q%s", name, schedule.Suggest(name, slices.Collect(maps.Keys(s.Profiles))))
	case name == s.Profile || name == defaultProfile:
		return Usage("profile %q is in use, or the one that is used when no other is", name)
	}
	delete(s.Profiles, name)
	if err := a.writeSettings(s); err != nil {
		return err
	}
	return a.Show(map[string]any{"deleted": name}, func() { fmt.Fprintf(a.Out, "deleted profile %q\n", name) })
}
