package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/engine"
)

// Greeting is what hello takes.
type Greeting struct {
	Name string `json:"name" default:"world" description:"who is greeted"`
}

// hello is a flow with a parameter that has a default, a task and a subflow.
var hello = engine.Flow[Greeting, string]{
	Name: "hello", Description: "Greet somebody, twice", RunName: "hello {name}",
	Func: func(c *engine.Ctx, g Greeting) (engine.Arg[string], error) {
		greeting := greet.Submit(c, engine.Val(g.Name))
		return shout.Submit(c, greeting), nil
	},
}

var greet = engine.Task[string, string]{Name: "Greet", Func: func(ctx context.Context, name string) (string, error) {
	fmt.Fprintf(engine.From(ctx).Out(), "Hello, %s!\n", name) // a line of this call's log
	return "Hello, " + name + "!", nil
}}

// shout is a flow of its own, and a subflow of hello.
var shout = engine.Flow[string, string]{Name: "shout", Func: func(c *engine.Ctx, s string) (engine.Arg[string], error) {
	fmt.Fprintln(c.Out(), "shouting")
	return engine.Val(strings.ToUpper(s)), nil
}}
