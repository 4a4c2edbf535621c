//go:build soak

package mlflow_test

const kills = 200
