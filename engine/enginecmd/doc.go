// Package enginecmd is the command line of a program that has flows: it lists,
// runs, schedules and serves them, whatever they are about. It does not know any
// flow, nor what a program has to offer beside its flows.
//
// A program of its own is a few lines: flows, a name, and Main.
//
//	func main() {
//		a := &enginecmd.App{Name: "hello", Flows: []engine.Runnable{greet}}
//		os.Exit(a.Main(a.Command("Say hello"), os.Args[1:]))
//	}
//
// It then has the nouns flow, flow-run, task-run, deployment, work-pool, work-queue,
// worker, concurrency-limit, artifact, config, profile, database and server. What
// they keep is in the home: --home, else $HELLO_HOME, else ~/.hello.
package enginecmd
