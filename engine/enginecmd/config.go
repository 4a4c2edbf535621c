package enginecmd

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taximeter/taximeter/engine/schedule"
)

// settings are what config.toml in the home has: values of flags that need not be
// typed, in profiles of which one is in use.
type settings struct {
	Profile  string                       `toml:"profile"`
	Profiles map[string]map[string]string `toml:"profiles"`
}

// defaultProfile is the profile in use where nothing else is said.
const defaultProfile = "default"

func (a *App) settingsFile() (string, error) {
	home, err := a.HomeDir()
	return filepath.Join(home, "config.toml"), err
}

func (a *App) readSettings() (s settings, err error) {
	s = settings{Profile: defaultProfile, Profiles: map[string]map[string]string{}}
	path, err := a.settingsFile()
	if err != nil {
		return s, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil {
		err = toml.Unmarshal(text, &s)
	}
	if err != nil {
		return s, Usage("read the settings from %s: %v", path, err)
	}
	if s.Profiles[defaultProfile] == nil {
		s.Profiles[defaultProfile] = map[string]string{}
	}
	if name := a.Env(a.variable("PROFILE")); name != "" {
		s.Profile = name
	}
	if a.Profile != "" {
		s.Profile = a.Profile
	}
	if s.Profiles[s.Profile] == nil {
		return s, Usage("there is no profile %q%s", s.Profile, schedule.Suggest(s.Profile, slices.Collect(maps.Keys(s.Profiles)))).
			Hint("%s profile use %s --create makes it", a.Name, s.Profile)
	}
	return s, nil
}

// write replaces the file, whole or not at all.
func (a *App) writeSettings(s settings) error {
	path, err := a.settingsFile()
	if err != nil {
		return err
	}
	text, err := toml.Marshal(s)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path+".tmp", text, 0o600) // a token may be among them
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return fmt.Errorf("write the settings to %s: %w", path, err)
	}
	return nil
}

// notSettings are flags that say where the settings are, or what one call is to do.
var notSettings = []string{"home", "profile", "json", "output", "help"}

// settable are the flags that settings can give, by name: "durability" for one that
// every command has, "server.addr" for one of a command's.
func settable(root *cobra.Command) map[string]*pflag.Flag {
	all := map[string]*pflag.Flag{}
	var visit func(cmd *cobra.Command, prefix string)
	visit = func(cmd *cobra.Command, prefix string) {
		flags := cmd.LocalNonPersistentFlags()
		if cmd == root {
			flags = cmd.PersistentFlags()
		}
		flags.VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(notSettings, f.Name) {
				all[prefix+f.Name] = f
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub, prefix+sub.Name()+".")
		}
	}
	visit(root, "")
	return all
}

// configure gives the flags of cmd that were not typed the values of the settings.
func (a *App) configure(cmd *cobra.Command) error {
	if !slices.Contains(formats, a.Output) {
		return Usage("--output %q%s", a.Output, schedule.Suggest(a.Output, formats))
	}
	a.JSON = a.JSON || a.Output != "text"
	path := strings.Split(cmd.CommandPath(), " ")[1:]
	if len(path) == 0 || slices.Contains([]string{"config", "profile", "help", "version"}, path[0]) {
		return nil
	}
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	prefix := strings.Join(path, ".") + "."
	for name, value := range s.Profiles[s.Profile] {
		flag := cmd.Flags().Lookup(strings.TrimPrefix(name, prefix))
		if flag == nil || flag.Changed || slices.Contains(notSettings, flag.Name) {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return Usage("setting %s = %q of profile %s: %v", name, value, s.Profile, valueError(flag, err))
		}
	}
	return nil
}

// ConfigCommand is "config".
func (a *App) ConfigCommand() *cobra.Command {
	checked := func(cmd *cobra.Command, name string) (*pflag.Flag, error) {
		all := settable(cmd.Root())
		f := all[name]
		if f == nil {
			return nil, Usage("there is no setting %q%s", name, schedule.Suggest(name, slices.Collect(maps.Keys(all)))).
				Hint("a setting is a flag, such as durability, or a command's, such as server.addr")
		}
		return f, nil
	}
	return Group("config", "Values of flags that need not be typed each time",
		&cobra.Command{Use: "set NAME=VALUE", Short: "Set a flag of every command (durability), or of one (server.addr)", Args: Wants(1, 1),
			Long: "Set a flag of every command, such as durability, or of one, such as server.addr. A\nflag that is typed goes before a setting, and a setting before the environment.",
			RunE: func(cmd *cobra.Command, args []string) error {
				name, value, ok := strings.Cut(args[0], "=")
				if !ok {
					return Usage("config set %q: want name=value, such as durability=power", args[0])
				}
				f, err := checked(cmd, name)
				if err != nil {
					return err
				}
				if err := f.Value.Set(value); err != nil {
					return Usage("%s = %q: %v", name, value, valueError(f, err))
				}
				return a.change(name, &value)
			}},
		&cobra.Command{Use: "unset NAME", Short: "Take a setting back", Args: Wants(1, 1),
			RunE: func(_ *cobra.Command, args []string) error { return a.change(args[0], nil) }},
		&cobra.Command{Use: "view", Short: "Show the settings of the profile in use", Args: Wants(0, 0),
			RunE: func(*cobra.Command, []string) error { return a.viewSettings() }})
}

// viewSettings shows the settings of the profile in use.
func (a *App) viewSettings() error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	return a.Show(map[string]any{"profile": s.Profile, "settings": s.Profiles[s.Profile]}, func() {
		fmt.Fprintf(a.Out, "profile = %q\n", s.Profile)
		for _, name := range slices.Sorted(maps.Keys(s.Profiles[s.Profile])) {
			fmt.Fprintf(a.Out, "%s = %q\n", name, s.Profiles[s.Profile][name])
		}
	})
}

// change sets a setting of the profile in use, or with nil takes it back.
func (a *App) change(name string, value *string) error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	mine := s.Profiles[s.Profile]
	old, had := mine[name]
	said := map[string]any{"profile": s.Profile, "setting": name, "old": nil, "new": nil}
	from, to := "not set", "not set"
	if had {
		said["old"], from = old, fmt.Sprintf("%q", old)
	}
	switch {
	case value != nil:
		mine[name] = *value
		said["new"], to = *value, fmt.Sprintf("%q", *value)
	case !had:
		return Usage("%s is not set in profile %q%s", name, s.Profile, schedule.Suggest(name, slices.Collect(maps.Keys(mine))))
	default:
		delete(mine, name)
	}
	if a.Profile != "" || a.Env(a.variable("PROFILE")) != "" { // for this call only
		kept, err := a.inUse()
		if err != nil {
			return err
		}
		defer func(p string) { s.Profile = p }(s.Profile)
		s.Profile = kept
	}
	if err := a.writeSettings(s); err != nil {
		return err
	}
	return a.Show(said, func() {
		fmt.Fprintf(a.Out, "%s: %s → %s, in profile %q\n", name, from, to, said["profile"])
	})
}
