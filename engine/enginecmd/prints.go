package enginecmd

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// prints are the records of a run that has this process to itself: what anybody
// prints to os.Stdout goes where it went, and is kept as lines of the run's log too,
// of no task in particular. It is there before the next state of a flow run is
// recorded, so that none is missing from the log of a run that has ended.
//
// What writes to file descriptor 1 itself, or took os.Stdout before the run began, is
// not kept, nor are the last lines before the process is killed. os.Stderr is left
// alone: the states and logs that a worker shows are there.
type prints struct {
	engine.History
	runID    string
	stdout   *os.File // as it was
	from, to *os.File // the ends of what os.Stdout is meanwhile
	mark     string   // comes behind all that is to be flushed

	one     sync.Mutex // flush at a time
	flushed chan struct{}
}

// keepPrints begins; the caller ends it before it closes h.
func keepPrints(h engine.History, runID string) (*prints, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("keep what flow run %s prints: %w", runID, err)
	}
	p := &prints{History: h, runID: runID, stdout: os.Stdout, from: from, to: to, mark: "\x00" + engine.NewID() + "\n", flushed: make(chan struct{})}
	os.Stdout = to
	go p.keep()
	return p, nil
}

// keep takes lines out of the pipe until that is closed, as many at once as are there.
func (p *prints) keep() {
	defer close(p.flushed)
	in := bufio.NewReaderSize(p.from, 64<<10)
	var lines []engine.LogLine
	for {
		text, err := in.ReadString('\n')
		text, marked := strings.CutSuffix(text, p.mark)
		if text != "" {
			_, _ = p.stdout.WriteString(text) // nobody may be listening there
			lines = append(lines, engine.LogLine{FlowRunID: p.runID, Time: time.Now().UTC().Truncate(time.Microsecond), Level: "INFO", Message: strings.TrimRight(text, "\r\n")})
		}
		ahead, _ := in.Peek(in.Buffered())
		if len(lines) > 0 && (marked || err != nil || bytes.IndexByte(ahead, '\n') < 0) {
			if err := p.AppendLogs(context.Background(), lines); err != nil {
				fmt.Fprintf(os.Stderr, "keep what flow run %s prints: %v\n", p.runID, err)
			}
			lines = nil // the others are the history's
		}
		if err != nil {
			return
		}
		if marked {
			p.flushed <- struct{}{}
		}
	}
}

// flush returns when all that was printed before has been kept.
func (p *prints) flush() {
	p.one.Lock()
	defer p.one.Unlock()
	if _, err := p.to.WriteString(p.mark); err == nil { // else it has ended
		<-p.flushed
	}
}

// PutFlowRun implements engine.History.
func (p *prints) PutFlowRun(ctx context.Context, run engine.FlowRun, from engine.State) error {
	p.flush()
	return p.History.PutFlowRun(ctx, run, from)
}

// end keeps the last, and gives os.Stdout back.
func (p *prints) end() {
	p.flush()
	os.Stdout = p.stdout
	_ = p.to.Close()
	_ = p.from.Close() // a process that the run has left behind may hold the other end
}
