// Prints how long a page takes until it is usable. Asserts nothing about time: machines differ.
//
// Interactive: the form is there, its code runs, and no task that began before takes longer than 50 ms.
import assert from "node:assert/strict";
import { scenario } from "./support/scenario.mjs";

const TIMES = 9;
const CONDITIONS = [
  { name: "this machine, nothing slowed down", processor: 1 },
  { name: "processor 4 times slower", processor: 4 },
  { name: "processor 4 times slower, 1.6 Mbit/s, 150 ms", processor: 4, network: { latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 } },
];

scenario(async ({ browser, start }) => {
  const { origin } = await start();
  for (const path of ["/sign-in", "/register"]) {
    for (const { name, processor, network } of CONDITIONS) {
      const times = [];
      for (let time = 0; time < TIMES; time++) times.push(await once(browser, `${origin}${path}`, processor, network));
      times.sort((a, b) => a - b);
      console.log(`${path.padEnd(10)} ${name}: median ${times[(TIMES - 1) / 2]} ms, slowest ${times.at(-1)} ms of ${TIMES}`);
    }
  }
});

/** Milliseconds from the start of a first visit, with an empty cache. */
async function once(browser, url, processor, network) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: processor });
  if (network) await devtools.send("Network.emulateNetworkConditions", { offline: false, ...network });
  await page.addInitScript(() => {
    globalThis.measured = { form: 0, task: 0 };
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) measured.task = Math.max(measured.task, startTime + duration);
    }).observe({ type: "longtask", buffered: true });
    new MutationObserver((_, observer) => {
      if (!document.querySelector("form button[type=submit]")) return;
      measured.form = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(url, { waitUntil: "networkidle" });
  await page.waitForFunction(() => measured.form > 0);
  const { form, task } = await page.evaluate(() => measured);
  await context.close();
  assert.ok(form > 0);
  return Math.round(Math.max(form, task));
}
