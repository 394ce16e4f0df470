import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY, require } from "./packages.mjs";

const SCREENSHOTS = process.env.COUNTERSIGN_BROWSER_SCREENSHOTS ?? join(REPOSITORY, "target/browser-screenshots");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];
const LANGUAGES = ["de", "en"];
const ALL_VIEWS = LANGUAGES.flatMap((language) =>
  SCHEMES.flatMap((scheme) => Object.keys(SIZES).map((size) => [language, scheme, size])),
);
/** The impacts that fail a test: they keep people from using the page. */
const GRAVE = ["serious", "critical"];

mkdirSync(SCREENSHOTS, { recursive: true });

/** Collects every error that a browser reports on the pages of a profile. */
export function complaintsOf(context) {
  const complaints = [];
  const say = (what) => complaints.push(what);
  // Logs every violation as an error; where it only blocks a style, the browser would merely warn.
  const tell = () => addEventListener("securitypolicyviolation", (event) => console.error(`${event.violatedDirective} ${event.blockedURI}`));
  context.on("console", (message) => message.type() === "error" && say(`${message.page()?.url()}: ${message.text()}`));
  context.on("weberror", (error) => say(`${error.page()?.url()}: ${error.error().stack}`));
  return { ready: context.addInitScript(tell), complaints };
}

/**
 * Checks a page in both languages, light and dark, on a screen and on a phone; a state of a page that was checked
 * before, in two of these views. Leaves the page in English on a screen. Fails when the page keeps somebody from using
 * it, or when a script can read a cookie.
 */
export async function look(page, name, { state = false } = {}) {
  assert.equal(await page.evaluate(() => document.cookie), "", name);
  const views = state ? [["de", "dark", "phone"], ["en", "light", "desktop"]] : ALL_VIEWS;
  for (const [language, scheme, size] of views) {
    await page.locator(`footer button[lang="${language}"]`).click();
    await page.waitForFunction((language) => document.documentElement.lang === language, language);
    await page.setViewportSize(SIZES[size]);
    await dress(page, scheme);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wider, 0, `${name}, ${language}, ${size}: it is wider than the window`);
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${language}-${scheme}-${size}.png`), fullPage: true, caret: "initial" });
  }
  for (const scheme of SCHEMES) {
    await dress(page, scheme);
    await examine(page, `${name}, ${scheme}`);
  }
  await page.setViewportSize(SIZES.desktop);
}

/** Shows the page in light or dark, and waits until all colour transitions have ended. */
async function dress(page, scheme) {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.evaluate(async () => {
    // An inherited colour starts its transition when the parent's has ended, so one quiet frame is not enough.
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (document.getAnimations().length > 0) quiet = -1;
    }
  });
}

/** Runs axe for faults that keep people from using the page. */
async function examine(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run());
  const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
  const found = grave.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  assert.deepEqual(found, [], name);
}
