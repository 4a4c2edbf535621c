//go:build parity

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// visit opens a page in a tab of its own, waits until it is quiet, and judges it.
func (b *browser) visit(t *testing.T, server string, p interfacePage, fill func(string) string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(b.ctx)
	defer cancel()
	seen := &answers{pending: map[network.RequestID]string{}}
	if err := chromedp.Listen(tab, seen.see); err != nil {
		t.Fatal(err)
	}
	// What the switch at the top left sets.
	mode := map[string]string{"ml": `"machine_learning"`, "genai": `"genai"`}[p.mode]
	script := `localStorage.clear(); if ('` + mode + `') localStorage.setItem("mlflow.workflowType_v1", '` + mode + `')`
	if _, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		t.Fatal(err)
	}
	open(t, tab, server+fill(p.address))
	settle(t, tab, p, seen)
	if p.finds != "" {
		if err := chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS(`input[type="text"], input:not([type])`), p.finds+"\r")); err != nil {
			t.Fatalf("search: %v", err)
		}
		time.Sleep(time.Second) // it waits for more to be typed
		settle(t, tab, p, seen)
	}
	b.judge(t, tab, p, seen)
}

// follow opens an address that MLflow's clients print, which the server's own
// page sends on to MLflow's, and waits for what that shows.
func (b *browser) follow(t *testing.T, address, shows string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(b.ctx)
	defer cancel()
	open(t, tab, address)
	for begun := time.Now(); !strings.Contains(text(t, tab), shows) || !strings.Contains(text(t, tab), "About this run"); time.Sleep(250 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("%s shows %s", address, text(t, tab))
		}
	}
}

// open goes to an address. It does not wait for the page, which may leave for
// another one before it is there.
func open(t *testing.T, tab context.Context, address string) {
	t.Helper()
	went, err := chromedp.Call(tab, page.Navigate, page.NavigateParams{URL: address})
	if err != nil || went.ErrorText != "" {
		t.Fatalf("open %s: %v %s", address, err, went.ErrorText)
	}
}

// settle waits until a page has asked all it wants and shows what it should, trouble
// only if it should, and does so twice: pages begin anew when a part of them has come.
func settle(t *testing.T, tab context.Context, p interfacePage, seen *answers) {
	t.Helper()
	settled := 0
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(250 * time.Millisecond) {
		shown := text(t, tab)
		if !seen.quiet() || !strings.Contains(shown, p.shows) || trouble.MatchString(shown) != p.missing {
			settled = 0
		} else if settled++; settled == 2 {
			return
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, request := range seen.pending {
		t.Errorf("no answer to %s", request)
	}
}

// text is what a page shows, also in its fields and editors; nothing while it comes.
// A page that is leaving for another cannot be asked, so the one that comes is.
func text(t *testing.T, tab context.Context) string {
	t.Helper()
	const script = `document.readyState !== "complete" ? "" :
		document.body.innerText + "\n" + [...document.querySelectorAll("input,textarea")].map((e) => e.value).join("\n")`
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		ask, cancel := context.WithTimeout(tab, 20*time.Second)
		shown, err := chromedp.Run(ask, chromedp.Evaluate[string](script))
		cancel()
		if err == nil {
			return shown
		}
		if tab.Err() != nil || time.Since(begun) > patience {
			t.Fatal(err)
		}
	}
}

// judge says what is wrong with a page.
func (b *browser) judge(t *testing.T, tab context.Context, p interfacePage, seen *answers) {
	t.Helper()
	shown := text(t, tab)
	if b.screenshots != "" {
		picture, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(b.screenshots, strings.ReplaceAll(p.name, " ", "-")+".png"), picture, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, bad := range seen.bad {
		t.Error(bad)
	}
	if !strings.Contains(shown, p.shows) {
		t.Errorf("the page lacks %q", p.shows)
	}
	if found := trouble.FindString(shown); p.missing != (found != "") {
		t.Errorf("the page shows trouble: %q, want any: %v", found, p.missing)
	}
	if t.Failed() {
		t.Logf("the page shows %.3000s", shown)
	}
}
