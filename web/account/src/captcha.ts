import type { Captcha } from "@countersign/client";

/** What the scripts of all providers have in common, each under its own name. */
interface Widgets {
  ready?(act: () => void): void;
  render(target: HTMLElement, options: Record<string, unknown>): unknown;
  /** Only of the one that shows nothing. */
  execute?(siteKey: string, options: { action: string }): PromiseLike<string>;
}

interface Provider {
  /** Where its script is. `loaded` is what it calls when it can be used. */
  script(siteKey: string, language: string, loaded: string): string;
  /** What the script calls itself. */
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

/** Whether a person sees anything of it. */
export function isSeen({ provider }: Captcha): boolean {
  return provider !== "recaptcha_v3";
}

/** The scripts that are there or on their way, by their addresses. */
const scripts = new Map<string, Promise<void>>();

/**
 * Shows a captcha in `target` and resolves to its token once it is solved, which may be never. Its script is loaded now, and never
 * where none is asked for. Rejects when that is not possible.
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
      // The next try may have better luck.
      scripts.delete(address);
      reject(new Error("a captcha's script was not loaded"));
    };
    document.head.append(script);
  });
  scripts.set(address, loading);
  return loading;
}
