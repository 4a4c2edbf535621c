package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

// version is the release; the build sets it with -ldflags.
var version = "dev"

// versionInfo is what there is to know about this program.
type versionInfo struct {
	Version string `json:"version"`
	Build   string `json:"build"`  // identity of the code: cached results are this build's
	Commit  string `json:"commit"` // empty where the build did not know it
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Show what this program is", Args: enginecmd.Wants(0, 0), RunE: func(*cobra.Command, []string) error {
		build, err := engine.BuildVersion()
		if err != nil {
			return err
		}
		v := versionInfo{Version: version, Build: build, Commit: commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
		return a.Show(v, func() {
			fmt.Fprintf(a.Out, "taximeter %s\nbuild     %s\ncommit    %s\ngo        %s %s/%s\n", v.Version, v.Build, v.Commit, v.Go, v.OS, v.Arch)
		})
	}}
}

// commit is the git commit this program was built from, if the build knew it.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return ""
}
