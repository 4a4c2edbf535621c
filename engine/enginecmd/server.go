package enginecmd

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/serve"
)

// ServerCommand is "server", for a program that has nothing to serve but its flows.
func (a *App) ServerCommand() *cobra.Command {
	s := &serve.Server{}
	var keep UpkeepFlags
	var noWorker, verbose bool
	cmd := &cobra.Command{Use: "server", Short: "Serve the API of the flows, and run what is scheduled", Args: Wants(0, 0),
		Long: `Serve the API of the flows on one address, and run what is due in the default work
pool, each run in a process of its own. Runs of other processes on the same home are
shown and steered too.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(s.Addr); err != nil {
				return Usage("--addr %q: want host:port, such as %s", s.Addr, serve.DefaultAddr)
			}
			if s.Token == "" {
				s.Token = a.Env(a.variable("TOKEN"))
			}
			if err := s.Check(); err != nil {
				return Usage("%v", err)
			}
			s.Log = a.Logger(verbose)
			u, err := a.NewUpkeep(keep, !noWorker, s.Log)
			if err != nil {
				return err
			}
			return a.WithHistory(cmd.Context(), func(h *history.Store) error { return a.serve(cmd.Context(), s, h, u, !noWorker) })
		}}
	flags := cmd.Flags()
	flags.StringVar(&s.Addr, "addr", serve.DefaultAddr, "host:port to listen on; port 0 takes a free one")
	flags.StringVar(&s.Token, "token", "", fmt.Sprintf("what clients must send, as a bearer token (default $%s); needed on an address that is not loopback", a.variable("TOKEN")))
	flags.BoolVar(&s.Insecure, "insecure", false, "listen on an address that is not loopback without a token")
	flags.StringSliceVar(&s.AllowedHosts, "allowed-hosts", nil, "further names that clients may call this server by")
	flags.BoolVar(&noWorker, "no-worker", false, "make and run nothing that is scheduled: leave it to workers")
	keep.Add(flags)
	flags.BoolVar(&verbose, "verbose", false, "log each request")
	return cmd
}

func (a *App) serve(ctx context.Context, s *serve.Server, h *history.Store, u *Upkeep, work bool) error {
	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait() // before what they read is closed
	defer cancel()
	u.Run(ctx, h, &helpers)
	if work {
		if err := a.WorkWithin(ctx, &helpers, h, s.Log); err != nil {
			return err
		}
	}
	api := enginehttp.NewHandler(h, s.Log, a.Flows...)
	defer context.AfterFunc(ctx, api.Close)()
	s.Mounts = []serve.Mount{{Path: enginehttp.Prefix, Handler: api}, {Path: enginehttp.DocsPath, Handler: api},
		{Path: "", Handler: http.RedirectHandler(enginehttp.DocsPath, http.StatusFound)}} // a browser's first look
	s.Ready = func(url string) {
		_ = a.Show(map[string]string{"url": url}, func() { // the server goes on without a reader
			fmt.Fprintf(a.Out, "API       %s%s\ndocs      %s%s\n", url, enginehttp.Prefix, url, enginehttp.DocsPath)
		})
	}
	return s.Run(ctx)
}
