package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/serve/predict"
)

func (a *app) predictCommand() *cobra.Command {
	var model, uri string
	var lenient bool
	cmd := &cobra.Command{
		Use:   "predict [RIDE]",
		Short: "Predict how long a ride takes, with the staged model",
		Long: `Predict how long a ride takes. RIDE is what POST /predict takes:

  taximeter predict '{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}'

Without RIDE, or with -, it is read from standard input.`,
		Args: enginecmd.Wants(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ride := io.Reader(os.Stdin)
			if len(args) == 1 && args[0] != "-" {
				ride = bytes.NewReader([]byte(args[0]))
			}
			resolved, err := a.trackingURI(uri)
			if err != nil {
				return err
			}
			return a.predict(cmd.Context(), ride, model, resolved, !lenient)
		},
	}
	cmd.Flags().StringVar(&model, "model", predict.DefaultModel, "models:/NAME/STAGE, models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN_ID/model")
	cmd.Flags().StringVar(&uri, "tracking-uri", "", "address of an MLflow server (default $MLFLOW_TRACKING_URI, else the home's registry)")
	cmd.Flags().BoolVar(&lenient, "lenient", false, "take what is missing or unknown as DictVectorizer would")
	return cmd
}

// predict asks the handler of POST /predict, in this process, so that the
// command accepts and answers just what the server does.
func (a *app) predict(ctx context.Context, ride io.Reader, model, uri string, strict bool) error {
	ref, err := predict.ParseReference(model)
	if err != nil {
		return enginecmd.Usage("--model: %v", err)
	}
	t, err := a.openTracking(ctx, uri)
	if err != nil {
		return err
	}
	defer t.Close()
	loader := &predict.Loader{Registry: t, Model: ref}
	if err := loader.Refresh(ctx); err != nil {
		err = fmt.Errorf("load %s: %w", ref, err)
		if code, hints := explain(err); code == enginecmd.ExitFailed && len(hints) == 0 {
			return enginecmd.Failure(code, err).Hint(`"taximeter train" makes and stages a model, "taximeter models ls" lists those there are`)
		}
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("/predict?strict=%t", strict), ride)
	if err != nil {
		return err
	}
	answer := reply{header: http.Header{}}
	(&predict.Handler{Loader: loader}).ServeHTTP(&answer, req)
	if answer.status != http.StatusOK {
		var refused struct{ Error predict.FieldError }
		if err := json.Unmarshal(answer.body.Bytes(), &refused); err != nil {
			return fmt.Errorf("predict: %s", answer.body.String())
		}
		if answer.status < 500 {
			return enginecmd.Usage("%s", refused.Error.Message)
		}
		return errors.New(refused.Error.Message)
	}
	var prediction struct {
		Duration     float64 `json:"duration"`
		ModelVersion string  `json:"model_version"`
	}
	if err := json.Unmarshal(answer.body.Bytes(), &prediction); err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	return a.Show(prediction, func() {
		fmt.Fprintf(a.Out, "%.2f minutes (model version %s)\n", prediction.Duration, prediction.ModelVersion)
	})
}

// reply is an http.ResponseWriter that keeps the answer.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *reply) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
