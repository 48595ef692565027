"use strict";
// Updates this page from `/.uat/status`, and opens the session once it is live. Everything is set as text, never markup.
(() => {
  const main = document.querySelector("main");
  const wasLive = main.dataset.status === "RUNNING"; // to the proxy, which has tried the dev server
  const repeatable = main.dataset.repeatable === "yes";
  let shown = "";

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

  function show(answer, said) {
    if (said === shown) return;
    shown = said;
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

  askAgainAndAgain("/.uat/status", async (response) => {
    const said = await response.text(), answer = JSON.parse(said);
    // What Claude does is on the session's own page, which shows the same in the preview's place, and leads back here.
    if (wasLive && repeatable && answer.status && !answer.live) {
      location.replace(`/.uat/?return_to=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
      return { said, seconds: 0 };
    }
    show(answer, said);
    const opens = answer.live || (!wasLive && answer.status === "RUNNING");
    if (opens && repeatable) returnTo(location.href, wasLive);
    const seconds = opens ? 0 : answer.retry_after_seconds;
    if (!seconds && !(opens && repeatable)) main.classList.remove("watched");
    return { said, seconds };
  });
})();
