package registrytest

import (
	"bytes"
	"io"
	"io/fs"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

func (c *checker) read(r io.ReadCloser, err error) string {
	c.must(err)
	defer r.Close()
	b, err := io.ReadAll(r)
	c.must(err)
	return string(b)
}

func (c *checker) put(runID, path, content string) {
	c.must(c.PutArtifact(c.ctx, runID, path, strings.NewReader(content)))
}

var artifactRules = []rule{
	{"artifact/is put, read, replaced and listed", func(c *checker) {
		id := c.run(c.experiment())
		c.put(id, "a.txt", "one")
		c.put(id, "a.txt", "two")
		c.put(id, "dir/deeper/b c +%é.txt", "three")
		c.put(id, "dir/empty", "")
		equal(c, "a.txt", c.read(c.OpenArtifact(c.ctx, id, "a.txt")), "two")
		equal(c, "b", c.read(c.OpenArtifact(c.ctx, id, "dir/deeper/b c +%é.txt")), "three")
		equal(c, "empty", c.read(c.OpenArtifact(c.ctx, id, "dir/empty")), "")
		for _, test := range []struct {
			path string
			want []registry.FileInfo
		}{
			{"", []registry.FileInfo{{Path: "a.txt", Size: 3}, {Path: "dir", IsDir: true}}},
			{"dir", []registry.FileInfo{{Path: "dir/deeper", IsDir: true}, {Path: "dir/empty"}}},
			{"dir/deeper", []registry.FileInfo{{Path: "dir/deeper/b c +%é.txt", Size: 5}}},
			{"missing", nil},
		} {
			got, err := c.ListArtifacts(c.ctx, id, test.path)
			c.must(err)
			same(c, "list of "+test.path, got, test.want)
		}
	}},
	{"artifact/a list of a file is empty", func(c *checker) {
		id := c.run(c.experiment())
		c.put(id, "a.txt", "one")
		got, err := c.ListArtifacts(c.ctx, id, "a.txt")
		c.must(err)
		same(c, "list", got, nil)
	}},
	{"artifact/large ones survive", func(c *checker) {
		id := c.run(c.experiment())
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
		c.must(c.PutArtifact(c.ctx, id, "large", bytes.NewReader(large)))
		if got := c.read(c.OpenArtifact(c.ctx, id, "large")); got != string(large) {
			c.errorf("%d bytes came back differently", len(got))
		}
	}},
	{"artifact/what is missing is not found", func(c *checker) {
		id := c.run(c.experiment())
		_, err := c.OpenArtifact(c.ctx, id, "nope.txt")
		c.refused("file", err, registry.ResourceDoesNotExist)
		_, err = c.OpenArtifact(c.ctx, "deadbeef", "nope.txt")
		c.refused("run", err, registry.ResourceDoesNotExist, "Run with id=deadbeef not found")
		_, err = c.ListArtifacts(c.ctx, "deadbeef", "")
		c.refused("list", err, registry.ResourceDoesNotExist)
	}},
	{"artifact/a folder is no file", func(c *checker) {
		id := c.run(c.experiment())
		c.put(id, "dir/a", "1")
		_, err := c.OpenArtifact(c.ctx, id, "dir")
		c.refused("open", err, registry.InvalidParameterValue)
	}},
	{"artifact/a folder is not overwritten", func(c *checker) {
		id := c.run(c.experiment())
		c.put(id, "dir/a", "1")
		c.refused("put", c.PutArtifact(c.ctx, id, "dir", strings.NewReader("x")), registry.InvalidParameterValue)
		c.refused("put below a file", c.PutArtifact(c.ctx, id, "dir/a/b", strings.NewReader("x")), registry.InvalidParameterValue)
		equal(c, "a", c.read(c.OpenArtifact(c.ctx, id, "dir/a")), "1")
	}},
	{"artifact/paths out of the run are refused", func(c *checker) {
		id := c.run(c.experiment())
		for _, path := range []string{"../x", "a/../../x", "/etc/passwd", "%2e%2e/x", "%252e%252e%252fx", "..%2fx", "a#b", "a\x00b", "a\nb"} {
			c.refused("put "+path, c.PutArtifact(c.ctx, id, path, strings.NewReader("x")), registry.InvalidParameterValue)
			_, err := c.OpenArtifact(c.ctx, id, path)
			c.refused("open "+path, err, registry.InvalidParameterValue)
			_, err = c.ListArtifacts(c.ctx, id, path)
			c.refused("list "+path, err, registry.InvalidParameterValue)
		}
	}},
	{"artifact/files are put together, under several names", func(c *checker) {
		r, err := c.GetRun(c.ctx, c.run(c.experiment()))
		c.must(err)
		root, err := registry.ArtifactName(r.Info.ArtifactURI)
		c.must(err)
		c.must(c.PutFiles(c.ctx, nil))
		for _, content := range []string{"one", "two"} {
			c.must(c.PutFiles(c.ctx, []registry.NewFile{
				{Names: []string{root + "/model/a", root + "/a"}, Bytes: []byte(content)}, {Names: []string{root + "/empty"}},
				{Names: []string{root + "/model/MLmodel"}, Bytes: []byte("flavors:")},
			}))
			for path, want := range map[string]string{"model/a": content, "a": content, "empty": "", "model/MLmodel": "flavors:"} {
				equal(c, path, c.read(c.OpenArtifact(c.ctx, r.Info.RunID, path)), want)
			}
		}
		c.put(r.Info.RunID, "a", "three")
		equal(c, "the other name", c.read(c.OpenArtifact(c.ctx, r.Info.RunID, "model/a")), "two")
		c.refused("outside", c.PutFiles(c.ctx, []registry.NewFile{{Names: []string{"x/../../y"}}}), registry.InvalidParameterValue)
	}},
	{"artifact/is copied", func(c *checker) {
		id := c.run(c.experiment())
		c.put(id, "model/a", "one")
		c.put(id, "staged", "old")
		c.must(c.CopyArtifact(c.ctx, id, "model/a", "staged"))
		c.must(c.CopyArtifact(c.ctx, id, "model/a", "dir/staged"))
		c.put(id, "model/a", "two")
		for path, want := range map[string]string{"model/a": "two", "staged": "one", "dir/staged": "one"} {
			equal(c, path, c.read(c.OpenArtifact(c.ctx, id, path)), want)
		}
		c.refused("missing", c.CopyArtifact(c.ctx, id, "nope", "x"), registry.ResourceDoesNotExist)
		c.refused("folder", c.CopyArtifact(c.ctx, id, "model", "x"), registry.InvalidParameterValue)
		c.refused("outside", c.CopyArtifact(c.ctx, id, "model/a", "../x"), registry.InvalidParameterValue)
	}},
	{"artifact/files are reached by the run's URI", func(c *checker) {
		id := c.run(c.experiment())
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		root, err := registry.ArtifactName(r.Info.ArtifactURI)
		c.must(err)
		c.must(c.PutFile(c.ctx, root+"/model/MLmodel", strings.NewReader("flavors:")))
		equal(c, "content", c.read(c.OpenArtifact(c.ctx, id, "model/MLmodel")), "flavors:")
		got, err := c.ListFiles(c.ctx, root+"/model")
		c.must(err)
		same(c, "list", got, []registry.FileInfo{{Path: "MLmodel", Size: 8}})
		files, err := registry.FS(c.ctx, c.Service, r.Info.ArtifactURI)
		c.must(err)
		b, err := fs.ReadFile(files, "model/MLmodel")
		c.must(err)
		equal(c, "through fs.FS", string(b), "flavors:")
		c.must(c.DeleteFiles(c.ctx, root+"/model"))
		c.must(c.DeleteFiles(c.ctx, root+"/model"))
		_, err = c.OpenArtifact(c.ctx, id, "model/MLmodel")
		c.refused("deleted", err, registry.ResourceDoesNotExist)
	}},
}
