//go:build !soak

package mlflow_test

// kills is how often TestAcknowledgedBatches kills the server; make soak does it
// more often.
const kills = 4
