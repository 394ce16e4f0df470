import { bundle } from "./bundle.mjs";
import { atExit } from "./exit.mjs";
import { require } from "./packages.mjs";

const { chromium } = require("playwright-core");

const CHROMIUM = process.env.COUNTERSIGN_CHROMIUM ?? "/usr/bin/chromium";
/** The browser contacts nothing but the service. */
const QUIET = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"];
/** The path of the test page, on any origin. */
const PATH = "/a-page-of-the-test";

export async function startBrowser(flags = []) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...flags] });
  atExit(() => browser.close());
  return browser;
}

/**
 * A browser profile in which the given origins of the service have one more page: `app` in it is what `pages/app.js`
 * exports.
 */
export async function profile(browser, origins, options = {}) {
  const context = await browser.newContext(options);
  const page = await appPage();
  for (const origin of origins) {
    await context.route(`${origin}${PATH}*`, (route) => {
      const { type, body } = page(new URL(route.request().url()).pathname);
      return route.fulfill({ contentType: type, body });
    });
  }
  return context;
}

/** That page and its script, by their paths. */
export async function appPage() {
  const script = await bundle("app.js");
  const html = `<!doctype html><title>app</title><link rel="icon" href="${PATH}.png"><script type="module" src="${PATH}.js"></script>`;
  return (url) => {
    const { pathname } = new URL(url, "http://any");
    if (pathname === PATH) return { type: "text/html", body: html };
    if (pathname === `${PATH}.js`) return { type: "text/javascript", body: script };
    return pathname.startsWith(PATH) ? { type: "image/png", body: "" } : undefined;
  };
}

/** A tab with that page, which calls the service at `service`. */
export async function open(context, origin, service = "/") {
  const page = await context.newPage();
  await page.goto(`${origin}${PATH}?service=${encodeURIComponent(service)}`);
  await page.waitForFunction(() => globalThis.app !== undefined);
  return page;
}

/** The cookies of a session, without their common prefix: `access`, `refresh`, and `refresh.…` for a generation. */
export async function cookies(context, origin) {
  const { device: _, binding: __, ...held } = await allCookies(context, origin);
  return held;
}

/**
 * The same with those that outlive sessions: `device`, which makes the browser recognized, and `binding`, to which
 * logins by passkey are bound.
 */
export async function allCookies(context, origin) {
  const prefix = "__Host-countersign_";
  const found = (await context.cookies(origin)).filter(({ name }) => name.startsWith(prefix));
  return Object.fromEntries(found.map((cookie) => [cookie.name.slice(prefix.length), cookie]));
}

/** Expires the access token: its cookie is no longer sent. */
export async function expire(context) {
  await context.clearCookies({ name: "__Host-countersign_access" });
}
