// Package graphql answers GraphQL queries against a schema written in GraphQL's
// own language, within bounds: a query of any size costs little to refuse. It
// does what the queries of MLflow's web interface need (aliases, arguments,
// variables, fragments, @skip and @include), not introspection, interfaces or
// subscriptions. It does not know what the fields mean.
package graphql
