"use strict";
// What goes before the script of a page that stands in a dev server's place and opens it again.
const LONGEST_PAUSE = 30;

// Goes to an address of this host, where a dev server has just responded to the proxy. It may need longer for the address
// than the proxy waits before it shows a page of its own, so the proxy is told to wait for this one. And an address that
// breaks the dev server each time it is opened must not be opened in a loop: each return that led back to such a page
// within five minutes doubles the pause before the next, in seconds.
function returnTo(url, wasLive = true) {
  if (wasLive) document.cookie = `__Host-uat-patience=1; Path=/; Secure; SameSite=Lax; Max-Age=${2 * LONGEST_PAUSE}`;
  const RETURNS = "uat-returns";
  let returns = 0;
  try {
    const last = JSON.parse(sessionStorage.getItem(RETURNS));
    if (last && last.to === url && Date.now() - last.at < 300_000) returns = last.returns;
    sessionStorage.setItem(RETURNS, JSON.stringify({ to: url, at: Date.now(), returns: returns + 1 }));
  } catch {
    returns = 2; // nothing can be remembered here
  }
  const go = () => (url === location.href ? location.reload() : location.replace(url));
  setTimeout(go, 1000 * (returns ? Math.min(LONGEST_PAUSE, 2 ** returns) : 0));
}

// Asks the proxy again and again while somebody looks, until `take` is content. It gets each response, and returns what
// that said and after how many seconds to ask again; the longer nothing changes, the longer the pauses: a fiftieth of
// that time. A page that stands still for a minute, or asks in vain, asks less often.
function askAgainAndAgain(path, take) {
  let timer = 0, asking = false, over = false, failures = 0, last = "", changed = Date.now();
  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const response = await fetch(path, {
        headers: { Accept: "application/json" }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000),
      });
      const { said, seconds } = await take(response);
      failures = 0;
      if (said !== last) [last, changed] = [said, Date.now()];
      over = !seconds;
      again(Math.max(seconds, (Date.now() - changed) / 50_000));
    } catch {
      failures += 1;
      again(2 ** failures);
    } finally {
      asking = false;
    }
  }
  function again(seconds) {
    if (!over && !document.hidden) timer = setTimeout(ask, 1000 * Math.min(LONGEST_PAUSE, seconds));
  }
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!over && !document.hidden) ask();
  });
  if (!document.hidden) ask();
}
