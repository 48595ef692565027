"use strict";
// Updates this page from `/.uat/status`, and opens the session once it is live. Everything is set as text, never markup.
(() => {
  const QUIET_SHARE = 50; // the longer nothing changes, the longer the pauses: a fiftieth of that time
  const PATIENCE = "__Host-uat-patience";
  const main = document.querySelector("main");
  const began = main.dataset.status;
  const repeatable = main.dataset.repeatable === "yes";
  let timer = 0, asking = false, over = false, failures = 0, shown = "", changed = Date.now();

  const part = (id) => document.getElementById(id);
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  function fill(id, text, within = part(id)) {
    part(id).hidden = !text;
    write(within, text || "");
  }

  function line({ name, state, detail }) {
    const item = document.createElement("li");
    item.className = state.replace(" ", "-");
    for (const [tag, textContent, className] of [["b", name, ""], ["i", `${state}:`, "sr-only"], ["span", detail, ""]]) {
      item.append(Object.assign(document.createElement(tag), { textContent, className }), " ");
    }
    return item;
  }

  function show(answer) {
    const text = JSON.stringify(answer);
    if (text === shown) return;
    shown = text;
    changed = Date.now();
    document.title = answer.title;
    write(part("title"), answer.title);
    const current = answer.steps.find(({ state }) => state === "current");
    write(part("now"), `${answer.title}. ${answer.hop || (current ? `${current.name} ${current.detail}` : "")}`);
    fill("message", answer.message);
    fill("reason", answer.reason);
    if (repeatable) fill("what-to-do", answer.what_to_do);
    fill("session", answer.session_id, part("session").lastElementChild);
    part("steps").hidden = !answer.steps.length;
    part("steps").replaceChildren(...answer.steps.map(line));
    part("pull-request").hidden = !answer.pull_request;
    if (answer.pull_request) part("pull-request").href = answer.pull_request;
    const log = part("log").lastElementChild;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    fill("log", answer.log, log);
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  function stop() {
    over = true;
    main.classList.remove("watched");
  }

  // A dev server that responds may need longer for this address than the proxy waits before it shows this page.
  function openSession() {
    over = true;
    if (began === "RUNNING") document.cookie = `${PATIENCE}=1; Path=/; Secure; SameSite=Lax; Max-Age=${2 * LONGEST_PAUSE}`;
    if (repeatable) setTimeout(() => location.reload(), 1000 * pauseBeforeReturn());
    else stop();
  }

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const response = await fetch("/.uat/status", {
        headers: { Accept: "application/json" }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000),
      });
      const answer = await response.json();
      show(answer);
      failures = 0;
      if (answer.live || (began !== "RUNNING" && answer.status === "RUNNING")) openSession();
      else if (answer.retry_after_seconds) askAfter(Math.max(answer.retry_after_seconds, (Date.now() - changed) / 1000 / QUIET_SHARE));
      else stop();
    } catch {
      failures += 1;
      askAfter(2 ** failures);
    } finally {
      asking = false;
    }
  }

  function askAfter(seconds) {
    if (!document.hidden) timer = setTimeout(ask, 1000 * Math.min(LONGEST_PAUSE, seconds));
  }

  document.addEventListener("visibilitychange", () => {
    if (over) return;
    clearTimeout(timer);
    if (!document.hidden) ask();
  });
  if (!document.hidden) ask();
})();
