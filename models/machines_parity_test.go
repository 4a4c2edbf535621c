//go:build parity

package models

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// machine is what Go compiles for, and what runs that here.
type machine struct {
	name     string
	env      []string
	emulator string // "" where this machine does
}

var machines = []machine{
	{"amd64 v1", []string{"GOARCH=amd64", "GOAMD64=v1"}, ""},
	{"amd64 v3", []string{"GOARCH=amd64", "GOAMD64=v3"}, ""},
	{"arm64", []string{"GOARCH=arm64"}, "qemu-aarch64-static"},
}

// compile runs the go command for the machine and returns what it says.
func (m machine) compile(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), m.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", m.name, cmd, err, out)
	}
	return out
}

// TestMachinesParity has every machine repeat the comparisons with XGBoost that
// are committed as bytes: whole model files, predictions, and every array of the
// trees of synthesised months; and what a search proposes.
func TestMachinesParity(t *testing.T) {
	for _, m := range machines {
		for _, tests := range [][2]string{
			{"./gbt", "EqualsXGBoost$|FormatsOfXGBoost|SameBytes"},
			{".", "TreesEqualXGBoostOnSynthesisedMonths"},
			{"./tune", "OnEveryMachine"},
		} {
			binary := filepath.Join(t.TempDir(), "tests")
			m.compile(t, "test", "-c", "-o", binary, tests[0])
			args := []string{binary, "-test.v", "-test.run", tests[1]}
			if m.emulator != "" {
				args = append([]string{m.emulator}, args...)
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = tests[0]
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v (amd64 v3 needs AVX2 and FMA; arm64 is run by qemu-user-static)\n%.4000s", m.name, cmd, err, out)
				continue
			}
			passed := regexp.MustCompile(`(?m)^--- PASS: (\S+)`).FindAllSubmatch(out, -1)
			if len(passed) == 0 {
				t.Errorf("%s: no test ran:\n%s", m.name, out)
			}
			for _, p := range passed {
				t.Logf("%s: %s", m.name, p[1])
			}
		}
	}
}

var (
	function = regexp.MustCompile(`^(\S+) STEXT`)
	fused    = regexp.MustCompile(`\((/.*\.go):(\d+)\)\t(?:FN?M(?:ADD|SUB)[SD]?|VFN?M(?:ADD|SUB)\w+)\t`)
)

// TestFusedParity looks through what the compiler makes of the algorithms: an
// addition that is fused with a multiplication is rounded once instead of twice,
// and only on some machines. Where one appears, an explicit conversion of the
// product prevents it. What calls math.FMA means it, and has it everywhere.
func TestFusedParity(t *testing.T) {
	for _, m := range machines {
		var functions []string
		in, meant := 0, 0
		for line := range strings.Lines(string(m.compile(t, "build", "-gcflags=-S", "./gbt", "./linear", "./tune", "../features/matrix"))) {
			if f := function.FindStringSubmatch(line); f != nil {
				functions = append(functions, f[1])
			}
			f := fused.FindStringSubmatch(line)
			if f == nil {
				continue
			}
			if strings.Contains(sourceLine(t, f[1], f[2]), "math.FMA(") {
				meant++
				continue
			}
			in++
			t.Errorf("%s: fused in %s: %s", m.name, functions[len(functions)-1], strings.TrimSpace(line))
		}
		for _, name := range []string{"models/gbt.Fit", "models/gbt.rmse", "models/gbt.(*Predictor).Predict", "models/linear.(*Model).Predict", "models/tune.TPE.Propose"} {
			if !slices.Contains(functions, "github.com/taximeter/taximeter/"+name) {
				t.Errorf("%s: the compiler shows no %s", m.name, name)
			}
		}
		if meant == 0 {
			t.Errorf("%s: not even math.FMA in linear's sums shows as a fused addition, so that this sees none", m.name)
		}
		t.Logf("%s: %d functions, %d fused additions, and %d that are meant", m.name, len(functions), in, meant)
	}
}

// sourceLine returns a line of a file.
func sourceLine(t *testing.T, path, number string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(lines) {
		t.Fatalf("%s has no line %s", path, number)
	}
	return lines[n-1]
}
