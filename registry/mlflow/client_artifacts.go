package mlflow

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/taximeter/taximeter/registry"
)

const proxy = "/api/2.0/mlflow-artifacts/artifacts"

// artifactName returns the name below the server's artifact root of a run's
// artifact. Artifacts that are not kept by the server itself are not reached.
func (c *Client) artifactName(ctx context.Context, runID, name string) (string, error) {
	if name != "" {
		if err := registry.CheckArtifactPath(name); err != nil {
			return "", err
		}
	}
	uri, ok := c.artifactURIs.Load(runID)
	if !ok {
		r, err := c.GetRun(ctx, runID)
		if err != nil {
			return "", err
		}
		uri = r.Info.ArtifactURI
		c.artifactURIs.Store(runID, uri)
	}
	root, err := registry.ArtifactName(uri.(string))
	return path.Join(root, name), err
}

// PutArtifact implements registry.Artifacts.
func (c *Client) PutArtifact(ctx context.Context, runID, name string, r io.Reader) error {
	full, err := c.artifactName(ctx, runID, name)
	if err != nil {
		return err
	}
	return c.PutFile(ctx, full, r)
}

// CopyArtifact implements registry.Artifacts: MLflow has no such call, so the
// file comes here and goes back.
func (c *Client) CopyArtifact(ctx context.Context, runID, from, to string) error {
	r, err := c.OpenArtifact(ctx, runID, from)
	if err != nil {
		return err
	}
	defer r.Close() // it is only read
	return c.PutArtifact(ctx, runID, to, r)
}

// OpenArtifact implements registry.Artifacts.
func (c *Client) OpenArtifact(ctx context.Context, runID, name string) (io.ReadCloser, error) {
	full, err := c.artifactName(ctx, runID, name)
	if err != nil {
		return nil, err
	}
	return c.OpenFile(ctx, full)
}

// ListArtifacts implements registry.Artifacts.
func (c *Client) ListArtifacts(ctx context.Context, runID, name string) ([]registry.FileInfo, error) {
	if name != "" {
		if err := registry.CheckArtifactPath(name); err != nil {
			return nil, err
		}
	}
	query := url.Values{"run_id": {runID}}
	if name != "" {
		query.Set("path", name)
	}
	var answer struct {
		Files []registry.FileInfo `json:"files"`
	}
	err := c.do(ctx, get("artifacts/list", query), &answer)
	return byPath(answer.Files), err
}

func byPath(files []registry.FileInfo) []registry.FileInfo {
	slices.SortFunc(files, func(a, b registry.FileInfo) int { return cmp.Compare(a.Path, b.Path) })
	return files
}

// filePath returns the proxy's path of a file, escaped.
func filePath(name string) (string, error) {
	if err := registry.CheckArtifactPath(name); err != nil {
		return "", err
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return proxy + "/" + strings.Join(parts, "/"), nil
}

// PutFile implements registry.Files. Once some of r is sent, it is tried again
// only if r seeks.
func (c *Client) PutFile(ctx context.Context, name string, r io.Reader) error {
	place, err := filePath(name)
	if err != nil {
		return err
	}
	u := &upload{from: r}
	defer u.stop()
	response, err := c.send(ctx, true, func() (*http.Request, error) {
		body, err := u.try()
		if err != nil {
			return nil, fmt.Errorf("put %s: %w", name, err)
		}
		request, err := c.request(ctx, http.MethodPut, place, nil, body)
		if err == nil {
			request.Header.Set("Content-Type", "application/octet-stream")
			request.ContentLength = u.length()
		}
		return request, err
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

// uploads is how many files PutFiles sends at once.
const uploads = 4

// PutFiles implements registry.Files.
func (c *Client) PutFiles(ctx context.Context, files []registry.NewFile) error {
	if len(files) == 0 {
		return nil
	}
	last := len(files) - 1
	if err := c.putEach(ctx, files[:last]); err != nil {
		return err
	}
	return c.putEach(ctx, files[last:])
}

// putEach sends the files, in any order, each as often as it has names.
func (c *Client) putEach(ctx context.Context, files []registry.NewFile) error {
	var wg sync.WaitGroup
	var failed []error
	var mu sync.Mutex
	slots := make(chan struct{}, uploads)
	for _, f := range files {
		for _, name := range f.Names {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				if err := c.PutFile(ctx, name, bytes.NewReader(f.Bytes)); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, fmt.Errorf("put %s: %w", name, err))
				}
			})
		}
	}
	wg.Wait()
	return errors.Join(failed...)
}

// OpenFile implements registry.Files.
func (c *Client) OpenFile(ctx context.Context, name string) (io.ReadCloser, error) {
	place, err := filePath(name)
	if err != nil {
		return nil, err
	}
	response, err := c.send(ctx, true, func() (*http.Request, error) { return c.request(ctx, http.MethodGet, place, nil, nil) })
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// ListFiles implements registry.Files.
func (c *Client) ListFiles(ctx context.Context, name string) ([]registry.FileInfo, error) {
	if name != "" {
		if err := registry.CheckArtifactPath(name); err != nil {
			return nil, err
		}
	}
	var answer struct {
		Files []registry.FileInfo `json:"files"`
	}
	err := c.do(ctx, call{method: http.MethodGet, path: proxy, query: url.Values{"path": {name}}}, &answer)
	return byPath(answer.Files), err
}

// DeleteFiles implements registry.Files.
func (c *Client) DeleteFiles(ctx context.Context, name string) error {
	place, err := filePath(name)
	if err != nil {
		return err
	}
	return c.do(ctx, call{method: http.MethodDelete, path: place}, nil)
}

// OpenAt implements registry.Files, for URIs below the server's artifact root.
func (c *Client) OpenAt(ctx context.Context, uri, name string) (io.ReadCloser, error) {
	full, err := nameAt(uri, name)
	if err != nil {
		return nil, err
	}
	return c.OpenFile(ctx, full)
}

// ListAt implements registry.Files, for URIs below the server's artifact root.
func (c *Client) ListAt(ctx context.Context, uri, name string) ([]registry.FileInfo, error) {
	full, err := nameAt(uri, name)
	if err != nil {
		return nil, err
	}
	return c.ListFiles(ctx, full)
}

func nameAt(uri, name string) (string, error) {
	root, err := registry.ArtifactName(uri)
	if err == nil && name != "" {
		err = registry.CheckArtifactPath(name)
	}
	return path.Join(root, name), err
}
