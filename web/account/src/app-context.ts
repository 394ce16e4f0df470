import type { Countersign } from "@countersign/client";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { AccountStore } from "./account-store";
import type { Format } from "./format";
import type { Language } from "./language";
import type { Navigation, Place } from "./navigation";
import type { Presence } from "./presence";
import type { Errors, Texts } from "./texts";

/** What lasts as long as the page is loaded. */
export interface Parts {
  readonly countersign: Countersign;
  readonly navigation: Navigation;
  readonly presence: Presence;
  readonly account: AccountStore;
  /** Whether the service has a development mailbox. */
  readonly mailbox: boolean;
}

/** What every page can use. */
export interface App extends Parts {
  readonly place: Place;
  readonly language: Language;
  readonly texts: Texts;
  readonly errors: Errors;
  readonly format: Format;
  /** Tells people who listen to the page what happened. */
  announce(text: string): void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("this is shown outside of the app");
  return app;
}
