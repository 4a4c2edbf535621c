// Package mlflow speaks MLflow's REST API: Handler serves a registry.Service
// to MLflow's clients and user interface, and Client is a registry.Service that
// is any MLflow server. It does not know how a registry is kept.
package mlflow
