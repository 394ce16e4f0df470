import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOf, softwareOf } from "../src/device";
import { dateOf, Format } from "../src/format";
import { chosenLanguage, languageFor, localeOf, rememberLanguage } from "../src/language";
import { dismiss, isDismissed } from "../src/nudge";
import { changedPaths, isRenamed } from "../src/profile-change";
import { TEXTS } from "../src/texts";

const forbidden = (): Storage => {
  throw new DOMException("forbidden", "SecurityError");
};

test("the language is the one that was chosen, or the first one the person reads, or English", () => {
  assert.equal(languageFor("de", ["en-GB"]), "de");
  assert.equal(languageFor(null, ["fr", "de-AT", "en"]), "de");
  assert.equal(languageFor("xx", ["EN-us", "de"]), "en");
  assert.equal(languageFor(null, ["fr"]), "en");
});

test("dates are written as the person's country does", () => {
  assert.equal(localeOf("de", ["en-US", "de-AT"]), "de-AT");
  assert.equal(localeOf("en", ["de-AT"]), "en");
});

test("a storage that is forbidden costs the choice, not the page", () => {
  assert.equal(chosenLanguage(forbidden), null);
  assert.doesNotThrow(() => rememberLanguage(forbidden, "de"));
});

test("a hint that was dismissed stays away, and comes back where nothing can be stored", () => {
  const items = new Map<string, string>();
  const getItem = (key: string) => items.get(key) ?? null;
  const setItem = (key: string, value: string) => items.set(key, value);
  const storage = () => ({ getItem, setItem }) as unknown as Storage;
  assert.equal(isDismissed(storage), false);
  dismiss(storage);
  assert.equal(isDismissed(storage), true);
  assert.doesNotThrow(() => dismiss(forbidden));
  assert.equal(isDismissed(forbidden), false);
});

test("times are told in the largest unit that fits", () => {
  const now = new Date("2026-05-04T12:00:00Z");
  const ago = (seconds: number) => new Format("en").ago(new Date(now.getTime() - seconds * 1000), now);
  assert.deepEqual([20, 90, 7_200, 86_400, 40 * 86_400].map(ago), ["now", "1 minute ago", "2 hours ago", "yesterday", "last month"]);
  assert.equal(new Format("de").ago(new Date("2026-05-04T09:00:00Z"), now), "vor 3 Stunden");
});

test("a length of time is told in the largest unit of which it is a whole number", () => {
  const [minute, day] = [60_000, 86_400_000];
  const times = [30 * day, day, 36 * 60 * minute, 60 * minute, 90 * minute];
  const spans = (language: string) => times.map((time) => new Format(language).span(time));
  assert.deepEqual(spans("en"), ["30 days", "1 day", "36 hours", "1 hour", "90 minutes"]);
  assert.deepEqual(spans("de"), ["30 Tage", "1 Tag", "36 Stunden", "1 Stunde", "90 Minuten"]);
});

test("a timestamp of the service is the same instant here", () => {
  assert.equal(dateOf({ seconds: 1_741_011_480n, nanos: 500_000_000 }).toISOString(), "2025-03-03T14:18:00.500Z");
});

test("a user agent is told in words, and what claims to be many browsers is the one it is", () => {
  const words = (userAgent: string) => Object.values(softwareOf(userAgent)).filter(Boolean).join(", ");
  const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36";
  assert.equal(words(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Edg/128.0.0.0`), "Edge, Windows");
  assert.equal(words(`Mozilla/5.0 (Linux; Android 10; K) ${chrome}`), "Chrome, Android");
  assert.equal(words("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), "Firefox, Linux");
  assert.equal(words("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"), "Safari, iPhone");
  assert.equal(words("grpcurl/1.9.4 grpc-go/1.70"), "grpcurl 1.9.4");
  assert.equal(words(""), "");
  assert.equal(words("x".repeat(500)).length, 60);
});

test("a device has the name that the person gave to it, or else that of its software", () => {
  const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
  assert.equal(nameOf({ deviceName: "Desk", userAgent }, TEXTS.en), "Desk");
  assert.equal(nameOf({ deviceName: "", userAgent }, TEXTS.de), "Firefox auf Linux");
  assert.equal(nameOf({ deviceName: "", userAgent: "curl/8.5.0" }, TEXTS.en), "curl 8.5.0");
  assert.equal(nameOf({ deviceName: "", userAgent: "" }, TEXTS.en), TEXTS.en.sessions.unknown);
});

test("only what is no longer as it was is sent", () => {
  const account = { displayName: "Ada", username: "", locale: "en" };
  assert.deepEqual(changedPaths(account, { display_name: " Ada ", username: "", locale: "en" }), []);
  assert.deepEqual(changedPaths(account, { display_name: "", username: "ada", locale: "en" }), ["display_name", "username"]);
});

test("only another user name is a renaming, which takes the password", () => {
  assert.equal(isRenamed({ username: "ada" }, " ada "), false);
  assert.equal(isRenamed({ username: "ada" }, ""), true);
  assert.equal(isRenamed({ username: "" }, "ada"), true);
});
