import { createCountersign, grpcWeb, type Countersign } from "@countersign/client";
import { render } from "preact";
import { AccountStore } from "./account-store";
import { AppView } from "./app";
import { Era } from "./era";
import { chosenLanguage, languageFor } from "./language";
import { Navigation } from "./navigation";
import { Notices } from "./notices";
import { Presence } from "./presence";
import { needsSession } from "./routes";
import { ERRORS } from "./texts";

/** The timeout of a call, in milliseconds. */
const CALL_TIMEOUT = 20_000;
const page = document.documentElement;
const root = document.getElementById("app");
// First, because this removes the token of a mailed link from the address.
const navigation = new Navigation(window);
const language = languageFor(chosenLanguage(() => localStorage), navigator.languages);

if (root) {
  root.replaceChildren();
  start(root);
}

function start(root: Element): void {
  if (!window.isSecureContext) {
    // Browsers have neither the cookies nor the locks of the client here.
    page.lang = language;
    const stop = document.createElement("p");
    stop.className = "stop";
    stop.textContent = ERRORS[language].needsSecureOrigin;
    root.append(stop);
    return;
  }
  const era: Era = new Era({
    // GetMe finds out whether a new era begins, so it belongs to none.
    concerns: ({ method }) => needsSession(navigation.place.page) && method.name !== "GetMe",
    listen: () => void countersign.signedIn,
  });
  const countersign: Countersign = createCountersign({
    baseUrl: "/",
    timeoutMs: CALL_TIMEOUT,
    transport: (interceptors) => grpcWeb("/", era.around(interceptors)),
  });
  // A page that the back button restores has missed the changes meanwhile.
  window.addEventListener("pageshow", () => void countersign.signedIn);
  // Before the presence: the kept account must be dropped before the next page is shown.
  const account = new AccountStore(countersign);
  const notices = new Notices();
  const presence = new Presence(countersign, navigation, notices, account, era);
  const parts = { countersign, navigation, presence, account, mailbox: page.dataset["mailbox"] === "on" };
  render(<AppView parts={parts} notices={notices} language={language} />, root);
}
