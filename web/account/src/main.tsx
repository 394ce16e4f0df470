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

/** How long a call may take, in milliseconds. */
const CALL_TIMEOUT = 20_000;
const page = document.documentElement;
const root = document.getElementById("app");
// First of all: it takes the token of a mailed link out of the address.
const navigation = new Navigation(window);
const language = languageFor(chosenLanguage(() => localStorage), navigator.languages);

if (root) {
  root.replaceChildren();
  start(root);
}

function start(root: Element): void {
  if (!window.isSecureContext) {
    // Neither the cookies nor the locks of the client exist here.
    page.lang = language;
    const stop = document.createElement("p");
    stop.className = "stop";
    stop.textContent = ERRORS[language].needsSecureOrigin;
    root.append(stop);
    return;
  }
  const era: Era = new Era({
    // Asking who is signed in is how an era is told from the next.
    concerns: ({ method }) => needsSession(navigation.place.page) && method.name !== "GetMe",
    listen: () => void countersign.signedIn,
  });
  const countersign: Countersign = createCountersign({
    baseUrl: "/",
    timeoutMs: CALL_TIMEOUT,
    transport: (interceptors) => grpcWeb("/", era.around(interceptors)),
  });
  // A page that the back button brings up again has missed what was told meanwhile.
  window.addEventListener("pageshow", () => void countersign.signedIn);
  // Before the presence: what is kept of an account has to be gone before the next page is shown.
  const account = new AccountStore(countersign);
  const notices = new Notices();
  const presence = new Presence(countersign, navigation, notices, account, era);
  const parts = { countersign, navigation, presence, account, mailbox: page.dataset["mailbox"] === "on" };
  render(<AppView parts={parts} notices={notices} language={language} />, root);
}
