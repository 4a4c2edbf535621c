package enginecmd

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
)

// versionInfo is what there is to know about this program.
type versionInfo struct {
	Version string `json:"version"`
	Build   string `json:"build"`  // identity of the code: cached results are this build's
	Commit  string `json:"commit"` // empty where the build did not know it
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// VersionCommand is "version".
func (a *App) VersionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Show what this program is", Args: Wants(0, 0), RunE: func(*cobra.Command, []string) error {
		build, err := engine.BuildVersion()
		if err != nil {
			return err
		}
		v := versionInfo{Version: cmp.Or(a.Version, "dev"), Build: build, Commit: Commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
		return a.Show(v, func() {
			fmt.Fprintf(a.Out, "%-9s %s\nbuild     %s\ncommit    %s\ngo        %s %s/%s\n", a.Name, v.Version, v.Build, v.Commit, v.Go, v.OS, v.Arch)
		})
	}}
}

// Commit is the git commit this program was built from, if the build knew it.
func Commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return ""
}
