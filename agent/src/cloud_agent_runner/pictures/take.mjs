// `node take.mjs PLAYWRIGHT JOB`: take pictures of pages, as a line of JSON each: {"page", "width", "png"}.
//
// PLAYWRIGHT is the folder of playwright-core; JOB is JSON: how to launch the browser (`launch`), the preview's address
// (`url`), `pages`, `widths`, and limits of each page's time and each picture's height and bytes. A page that can't be
// shown, or isn't the preview's own, has no pictures. Nobody believes what this writes: pages are anybody's code.
import { createRequire } from "node:module";

const [, , playwright, job] = process.argv;
const { launch, url, pages, widths, seconds, height, bytes } = JSON.parse(job);
const { chromium } = createRequire(import.meta.url)(playwright);
const WINDOW_HEIGHT = 800;
const SETTLE_MILLISECONDS = 1500;
const CLOSE_MILLISECONDS = 2000;
const LOWEST = 200;

const browser = await chromium.launch(launch);
const context = await browser.newContext({
  viewport: { width: widths[0], height: WINDOW_HEIGHT },
  acceptDownloads: false,
  reducedMotion: "reduce",
  serviceWorkers: "block",
});
for (const page of pages) {
  const tab = await context.newPage();
  const why = await Promise.race([show(tab, page), after(seconds * 1000, "it took too long")]);
  if (why) console.error(`${page}: ${why}`);
}
await Promise.race([browser.close(), after(CLOSE_MILLISECONDS)]);
process.exit(); // and the browser with it, whatever its pages are at

/** Open a page once, and take it at each width: that's what a person does who makes the window narrower. */
async function show(tab, page) {
  try {
    const deadline = Date.now() + seconds * 1000;
    if (!(await opens(tab, page, deadline))) return "not a page of the preview";
    for (const width of widths) {
      await tab.setViewportSize({ width, height: WINDOW_HEIGHT });
      await settles(tab, deadline);
      const png = await picture(tab, width, deadline);
      if (png) process.stdout.write(`${JSON.stringify({ page, width, png: png.toString("base64") })}\n`);
    }
  } catch (error) {
    return error.message.split("\n")[0];
  }
}

/** Not everything that Playwright does has a limit of its own: a page may be at work forever. */
function after(milliseconds, outcome) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, outcome));
}

/** Return whether it's a page of the preview's own, and no error. One that never stops loading is shown as it is. */
async function opens(tab, page, deadline) {
  const response = await tab.goto(new URL(page, url).href, { waitUntil: "commit", timeout: left(deadline) });
  const type = response?.headers()["content-type"] ?? "";
  if (!response?.ok() || !type.startsWith("text/html")) return false;
  await tab.waitForLoadState("load", { timeout: left(deadline) / 2 }).catch(() => {});
  return new URL(tab.url()).origin === new URL(url).origin;
}

async function settles(tab, deadline) {
  const timeout = Math.min(SETTLE_MILLISECONDS, left(deadline));
  await tab.waitForLoadState("networkidle", { timeout }).catch(() => {});
}

/** Return the page from its top on, as much of it as the limits allow. */
async function picture(tab, width, deadline) {
  const whole = await tab.evaluate(() => document.documentElement.scrollHeight);
  for (let shown = Math.min(Math.max(whole, WINDOW_HEIGHT), height); shown >= LOWEST; shown = Math.floor(shown / 2)) {
    const clip = { x: 0, y: 0, width, height: shown };
    const png = await tab.screenshot({ clip, fullPage: true, animations: "disabled", timeout: left(deadline) });
    if (png.length <= bytes) return png;
  }
  return null;
}

function left(deadline) {
  return Math.max(1, deadline - Date.now());
}
