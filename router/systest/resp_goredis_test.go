//go:build peers

package systest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goRedis is the module whose specs are run.
const goRedis = "github.com/redis/go-redis/v9"

// specFiles are the files of specs that concern strings, keys, the server, pipelines and transactions.
var specFiles = []string{
	"commands_test.go", "bitmap_commands_test.go", "pipeline_test.go", "tx_test.go", "iterator_test.go", "export_test.go",
}

// specFocus are the parts of them that apply.
const specFocus = `Commands (server|debugging|keys|scanning|strings|marshaling|json)|(?i)bitmap|pipelining|Tx|ScanIterator|BitCommands`

// go-redis's own specs, copied from its module with the set-up replaced, pass but for those that
// testdata/resp/goredis_failing.txt lists with the reason.
func TestGoRedisSpecs(t *testing.T) {
	s := start(t)
	dir := copySpecs(t)
	report := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command("go", "test", "-count=1", "-timeout=300s", ".", "-ginkgo.focus="+specFocus, "-ginkgo.json-report="+report)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "FLIN_ADDR="+s.port)
	out, err := cmd.CombinedOutput() // it fails, as some specs do
	text, readErr := os.ReadFile(report)
	if readErr != nil {
		t.Fatalf("the specs did not run: %v\n%s", err, out)
	}
	passed, failed := readReport(t, text)
	if passed < 150 {
		t.Errorf("only %d specs passed", passed)
	}
	var expected []string
	for _, line := range lines(t, "goredis_failing.txt") {
		name, _, _ := strings.Cut(line, "  #")
		expected = append(expected, name)
		if _, ok := failed[name]; !ok {
			t.Errorf("%s: is listed as failing, and passes", name)
		}
	}
	for name, why := range failed {
		if !slices.Contains(expected, name) {
			t.Errorf("%s: %.400s", name, why)
		}
	}
	t.Logf("%d specs passed, %d failed as listed", passed, len(failed))
}

// copySpecs copies the module with the tests that are wanted and returns where.
func copySpecs(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", goRedis).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "go-redis")
	if err := os.CopyFS(dir, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatal(err)
	}
	err = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if filepath.Dir(path) == dir && strings.HasSuffix(path, "_test.go") && !slices.Contains(specFiles, info.Name()) {
			return os.Remove(path)
		}
		return os.Chmod(path, info.Mode()|0o200) // the module cache is read-only
	})
	if err != nil {
		t.Fatal(err)
	}
	setup, err := os.ReadFile(filepath.Join("testdata", "resp", "goredis_setup.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main_test.go"), setup, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// readReport returns how many specs passed, and why those that failed did.
func readReport(t *testing.T, text []byte) (passed int, failed map[string]string) {
	t.Helper()
	var suites []struct {
		SpecReports []struct {
			ContainerHierarchyTexts []string
			LeafNodeText            string
			State                   string
			Failure                 struct{ Message string }
		}
	}
	if err := json.Unmarshal(text, &suites); err != nil {
		t.Fatal(err)
	}
	failed = map[string]string{}
	for _, suite := range suites {
		for _, s := range suite.SpecReports {
			name := strings.Join(append(s.ContainerHierarchyTexts, s.LeafNodeText), " / ")
			switch s.State {
			case "passed":
				passed++
			case "skipped", "pending":
			default:
				failed[name] = s.Failure.Message
			}
		}
	}
	return passed, failed
}
