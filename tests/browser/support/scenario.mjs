import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { startBrowser } from "./browser.mjs";
import { atExit, exit } from "./exit.mjs";
import { startService } from "./service.mjs";

/** Longer than any scenario takes, and shorter than its caller waits. */
const LIMIT = 300_000;

/**
 * Runs `act` with a browser and a function that starts services, and ends this process: with success, or with
 * everything that is known about the failure.
 */
export async function scenario(act, { browser: flags = [] } = {}) {
  // If anything else ends this process, the scenario has failed.
  process.exitCode = 1;
  process.once("uncaughtException", (error) => {
    console.error(error);
    void exit(1);
  });
  const folder = await mkdtemp(join(tmpdir(), "countersign-browser-"));
  atExit(() => rm(folder, { recursive: true, force: true }));
  const services = [];
  const start = async (settings) => {
    const service = await startService(folder, settings);
    services.push(service);
    return service;
  };
  try {
    const browser = await startBrowser(flags);
    const late = setTimeout(LIMIT, undefined, { ref: false }).then(() => Promise.reject(new Error(`not done after ${LIMIT} ms`)));
    await Promise.race([act({ browser, start, folder }), late]);
  } catch (error) {
    for (const { log } of services) console.error(`${log().split("\n").slice(-60).join("\n")}\n`);
    console.error(error);
    await exit(1);
  }
  await exit(0);
}

/** Logs which part has ended, for the reader of a later failure. */
export function done(what) {
  console.log(`${(performance.now() / 1000).toFixed(1)} s: ${what}`);
}
