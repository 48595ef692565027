"use strict";
// What goes before the script of a page that stands in a dev server's place and opens it again.
const LONGEST_PAUSE = 30;

// An address that breaks the dev server each time it is opened must not be opened in a loop: each return that led back
// to such a page within five minutes doubles the pause before the next, in seconds.
function pauseBeforeReturn() {
  const RETURNS = "uat-returns";
  let returns = 0;
  try {
    const last = JSON.parse(sessionStorage.getItem(RETURNS));
    if (last && last.to === location.href && Date.now() - last.at < 300_000) returns = last.returns;
    sessionStorage.setItem(RETURNS, JSON.stringify({ to: location.href, at: Date.now(), returns: returns + 1 }));
  } catch {
    returns = 2; // nothing can be remembered here
  }
  return returns ? Math.min(LONGEST_PAUSE, 2 ** returns) : 0;
}
