import type { Captcha } from "@countersign/client";

/** What the scripts of all providers have in common, each under its own name. */
interface Widgets {
  ready?(act: () => void): void;
  render(target: HTMLElement, options: Record<string, unknown>): unknown;
  /** Only reCAPTCHA v3, which shows nothing. */
  execute?(siteKey: string, options: { action: string }): PromiseLike<string>;
}

interface Provider {
  /** The address of the script. The script calls `loaded` when it is ready. */
  script(siteKey: string, language: string, loaded: string): string;
  /** The global variable of the script. */
  readonly name: "grecaptcha" | "hcaptcha" | "turnstile";
}

const LOADED = "countersignCaptchaLoaded";

const PROVIDERS: Readonly<Record<Captcha["provider"], Provider>> = {
  recaptcha_v2: {
    script: (_, language, loaded) => `https://www.google.com/recaptcha/api.js?render=explicit&onload=${loaded}&hl=${language}`,
    name: "grecaptcha",
  },
  recaptcha_v3: {
    script: (siteKey, language, loaded) =>
      `https://www.google.com/recaptcha/api.js?render=${encodeURIComponent(siteKey)}&onload=${loaded}&hl=${language}`,
    name: "grecaptcha",
  },
  hcaptcha: {
    script: (_, language, loaded) =>
      `https://js.hcaptcha.com/1/api.js?render=explicit&recaptchacompat=off&onload=${loaded}&hl=${language}`,
    name: "hcaptcha",
  },
  turnstile: {
    script: (_, __, loaded) => `https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit&onload=${loaded}`,
    name: "turnstile",
  },
};

/** Whether the captcha is visible. */
export function isSeen({ provider }: Captcha): boolean {
  return provider !== "recaptcha_v3";
}

/** The scripts that are loaded or loading, by address. */
const scripts = new Map<string, Promise<void>>();

/**
 * Shows a captcha in `target` and resolves to its token once it is solved, which may be never. Loads the script now, so
 * that it is never loaded where no captcha is required. Rejects when that fails.
 */
export async function solve(captcha: Captcha, target: HTMLElement, language: string): Promise<string> {
  const { script, name } = PROVIDERS[captcha.provider];
  await load(script(captcha.siteKey, language, LOADED));
  const widgets = (window as unknown as Partial<Record<Provider["name"], Widgets>>)[name];
  if (widgets === undefined) throw new Error(`there is no ${name}`);
  if (widgets.execute && !isSeen(captcha)) return widgets.execute(captcha.siteKey, { action: captcha.action });
  return new Promise((resolve, reject) => {
    widgets.render(target, {
      sitekey: captcha.siteKey,
      action: captcha.action,
      language,
      theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
      callback: resolve,
      "error-callback": () => reject(new Error(`${name} failed`)),
    });
  });
}

function load(address: string): Promise<void> {
  const known = scripts.get(address);
  if (known) return known;
  const loading = new Promise<void>((resolve, reject) => {
    (window as unknown as Record<string, unknown>)[LOADED] = resolve;
    const script = document.createElement("script");
    script.src = address;
    script.async = true;
    script.onerror = () => {
      script.remove();
      // Another try may succeed.
      scripts.delete(address);
      reject(new Error("a captcha's script was not loaded"));
    };
    document.head.append(script);
  });
  scripts.set(address, loading);
  return loading;
}
