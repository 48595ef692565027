"use strict";
// Reloads a page of a dev server that doesn't do so by itself, once the session's changes are there to be seen. A page
// in which its visitor has entered something that isn't submitted yet says so instead: nobody's input is lost.
(() => {
  const PAUSE = 2, LONGEST_PAUSE = 30; // seconds
  const script = document.currentScript;
  const question = new URL("/.uat/revision", script.src);
  const { revision } = script.dataset;
  let timer = 0, failures = 0, entered = false, offered = false;
  script.remove(); // from a page that may compare itself with what it was sent as

  // What Vite, webpack, LiveReload and Browsersync have in a page follows changes by itself.
  function followsByItself() {
    return document.querySelector('script[src*="/@vite/client"], script[src*="livereload"], script[src*="browser-sync"]')
      || Object.keys(window).some((name) => name.startsWith("webpackHotUpdate"));
  }

  // Its style is set by script, which no Content-Security-Policy of the page refuses.
  function offer() {
    if (offered) return;
    offered = true;
    const button = Object.assign(document.createElement("button"), {
      type: "button", textContent: "This page has changed. Reload", onclick: () => location.reload(),
    });
    Object.assign(button.style, {
      all: "initial", position: "fixed", zIndex: "2147483647", right: "16px", bottom: "16px", padding: "10px 14px",
      font: "14px system-ui, sans-serif", color: "#fff", background: "#1f2328", border: "1px solid #8b949e",
      borderRadius: "6px", cursor: "pointer",
    });
    const place = document.createElement("div");
    place.setAttribute("role", "status");
    place.attachShadow({ mode: "closed" }).append(button);
    document.body.append(place);
  }

  async function ask() {
    clearTimeout(timer);
    if (document.hidden || followsByItself()) return;
    try {
      const response = await fetch(question, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000) });
      if (!response.ok) throw new Error(response.statusText);
      failures = 0;
      const now = await response.text();
      if (now && now !== revision) {
        if (!entered) return location.reload();
        offer();
      }
    } catch {
      failures += 1;
    }
    clearTimeout(timer);
    timer = setTimeout(ask, 1000 * Math.min(LONGEST_PAUSE, PAUSE * 2 ** failures));
  }

  document.addEventListener("input", ({ isTrusted }) => { entered ||= isTrusted; }, true);
  for (const settled of ["submit", "reset"]) document.addEventListener(settled, () => { entered = false; }, true);
  document.addEventListener("visibilitychange", ask);
  timer = setTimeout(ask, 1000 * PAUSE);
})();
