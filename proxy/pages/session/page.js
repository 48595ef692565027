"use strict";
// Adds what is new and what was earlier: HTML that the server has rendered and escaped.
(() => {
  const MOST_ENTRIES = 1000, MOST_IN_A_BATCH = 100;
  const body = document.body;
  const part = (id) => document.getElementById(id);
  const conversation = part("conversation"), entries = part("entries"), wide = matchMedia("(min-width: 1012px)");
  const opensPreview = body.dataset.opensPreview === "yes", isAwaited = Boolean(body.dataset.returnTo);
  const fragment = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;

  function localTimes(within) {
    for (const time of within.querySelectorAll("time")) {
      const at = new Date(time.dateTime);
      if (isNaN(at)) continue;
      time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      time.title = at.toLocaleString();
    }
  }

  // --- staying at the end
  const scroller = () => (wide.matches ? conversation : document.scrollingElement);
  const isAtEnd = () => scroller().scrollHeight - scroller().scrollTop - scroller().clientHeight < 80;
  // Entries get their size when they are first drawn: whoever is at the end stays there until they scroll up, or open
  // something that takes them away from it.
  let follows = body.dataset.latest === "yes", lastTop = 0;
  const latest = part("latest");
  function toEnd() {
    if (!wide.matches && body.dataset.view !== "conversation") return;
    scroller().scrollTop = scroller().scrollHeight;
    lastTop = scroller().scrollTop;
  }
  function look() {
    const { scrollTop } = scroller();
    if (isAtEnd()) follows = true;
    else if (scrollTop < lastTop) follows = false;
    lastTop = scrollTop;
    latest.hidden = follows;
  }
  latest.firstElementChild.addEventListener("click", () => {
    follows = true;
    toEnd();
  });
  for (const target of [conversation, window]) target.addEventListener("scroll", look, { passive: true });
  entries.addEventListener("click", () => {
    follows = false;
    requestAnimationFrame(() => requestAnimationFrame(look));
  });
  new ResizeObserver(() => { if (follows) toEnd(); }).observe(entries);

  // --- the preview
  function watchFrame() {
    const frame = part("frame");
    part("reload")?.toggleAttribute("hidden", !frame);
    frame?.addEventListener("load", () => {
      let framed = false;
      try { framed = Boolean(frame.contentDocument); } catch { /* a page of the browser's own, in place of one that can't be framed */ }
      frame.hidden = !framed;
      part("unframed").hidden = framed;
    });
  }
  function reload() {
    const frame = part("frame");
    if (!frame) return;
    frame.hidden = false;
    part("unframed").hidden = true;
    try { frame.contentWindow.location.reload(); } catch { frame.src = "/"; }
  }
  part("reload")?.addEventListener("click", reload);
  watchFrame();

  // --- earlier entries
  const earlier = part("earlier");
  earlier.addEventListener("click", async (event) => {
    if (!event.target.href) return;
    event.preventDefault();
    const response = await fetch(`/.uat/entries${new URL(event.target.href).search}`, { redirect: "error" }).catch(() => null);
    if (!response?.ok) return location.assign(event.target.href);
    const before = response.headers.get("X-Earlier");
    follows = false;
    const added = fragment(await response.text());
    localTimes(added);
    for (const entry of added.children) if (part(entry.id)) part(entry.id).remove();
    const first = entries.querySelector(".entry"), top = () => first?.getBoundingClientRect().top ?? 0, wasAt = top();
    const batch = document.createElement("div");
    batch.className = "batch"; // which the browser passes over as one while none of it can be seen
    batch.append(added);
    entries.prepend(batch);
    const stay = () => { scroller().scrollTop += top() - wasAt; };
    stay();
    requestAnimationFrame(() => requestAnimationFrame(stay)); // entries get their size when they are first drawn
    earlier.hidden = !before;
    earlier.firstElementChild.href = `/.uat/?before=${before}`;
  });

  // --- what is new: statuses have numbers of their own
  const firstNumber = () => Number(entries.querySelector("[id^=e]")?.id.slice(1) ?? 0);
  const count = entries.getElementsByClassName("entry");
  let last = null; // what comes by itself is put into batches as well, each of which is one once it's full
  function append(added) {
    if (!last?.isConnected || last.childElementCount >= MOST_IN_A_BATCH) {
      if (last) Object.assign(last, { className: "batch" }).style.containIntrinsicSize = `auto ${last.offsetHeight}px`;
      last = entries.appendChild(document.createElement("div"));
    }
    last.append(added);
  }
  function place({ id, html, say }) {
    const added = fragment(html), known = part(id);
    localTimes(added);
    if (known) {
      const open = known.querySelector("details")?.open;
      if (open) added.querySelector("details").open = true;
      known.replaceWith(added);
    } else if (id[0] === "s" || Number(id.slice(1)) > firstNumber()) {
      append(added);
      if (id[0] !== "s") part("nothing")?.remove();
    }
    if (say) part("now").textContent = say;
    while (count.length > MOST_ENTRIES && follows) {
      entries.firstElementChild.remove();
      earlier.hidden = false;
      earlier.firstElementChild.href = `/.uat/?before=${firstNumber()}`;
    }
    if (follows) toEnd();
    else latest.hidden = false;
  }

  const keys = JSON.parse(body.dataset.parts);
  function replace({ id, key, html }, isTried = false) {
    const known = part(id);
    if (!known || keys[id] === key) return;
    // That the dev server once was live, as the session's row has it, isn't news where it's being awaited.
    if (id === "stage" && isAwaited && !isTried && fragment(html).firstElementChild.dataset.live === "yes") return;
    keys[id] = key;
    const revision = known.dataset.revision, kept = new Map();
    for (const details of known.querySelectorAll("[data-keep]")) kept.set(details.dataset.keep, details.open);
    const added = fragment(html);
    localTimes(added);
    for (const details of added.querySelectorAll("[data-keep]")) details.open = kept.get(details.dataset.keep) ?? details.open;
    known.replaceWith(added);
    for (const log of part(id).querySelectorAll(".log pre")) log.scrollTop = log.scrollHeight;
    if (id === "stage") watchFrame();
    if (id === "stage" && opensPreview && part(id).dataset.live === "yes") {
      returnTo(new URL(body.dataset.returnTo || location.href, location.href).href, isTried);
    }
    if (id === "state" && revision !== part(id).dataset.revision) reload();
  }

  // A dev server that was live and doesn't respond is tried by the proxy; of all others the stream tells.
  if (isAwaited) {
    askAgainAndAgain("/.uat/stage", async (response) => {
      if (!response.ok) throw response.status;
      const html = await response.text();
      replace({ id: "stage", key: html, html }, true);
      return { said: html, seconds: Number(part("stage").dataset.retry) };
    });
  }

  // One stream for a page that somebody looks at; a hidden one lets go of its connection after a minute.
  let source = null, known = body.dataset.after, hiding = 0, over = false;
  function follow() {
    if (over || source) return;
    source = new EventSource(`/.uat/events?after=${known}`);
    const on = (name, act) => source.addEventListener(name, ({ data, lastEventId }) => {
      known = lastEventId || known;
      act(JSON.parse(data));
    });
    on("entry", place);
    on("part", replace);
    on("end", () => { over = true; leave(); });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      leave();
      setTimeout(follow, 20_000 + 20_000 * Math.random());
    });
  }
  function leave() {
    source?.close();
    source = null;
  }
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(leave, 60_000);
    else if (body.dataset.live === "yes") follow();
  });

  // --- time passes
  setInterval(() => {
    for (const since of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() - new Date(since.dataset.since)) / 1000));
      const [h, m] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
      if (!isNaN(seconds)) since.textContent = h ? `${h}h ${m}m` : m ? `${m}m ${seconds % 60}s` : `${seconds}s`;
    }
  }, 1000);

  localTimes(document);
  for (const log of document.querySelectorAll(".log pre")) log.scrollTop = log.scrollHeight;
  if (body.dataset.latest === "yes") {
    const linked = part(location.hash.slice(1));
    if (entries.contains(linked)) {
      follows = false;
      linked.scrollIntoView();
      requestAnimationFrame(() => requestAnimationFrame(() => linked.scrollIntoView()));
    } else toEnd();
    if (body.dataset.live === "yes") follow();
  }
})();
