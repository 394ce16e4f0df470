import type { Texts } from "./texts";

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  // The order matters: most browsers also claim to be those below them.
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrome\/|\bChromium\/|\bCriOS\/|\bHeadlessChrome\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

/** The browser and the system of a user agent in words, where they are known. */
export interface Software {
  readonly browser: string | undefined;
  readonly system: string | undefined;
  /** The name of a program that is no browser, such as `grpcurl 1.9.4`. */
  readonly program: string | undefined;
}

const MOST_CHARACTERS = 60;

export function softwareOf(userAgent: string): Software {
  const browser = named(BROWSERS, userAgent);
  const system = named(SYSTEMS, userAgent);
  const first = userAgent.trim().split(/\s+/)[0]?.replace("/", " ").slice(0, MOST_CHARACTERS);
  return { browser, system, program: browser || system ? undefined : first || undefined };
}

/** A device as the service lists it. */
interface Device {
  /** The person's name for it; may be empty. */
  readonly deviceName: string;
  readonly userAgent: string;
}

/** The person's name for a device, or else its browser and system. */
export function nameOf({ deviceName, userAgent }: Device, { sessions }: Pick<Texts, "sessions">): string {
  const { browser, system, program } = softwareOf(userAgent);
  if (deviceName) return deviceName;
  return browser && system ? sessions.on(browser, system) : (browser ?? system ?? program ?? sessions.unknown);
}

function named(names: typeof BROWSERS, userAgent: string): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1];
}
