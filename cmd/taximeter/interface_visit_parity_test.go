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
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(tab, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	// What the switch at the top left sets.
	mode := map[string]string{"ml": `"machine_learning"`, "genai": `"genai"`}[p.mode]
	script := `localStorage.clear(); if ('` + mode + `') localStorage.setItem("mlflow.workflowType_v1", '` + mode + `')`
	if _, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		t.Fatal(err)
	}
	do("open", chromedp.Navigate(server+fill(p.address)))
	settle(t, tab, p, seen)
	if p.finds != "" {
		do("search", chromedp.SendKeys(chromedp.CSS(`input[type="text"], input:not([type])`), p.finds+"\r"))
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
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !strings.Contains(text(t, tab), shows) || !strings.Contains(text(t, tab), "About this run"); time.Sleep(250 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("%s shows %s", address, text(t, tab))
		}
	}
}

// settle waits until a page has asked all it wants and shows what it should, and
// does so twice: pages begin anew when a part of them has come.
func settle(t *testing.T, tab context.Context, p interfacePage, seen *answers) {
	t.Helper()
	settled := 0
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(250 * time.Millisecond) {
		if !seen.quiet() || !strings.Contains(text(t, tab), p.shows) {
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

// text is what a page shows, also in its fields and editors. A page that is
// leaving for another cannot be asked, so the one that comes is.
func text(t *testing.T, tab context.Context) string {
	t.Helper()
	const script = `(document.body?.innerText ?? "") + "\n" + [...document.querySelectorAll("input,textarea")].map((e) => e.value).join("\n")`
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		shown, err := chromedp.Run(tab, chromedp.Evaluate[string](script))
		if err == nil {
			return shown
		}
		if tab.Err() != nil || time.Since(begun) > 10*time.Second {
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
